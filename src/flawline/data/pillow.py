"""Decode with Pillow, which refuses a truncated file where other decoders return half a picture.

Of a JPEG it reads the header alone, and of a plain one nothing: `jpeg.py` decodes it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.completeness import check_loaded, check_stated
from flawline.data.deep import check_layout, decode_deep, is_deep, plain_png, tiff_layout
from flawline.data.jpeg import decode_jpeg
from flawline.data.jpeg_header import plain_jpeg
from flawline.data.jpeg_scans import check_scans
from flawline.data.quiet import quiet_decoder
from flawline.data.sniff import cut_short
from flawline.errors import ImageError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Pillow logs what it also raises; without a handler Python would print it to standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())

Admit = Callable[[tuple[int, int], int], None]

# `Image.open` is not used: it refuses more pixels than a limit of the whole process (179 million by default) and opens
# a JPEG of several pictures as another format.
_DECODERS = {
    **{"JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "GIF": "Gif", "WEBP": "WebP"},
    **{"JPEG2000": "Jpeg2K", "AVIF": "Avif", "BMP": "Bmp", "PPM": "Ppm"},
}
_PLAIN_JPEG = {"L": 1, "RGB": 3}
_GREY_MODES = ("1", "L", "LA", "La", "I", "F")
_ORIENTATION_SOURCES = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"})
# Bytes of a pixel: in the decoders' own buffers, and of the picture in RGB with the grey values it is made from.
_OF_DECODER = {"AVIF": 3, "WEBP": 9, "BMP": 2}
_OF_PICTURE = 4
_OF_DEEP_PNG = 17
_BLOCK = 1 << 20
_SEVERAL = "first of several frames"
_ALPHA_DROPPED = "alpha dropped"
_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Values as stored, (height, width) or (height, width, channels); `largest` is white where the file states it.

    `size` is (width, height) of the file and `orientation` the EXIF value that is still to be applied.
    """

    values: NDArray[Any]
    size: tuple[int, int]
    mode: str
    channels: int
    largest: int | None = None
    orientation: int = 1
    notes: tuple[str, ...] = ()


def damaged(name: str, reason: str) -> ImageError:
    """Make the error for a file of a known format with damaged content."""
    return ImageError(
        f"the {name} file is damaged: {reason}",
        hint="Copy it again from where it was taken.",
        code="image-damaged",
    )


def decode_with_pillow(name: str, data: bytes, target: int | None, admit: Admit) -> Decoded:
    """Decode the first frame.

    `admit` gets (width, height) and the bytes of memory that decoding takes, before pixels are decoded, and may raise.
    """
    from PIL.Image import DecompressionBombError

    try:
        if name == "JPEG" and (header := plain_jpeg(data)) is not None:
            return _load_jpeg(data, header.size, header.mode, target, admit)
        with quiet_decoder():
            return _load(name, data, target, admit)
    except (ImageError, MemoryError):
        raise
    except DecompressionBombError as error:
        raise ImageError(
            f"the {name} decoder refuses the size: {error}",
            hint="Store the picture as TIFF, PNG or JPEG, which take up to `max_pixels` of ImageLimits.",
            code="image-too-large",
        ) from error
    except ImportError as error:
        raise ImageError(
            f"the installed Pillow cannot decode {name}",
            hint="Install a Pillow built with this format, or convert the picture to PNG.",
            code="image-unsupported",
        ) from error
    # Decoders raise almost any type on hostile input, and one bad file must never end a batch.
    except Exception as error:
        raise _decoder_error(name, data, error) from error


def _decoder_error(name: str, data: bytes, error: Exception) -> ImageError:
    reason = str(error) or type(error).__name__
    if "truncated" in reason.lower() or "remature end" in reason or _ends_early(name, data):
        return ImageError(
            f"the {name} file ends before its pixels do ({len(data)} bytes)",
            hint="The file is cut short: copy it again from where it was taken.",
            code="image-truncated",
        )
    if isinstance(error, NotImplementedError) or "support" in reason:
        return ImageError(
            f"this kind of {name} is not supported: {reason}",
            hint="Convert it to PNG or TIFF.",
            code="image-unsupported",
        )
    return damaged(name, reason)


def _ends_early(name: str, data: bytes) -> bool:
    if name != "TIFF" or cut_short(name, data):
        return cut_short(name, data)
    # The directory itself may be damaged, which is not a missing end.
    try:
        return tiff_layout(data).end > len(data)
    except Exception:
        return False


