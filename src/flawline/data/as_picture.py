"""Read a picture from an array, a picture of Pillow, the path or the bytes of a file.

An array becomes the lossless Netpbm file of its values (PGM and PPM for whole numbers, PFM for floats), which is read
like any other file. So value ranges, notes, errors and hashes mean the same for arrays and for files, and an array is
stored as a picture file.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from flawline.data.folder import read_file
from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits, read_image
from flawline.errors import ImageError
from flawline.types import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

PictureLike: TypeAlias = Union[Picture, "NDArray[Any]", "Image", str, "os.PathLike[str]", bytes]

ARRAY = "array"
_ALPHA_DROPPED = "alpha dropped"
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_KINDS = {"u1": ("P5", "P6"), "u2": ("P5", "P6"), "f4": ("Pf", "PF")}
_HINT = (
    "give uint8, or uint16 or floats with a `value_range`, as (height, width) grey, (height, width, 3) RGB or "
    "(height, width, 4) RGBA; OpenCV reads BGR: turn it with image[..., ::-1]"
)


def as_picture(
    image: PictureLike,
    value_range: tuple[float, float] | None = None,
    *,
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
    reserve: Callable[[int], None] | None = None,
) -> Picture:
    """Read a picture from an array, a picture of Pillow, a path or bytes.

    Args:
        image: an array of grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA (H, W, 4), uint8, uint16 or floating point;
            channels are RGB, never guessed to be BGR. Or a picture of Pillow, the path of a file, its bytes, or a
            `Picture`, which is returned as it is.
        value_range: (low, high) of values of more than 8 bits, mapped to 0..255, as for `read_image`.
        limits: the most pixels and bytes of a picture.
        reserve: as for `read_image`.

    Returns:
        The picture. Of an array, `format` is "array", `sha256` and `file_bytes` are those of `picture_bytes(image)`:
        equal values in an equal shape and type have one hash, whatever their strides.

    Raises:
        ImageError: another type or shape ("image-array"), no pixels ("image-empty"), NaN or infinity
            ("image-not-finite"), floats outside 0 to 1 without a range ("image-value-range"); and as `read_image`.
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, bytes | str | os.PathLike):
        data = image if isinstance(image, bytes) else Path(image)
        return read_image(data, value_range=value_range, limits=limits, reserve=reserve)
    values = _values(image)
    picture = read_image(_netpbm(values), value_range=value_range, limits=limits, reserve=reserve)
    alpha = values.shape[2] == 4
    return replace(
        picture,
        format=ARRAY,
        mode=_MODES[values.shape[2]] + {"u1": "", "u2": ";16", "f4": ";32F"}[_code(values)],
        notes=(*((_ALPHA_DROPPED,) if alpha else ()), *picture.notes),
    )


