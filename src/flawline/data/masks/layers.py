"""Read the values of a mask file as they are stored, and its alpha channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.deep import TiffLayout, decode_unchanged, plain_png, tiff_layout
from flawline.data.image import ImageLimits, read_image, upright
from flawline.data.masks.lossy import lossy
from flawline.data.memory_share import memory_share
from flawline.data.netpbm import netpbm_header, netpbm_pixels
from flawline.data.pillow import Decoded, decode_with_pillow, load_stored
from flawline.errors import ImageError
from flawline.types import Picture

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_EIGHT_BITS = ("1", "L", "P", "LA", "La", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr")
_CHANNELS = {"LA": 2, "La": 2, "PA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3}
_CHANNELS |= {"RGBA": 4, "RGBa": 4, "CMYK": 4}
_DROPPED = "alpha dropped"
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What a mask file holds, upright.

    `colours` are uint8 (height, width, 3). `values` (height, width) are its numbers as stored: grey levels at any
    depth, or the places in the palette of an `indexed` PNG; None where it has colours. `alpha` is uint8 (height,
    width), None where it is 255 everywhere or the file has none. `lossy` names the compression that changed values.
    """

    colours: NDArray[np.uint8]
    values: NDArray[Any] | None
    alpha: NDArray[np.uint8] | None
    indexed: bool = False
    lossy: str = ""


def read_layers(data: bytes, limits: ImageLimits, *, lossless: bool = True) -> Layers:
    """Decode a mask file.

    Raises:
        ImageError: it cannot be decoded; or ("image-mask") has several pages, or a channel of unknown meaning, or must
            be `lossless` and is stored with losses.
    """
    with memory_share(limits.max_memory) as share:
        # With the range 0 to 255 the values of a deeper file stay as they are: 1 stays 1.
        picture = read_image(data, limits=limits, value_range=(0, 255), reserve=share.reserve)
        _check_one_page(picture)
        if picture.format == "TIFF":
            _check_channels(picture.mode, tiff_layout(data))
        kind = lossy(picture.format, data)
        if lossless:
            _check_lossless(kind)
        return replace(_layers(picture, data), lossy=kind)


def _check_lossless(kind: str) -> None:
    if kind:
        raise ImageError(
            f"expected a mask without losses, got {kind}",
            hint="Save masks as PNG: compression with losses invents levels at every edge.",
            code="image-mask",
        )


def _layers(picture: Picture, data: bytes) -> Layers:
    if picture.mode not in _EIGHT_BITS:
        return _deep(picture, data)
    if _DROPPED not in picture.notes and picture.mode != "P":
        return Layers(picture.pixels, _signed(picture, data), _fourth_channel(picture, data))
    image, orientation = load_stored(picture.format, data)
    indexed = picture.mode == "P" and picture.format == "PNG"
    values = upright(np.array(image, np.uint8), orientation) if indexed else _grey(picture.pixels)
    alpha = _seen(upright(_alpha(image), orientation))
    return Layers(picture.pixels, values, alpha, indexed)


def _check_one_page(picture: Picture) -> None:
    if any(note.startswith("first of") for note in picture.notes):
        raise ImageError(
            "expected a mask of one page, got several",
            hint="Save the page that holds the mask as a file of its own.",
            code="image-mask",
        )


def _check_channels(mode: str, layout: TiffLayout) -> None:
    known = _CHANNELS.get(mode.partition(";")[0], 1)
    if layout.samples > known:
        raise ImageError(
            f"expected a mask of {known} channels, got {layout.samples}, the last of unknown meaning",
            hint="Save it as grey or indexed PNG without alpha.",
            code="image-mask",
        )


def _signed(picture: Picture, data: bytes) -> NDArray[Any] | None:
    """Return grey levels; those of a TIFF of signed bytes may be negative."""
    values = _grey(picture.pixels)
    if values is None or picture.format != "TIFF" or tiff_layout(data).sample_format != 2:
        return values
    return values.view(np.int8)


def _fourth_channel(picture: Picture, data: bytes) -> NDArray[np.uint8] | None:
    """Return the fourth bytes of a plain BMP of 32 bits where they vary: many programs keep alpha there."""
    bits, compression = (int.from_bytes(data[at : at + 2], "little") for at in (28, 30))
    if picture.format != "BMP" or bits != 32 or compression:
        return None
    start, count = int.from_bytes(data[10:14], "little"), 4 * picture.width * picture.height
    own = np.frombuffer(data[start : start + count], np.uint8)[3::4]
    if (own == own[0]).all() or 4 * len(own) != count:
        return None
    rows = own.reshape(picture.height, picture.width)
    # A height below 0 states that the rows go from top to bottom.
    return rows if data[25] & 128 else rows[::-1]


def _grey(pixels: NDArray[Any]) -> NDArray[Any] | None:
    if pixels.ndim == 2:
        return pixels
    return None if (pixels != pixels[..., :1]).any() else np.ascontiguousarray(pixels[..., 0])


def _deep(picture: Picture, data: bytes) -> Layers:
    """Read a file of more than 8 bits with its own numbers; its picture has them clipped to 0 to 255."""
    decoded = _decoded(picture.format, data)
    values = upright(decoded.values, decoded.orientation)
    clear = _DROPPED in picture.notes
    alpha = upright(_deep_alpha(picture.format, data), decoded.orientation) if clear else None
    return Layers(picture.pixels, _grey(values), _seen(alpha))


def _seen(alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    return None if alpha is None or alpha.min() == 255 else alpha


def _decoded(format: str, data: bytes) -> Decoded:
    header = netpbm_header(data) if format == "PPM" else None
    if header is None:
        return decode_with_pillow(format, data, None, _admitted)
    return Decoded(netpbm_pixels(data, header), header.size, "L", header.channels)


def _admitted(*_: object) -> None:
    """Nothing is left to check: `read_image` has decoded the same file within its limits."""


def _deep_alpha(format: str, data: bytes) -> NDArray[np.uint8]:
    image, _ = load_stored(format, data)
    key = image.info.get("transparency")
    if isinstance(key, int):
        return np.where(np.asarray(image) == key, 0, 255).astype(np.uint8)
    alpha = decode_unchanged(plain_png(data) if format == "PNG" else data)[..., -1]
    opaque = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else 1
    return np.ceil(alpha.astype(np.float64) * (255 / opaque)).clip(0, 255).astype(np.uint8)


def _alpha(image: ImageFile) -> NDArray[np.uint8]:
    whole = image.convert(_PREMULTIPLIED.get(image.mode, image.mode))
    return np.asarray(whole.convert("RGBA").getchannel("A"))