def _load(name: str, data: bytes, target: int | None, admit: Admit) -> Decoded:
    prefix = _DECODERS[name]
    factory = getattr(import_module(f"PIL.{prefix}ImagePlugin"), f"{prefix}ImageFile")
    try:
        image: ImageFile = factory(io.BytesIO(data))
    except SyntaxError:
        # Pillow knows no mode for several floating-point and integer channels.
        if name != "TIFF":
            raise
        return _decode_deep(name, data, admit, None)
    size = image.size
    if name == "JPEG" and image.mode in _PLAIN_JPEG:
        notes, (orientation, damage) = _frame_notes(name, image, factory, data), _orientation(image)
        decoded = _load_jpeg(data, size, image.mode, target, admit)
        return replace(decoded, orientation=orientation, notes=(*notes, *decoded.notes, *damage))
    if is_deep(name, data, image.mode):
        return _decode_deep(name, data, admit, image)
    check_stated(name, data, image)
    admit(size, _bytes_needed(name, image))
    notes = _frame_notes(name, image, factory, data)
    if name == "JPEG":
        check_scans(data)
        decode_jpeg(data, "CMYK", size)
    image.load()
    # Another user of Pillow in this process may have set it to accept truncated files.
    if (name == "JPEG" or _accepts_truncated()) and _ends_early(name, data):
        raise OSError("truncated")
    check_loaded(name, data, image)
    decoded = _values(image, size, name, data)
    orientation, damage = (1, ()) if name == "TIFF" else _orientation(image)
    return replace(decoded, orientation=orientation, notes=(*notes, *decoded.notes, *damage))


def _bytes_needed(name: str, image: ImageFile) -> int:
    """Bound the memory of decoding: what the decoder, Pillow and the picture in RGB hold at once, in bytes."""
    width, height = image.size
    stored = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}.get(image.mode, 4)
    copied = stored if image.mode[0] in "IF" else 0
    own = 4 * len(image.getbands()) if name == "JPEG2000" else _OF_DECODER.get(name, 0)
    return width * height * (own + stored + copied + _OF_PICTURE)


def _load_jpeg(
    data: bytes, size: tuple[int, int], mode: str, target: int | None, admit: Admit
) -> Decoded:
    """Decode grey or colour of 8 bits, at the smallest of the scales 1, 1/2, 1/4 and 1/8 that keeps `target`."""
    if _ends_early("JPEG", data):
        raise OSError("truncated")
    fits = min(size) // target if target is not None else 1
    reduction = next((factor for factor in (8, 4, 2) if factor <= fits), 1)
    pixels = size[0] * size[1] // reduction**2
    admit(size, check_scans(data) + pixels * (_OF_PICTURE if mode == "L" else 3))
    values, notes = decode_jpeg(data, "GRAY" if mode == "L" else mode, size, reduction)
    return Decoded(values, size, mode, _PLAIN_JPEG[mode], notes=notes)


def _accepts_truncated() -> bool:
    from PIL import ImageFile

    return ImageFile.LOAD_TRUNCATED_IMAGES


