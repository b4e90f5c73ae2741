"""Decode picture files to 8-bit RGB; damaged, oversized and other files are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.bounded_file import read_bounded
from flawline.data.depth import check_range, range_notes, to_eight_bits
from flawline.data.netpbm import NetpbmHeader, netpbm_header, netpbm_pixels
from flawline.data.pillow import Admit, Decoded, damaged, decode_with_pillow
from flawline.data.sniff import HEAD_BYTES, describe, other_picture, picture_format
from flawline.errors import ImageError
from flawline.types import Picture

_RAISE_BYTES = "Raise `max_bytes` of ImageLimits if the picture is meant to be that large."
_READABLE = "JPEG, PNG, TIFF, BMP, GIF, WebP, JPEG 2000, AVIF, PGM, PPM or PFM"


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits of one picture.

    `max_pixels` is width times height, `max_bytes` the size of the file, and `max_memory` the bytes that file and
    pixels take while the picture is decoded. Pictures that are worked on at the same time share `max_memory`.
    """

    max_pixels: int = 268_000_000
    max_bytes: int = 1_000_000_000
    max_memory: int = 1_500_000_000


DEFAULT_IMAGE_LIMITS = ImageLimits()


def read_image(
    data: bytes | Path,
    *,
    target: int | None = None,
    value_range: tuple[float, float] | None = None,
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
    reserve: Callable[[int], None] | None = None,
) -> Picture:
    """Decode a picture to uint8 RGB, upright.

    `data` is the content of a file or its path. `target` lets a JPEG whose short side is at least
    twice as long be decoded at a reduced scale with the short side still at least `target` pixels.
    `value_range` is (low, high) of files with more than 8 bits per channel, mapped to 0..255; by
    default the whole range of the file's bit depth is, and floating-point files must lie within 0
    to 1. `reserve` gets the bytes of memory that decoding takes before it begins, and may wait. `pixels` is read-only.

    Raises ImageError and nothing else; its `code` is one of image-unreadable, image-empty,
    image-not-an-image, image-unsupported, image-truncated, image-damaged, image-too-large,
    image-memory, image-value-range, image-not-finite, image-target.
    """
    if target is not None and target < 1:
        raise ImageError(
            f"expected a target of at least 1 pixel, got {target}",
            hint="Leave target out to decode at full scale.",
            code="image-target",
        )
    check_range(value_range)
    try:
        content = (
            data
            if isinstance(data, bytes)
            else read_bounded(data, limits.max_bytes, ImageError, "image", limit=_RAISE_BYTES)
        )
        return _decode(content, target, value_range, limits, reserve)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(
            "not enough memory to decode the picture",
            hint="Lower `max_pixels` of ImageLimits, decode fewer pictures at once, or add memory.",
            code="image-memory",
        ) from error


def _check_bytes(size: int, limits: ImageLimits) -> None:
    if size > limits.max_bytes:
        raise ImageError(
            f"expected a file of at most {limits.max_bytes} bytes, got {size}",
            hint=_RAISE_BYTES,
            code="image-too-large",
        )


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise damaged("picture", f"the header states {width} x {height} pixels")
    if width * height > limits.max_pixels:
        raise ImageError(
            f"expected at most {limits.max_pixels} pixels, the header states {width} x {height}",
            hint="Raise `max_pixels` of ImageLimits if the picture is meant to be that large.",
            code="image-too-large",
        )


def _check_memory(needed: int, limits: ImageLimits) -> None:
    if needed > limits.max_memory:
        raise ImageError(
            f"expected a picture that takes at most {limits.max_memory / 1e9:.2g} GB of memory to decode, "
            f"this one takes {needed / 1e9:.2g} GB",
            hint="Cut it into several pictures, or store it as baseline JPEG, which takes the least; `max_memory` of "
            "ImageLimits raises the limit.",
            code="image-too-large",
        )


def _decode(
    data: bytes,
    target: int | None,
    value_range: tuple[float, float] | None,
    limits: ImageLimits,
    reserve: Callable[[int], None] | None,
) -> Picture:
    def admit(size: tuple[int, int], needed: int) -> None:
        _check_size(size, limits)
        _check_memory(len(data) + needed, limits)
        if reserve is not None:
            reserve(len(data) + needed)

    _check_bytes(len(data), limits)
    name = _identify(data[:HEAD_BYTES])
    netpbm = netpbm_header(data) if name == "PPM" else None
    if netpbm is not None:
        decoded = _decode_netpbm(data, netpbm, admit)
    else:
        decoded = decode_with_pillow(name, data, target, admit)
    return _picture(decoded, name, data, value_range)


def _picture(
    decoded: Decoded, name: str, data: bytes, value_range: tuple[float, float] | None
) -> Picture:
    values, notes = decoded.values, decoded.notes
    if values.dtype != np.uint8 or decoded.largest not in (None, 255):
        if value_range is None:
            notes = (*notes, *range_notes(values, decoded.largest))
        values = to_eight_bits(values, value_range, decoded.largest)
    elif value_range is not None:
        notes = (*notes, "value range not applied to 8 bits")
    pixels = upright(_three_channels(values), decoded.orientation)
    pixels.flags.writeable = False
    width, height = decoded.size if decoded.orientation < 5 else decoded.size[::-1]
    return Picture(
        pixels,
        width,
        height,
        decoded.mode,
        name,
        decoded.channels,
        file_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        notes=notes,
    )


def _three_channels(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if values.ndim == 2:
        values = values[:, :, None]
    return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo the EXIF orientation 1..8 (Exif 2.32, tag 0x0112) of (height, width) or (height, width, channels)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _identify(head: bytes) -> str:
    if not head:
        raise ImageError(
            "the file is empty", hint="Copy it again from where it was taken.", code="image-empty"
        )
    name = picture_format(head)
    if name is not None:
        return name
    other = other_picture(head)
    if other is not None:
        raise ImageError(
            f"expected {_READABLE}, got {other}",
            hint="Convert it to PNG or TIFF.",
            code="image-unsupported",
        )
    raise ImageError(
        f"expected a picture ({_READABLE}), got {describe(head)}",
        hint="Check how the file was saved; its extension does not matter, its content does.",
        code="image-not-an-image",
    )


def _decode_netpbm(data: bytes, header: NetpbmHeader, admit: Admit) -> Decoded:
    width, height = header.size
    item = np.dtype(header.dtype).itemsize
    admit(header.size, width * height * (header.channels * item * (item > 1) + 4))
    values = netpbm_pixels(data, header)
    mode = {1: "L", 3: "RGB"}[header.channels]
    if values.dtype != np.uint8:
        mode += ";16" if values.dtype == np.uint16 else ";32F"
    return Decoded(values, header.size, mode, header.channels, header.largest)