def picture_bytes(image: PictureLike, *, max_bytes: int = DEFAULT_IMAGE_LIMITS.max_bytes) -> bytes:
    """Return the file of a picture: its bytes where it has some, else the Netpbm file of its values.

    RGBA loses alpha; floats become float32. Arguments and errors are those of `as_picture`.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, str | os.PathLike):
        return read_file(os.fspath(image), Path(image).name, max_bytes)
    return _netpbm(_values(image.pixels if isinstance(image, Picture) else image))


def mask_bytes(image: PictureLike, *, max_bytes: int = DEFAULT_IMAGE_LIMITS.max_bytes) -> bytes:
    """Return the file of a mask: a PNG where it has an alpha channel or a palette, else as `picture_bytes`.

    Raises:
        ImageError: as for `picture_bytes`, or ("image-array") floats with an alpha channel.
    """
    import cv2

    if isinstance(image, Picture | bytes | str | os.PathLike):
        return picture_bytes(image, max_bytes=max_bytes)
    if not isinstance(image, np.ndarray) and getattr(image, "mode", "") == "P":
        return _png_of_pillow(image)
    values = _values(_with_alpha(image))
    if values.shape[2] != 4:
        return _netpbm(values)
    if values.dtype.kind == "f":
        raise ImageError(
            "expected a mask of whole numbers with alpha, got floats with 4 channels",
            hint="give the class indices alone, uint8 (height, width)",
            code="image-array",
        )
    return bytes(cv2.imencode(".png", values[..., [2, 1, 0, 3]])[1])


def _with_alpha(image: Any) -> Any:
    """Keep the alpha channel of a grey picture of Pillow, which a photograph does without."""
    if getattr(image, "mode", "") in ("LA", "PA") or (
        getattr(image, "mode", "") in ("1", "L") and "transparency" in image.info
    ):
        return image.convert("RGBA")
    return image


def _png_of_pillow(image: Any) -> bytes:
    from PIL import ImageOps

    stream = io.BytesIO()
    ImageOps.exif_transpose(image).save(stream, "PNG")
    return stream.getvalue()


def _values(image: Any) -> NDArray[Any]:
    """Return the values of an array or a picture of Pillow: (H, W, 1, 3 or 4), uint8, uint16 or float32."""
    values = image if isinstance(image, np.ndarray) else _values_of_pillow(image)
    shape, dtype = values.shape, values.dtype
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or values.shape[2] not in _MODES:
        raise ImageError(
            f"expected an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {shape}",
            hint=_HINT,
            code="image-array",
        )
    if not values.size:
        raise ImageError(
            f"expected a picture of at least one pixel, got an array of shape {shape}",
            hint="check where the array was cut out",
            code="image-empty",
        )
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(np.float32, copy=False)
    if dtype.newbyteorder("=") not in (np.dtype(np.uint8), np.dtype(np.uint16)):
        raise ImageError(
            f"expected an array of uint8, uint16 or floating point, got {dtype}",
            hint=_HINT,
            code="image-array",
        )
    return values


def _values_of_pillow(image: Any) -> NDArray[Any]:
    """Return the values of a picture of Pillow, upright by its EXIF entry."""
    from PIL import Image, ImageOps

    if not isinstance(image, Image.Image):
        raise ImageError(
            "expected an array, a picture of Pillow, or the path or bytes of a picture file, got "
            f"{type(image).__name__}",
            hint="numpy.asarray may turn it into an array",
            code="image-array",
        )
    upright = ImageOps.exif_transpose(image)
    mode = upright.mode
    if mode in ("L", "RGB", "RGBA", "F"):
        return np.asarray(upright)
    if mode.startswith("I"):
        values = np.asarray(upright)
        if values.size and not 0 <= values.min() <= values.max() <= 65535:
            raise ImageError(
                f"expected values from 0 to 65535 in a picture of mode {mode!r}, got {values.min()} to {values.max()}",
                hint="turn it into an array of float32, and give its `value_range`",
                code="image-value-range",
            )
        return values.astype(np.uint16)
    clear = mode in ("LA", "La", "PA", "RGBa") or "transparency" in upright.info
    grey = mode in ("1", "LA", "La")
    return np.asarray(upright.convert("RGBA" if clear and not grey else "L" if grey else "RGB"))


def _netpbm(values: NDArray[Any]) -> bytes:
    """Build the Netpbm file of values (H, W, 1, 3 or 4), without alpha."""
    colours = values[..., :3]
    height, width, channels = colours.shape
    code = _code(values)
    kind = _KINDS[code][channels == 3]
    # PFM counts rows from the bottom; a negative scale means that the lowest byte comes first.
    white = {"u1": "255", "u2": "65535", "f4": "-1.0"}[code]
    stored = colours[::-1].astype("<f4") if code == "f4" else colours
    if code == "u2":
        stored = colours.astype(">u2")
    return f"{kind}\n{width} {height}\n{white}\n".encode() + stored.tobytes()


def _code(values: NDArray[Any]) -> str:
    return f"{values.dtype.kind}{values.dtype.itemsize}"