def _decode_deep(name: str, data: bytes, admit: Admit, image: ImageFile | None) -> Decoded:
    size, signed = image.size if image else (0, 0), False
    notes: tuple[str, ...] = ()
    if name == "TIFF":
        layout = tiff_layout(data)
        check_layout(layout)
        if layout.end > len(data):
            raise OSError("truncated")
        size = layout.size if layout.orientation < 5 else layout.size[::-1]
        notes, signed = (_SEVERAL,) * layout.several, layout.sample_format == 2
        admit(size, size[0] * size[1] * (2 * layout.samples * layout.bits // 8 + 7))
    else:
        admit(size, size[0] * size[1] * _OF_DEEP_PNG)
    if image is not None:
        image.load()  # OpenCV fills what a damaged file lacks with grey; Pillow refuses the file.
        check_loaded(name, data, image)
    values = decode_deep(plain_png(data) if name == "PNG" else data)
    channels = 1 if values.ndim == 2 else values.shape[2]
    stored = image.mode if image is not None else {1: "L"}.get(channels, "RGB")
    if stored in _ALPHA_MODES:
        notes = (*notes, _ALPHA_DROPPED)
    if stored == "LA":
        values, channels = values[:, :, 0], 1
    orientation, damage = (1, ()) if name == "TIFF" or image is None else _orientation(image)
    kind = {"f": "F", "i": "S"}.get(values.dtype.kind, "")
    return Decoded(
        values,
        size,
        f"{stored};{values.dtype.itemsize * 8}{kind}",
        channels,
        65535 if values.dtype == np.uint16 and not signed else None,
        orientation,
        (*notes, *damage),
    )


def _values(image: ImageFile, size: tuple[int, int], name: str, data: bytes) -> Decoded:
    mode = image.mode
    notes: tuple[str, ...] = ()
    if mode in _ALPHA_MODES or "transparency" in image.info:
        notes = (_ALPHA_DROPPED,)
    if mode == "CMYK":
        notes = ("CMYK converted without a colour profile",)
    if mode.startswith("I") or mode == "F":
        values, largest = _numbers(image, name, data)
        return Decoded(values, size, mode, 1, largest, notes=notes)
    # Pillow would blend with it; the colour below it is kept.
    image.info.pop("transparency", None)
    grey = mode in _GREY_MODES or (mode == "P" and _grey_palette(image))
    return Decoded(
        _converted(image, "L" if grey else "RGB"), size, mode, 1 if grey else 3, notes=notes
    )


def _converted(image: ImageFile, mode: str) -> NDArray[np.uint8]:
    """Convert to grey "L" or "RGB" some rows at a time: Pillow would hold several copies of the whole picture."""
    width, height = image.size
    values = np.empty((height, width, *((3,) if mode == "RGB" else ())), np.uint8)
    full = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)
    rows = max(1, _BLOCK // width)
    for top in range(0, height, rows):
        block = image.crop((0, top, width, min(top + rows, height)))
        block = block.convert(full) if full else block
        values[top : top + rows] = np.asarray(block if block.mode == mode else block.convert(mode))
    return values


def _grey_palette(image: ImageFile) -> bool:
    palette = np.frombuffer(image.im.getpalette("RGB", "RGB"), np.uint8).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _numbers(image: ImageFile, name: str, data: bytes) -> tuple[NDArray[Any], int | None]:
    """Read grey values of more than 8 bits in native byte order, and white where the bit depth states it."""
    values = np.asarray(image)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    layout = tiff_layout(data) if name == "TIFF" else None
    if values.dtype == np.uint16:
        largest = (1 << layout.bits) - 1 if layout else 65535
        inverted = layout is not None and layout.photometric == 0
        return (largest - values if inverted else values), largest
    if layout and values.dtype == np.int32 and layout.sample_format == 1:
        values = values.view(np.uint32)
    return values, 65535 if name == "PPM" and values.dtype == np.int32 else None


def _frame_notes(
    name: str, image: ImageFile, factory: Callable[..., Any], data: bytes
) -> tuple[str, ...]:
    if name == "JPEG":
        return (_SEVERAL,) if "mp" in image.info else ()
    if name == "TIFF":
        return (_SEVERAL,) if image.tag_v2.next else ()  # type: ignore[attr-defined]
    if name == "GIF":
        return _gif_notes(factory(io.BytesIO(data)))
    frames = getattr(image, "n_frames", 1)
    return (f"first of {frames} frames",) if frames > 1 else ()


def _gif_notes(probe: Any) -> tuple[str, ...]:
    # The first frame may be whole where a later one is damaged.
    try:
        frames = probe.n_frames
    except Exception:
        return (_SEVERAL,)
    return (f"first of {frames} frames",) if frames > 1 else ()


def _orientation(image: ImageFile) -> tuple[int, tuple[str, ...]]:
    if not _ORIENTATION_SOURCES.intersection(image.info):
        return 1, ()
    # Damaged EXIF is common in files that decode perfectly well.
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:
        return 1, ("damaged EXIF ignored",)
    return (value, ()) if value in range(1, 9) else (1, ())


def load_stored(name: str, data: bytes) -> tuple[ImageFile, int]:
    """Load a picture that was decoded before in Pillow's own mode, and its orientation that is still to be applied."""
    prefix = _DECODERS[name]
    factory = getattr(import_module(f"PIL.{prefix}ImagePlugin"), f"{prefix}ImageFile")
    with quiet_decoder():
        image: ImageFile = factory(io.BytesIO(data))
        image.load()
    return image, 1 if name == "TIFF" else _orientation(image)[0]
