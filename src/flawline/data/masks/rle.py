"""Read run lengths of COCO, Label Studio and CVAT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.masks.documents import short, whole, wholes_of
from flawline.data.masks.shapes import BrokenShape, Mask

_CHANNELS = 4
_HALF = 127


def paint_coco(counts: Any, size: Any, mask: Mask, value: int) -> None:
    """Paint a COCO run-length encoding: runs down the columns, the first of background.

    `counts` is a list of lengths, or the text of pycocotools; `size` is [height, width].

    Raises:
        BrokenShape: the runs do not fill the size, or the size is not that of `mask`.
    """
    if not isinstance(size, list) or [whole(side) for side in size] != list(mask.shape):
        raise BrokenShape(f"expected runs of the size {list(mask.shape)}, got {short(size)}")
    lengths = _from_text(counts) if isinstance(counts, str) else counts
    covered = _filled(lengths, mask.size)
    mask.T[covered.reshape(mask.shape[::-1])] = value


def paint_cvat(
    counts: Sequence[int], box: tuple[int, int, int, int], mask: Mask, value: int
) -> None:
    """Paint a CVAT mask: runs along the rows of `box` (left, top, width, height), the first of background.

    Raises:
        BrokenShape: the box leaves the picture, or the runs do not fill it.
    """
    left, top, width, height = box
    rows, columns = mask.shape
    if (
        min(left, top) < 0
        or min(width, height) < 1
        or left + width > columns
        or top + height > rows
    ):
        raise BrokenShape(
            f"expected a mask on the picture of {columns} x {rows} px, got "
            f"{width} x {height} px at ({left}, {top})"
        )
    covered = _filled(counts, width * height).reshape(height, width)
    mask[top : top + height, left : left + width][covered] = value


def paint_label_studio(packed: Any, mask: Mask, value: int) -> None:
    """Paint a brush of Label Studio: the alpha channel of an RGBA picture packed by `@thi.ng/rle-pack`.

    The stream holds, most significant bit first: the number of values (32 bits), their bits less 1 (5), the bits less 1
    of four kinds of lengths (4 each), then blocks: 1 bit (1 for a repeated value, 0 for a list), the kind of
    length (2), the length less 1, and the value or values. Pixels with alpha above 127 are painted.

    Raises:
        BrokenShape: the stream ends early, holds another number of values than the picture, or is no list of bytes.
    """
    alpha = _unpacked(_bytes(packed), mask.size * _CHANNELS)[_CHANNELS - 1 :: _CHANNELS]
    mask[(alpha > _HALF).reshape(mask.shape)] = value


def _filled(lengths: Any, total: int) -> NDArray[np.bool_]:
    """Expand runs of background and region in turn to a flat row of `total` pixels."""
    runs = wholes_of(lengths, "a list of whole run lengths")
    # Every length is checked before the sum, which could overflow.
    if ((runs < 0) | (runs > total)).any() or (filled := int(runs.sum())) != total:
        came = f"{filled}" if ((runs >= 0) & (runs <= total)).all() else "impossible lengths"
        raise BrokenShape(f"expected runs of {total} px together, got {came}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _from_text(text: str) -> list[int]:
    """Read the lengths in a compressed COCO text.

    A character holds 5 bits; the fourth and later lengths are differences to the last but one.
    """
    lengths: list[int] = []
    value, shift = 0, 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 55:
            raise BrokenShape(f"expected a text of COCO run lengths, got {short(text)}")
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            value -= (1 << shift) if code & 16 else 0
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value, shift = 0, 0
    if shift:
        raise BrokenShape("expected a text of COCO run lengths, it ends within one")
    return lengths


def _bytes(packed: Any) -> NDArray[np.uint8]:
    values = wholes_of(packed, "a list of bytes")
    if ((values < 0) | (values > 255)).any():
        raise BrokenShape(f"expected a list of bytes, got {short(packed)}")
    return values.astype(np.uint8)


class _Bits:
    """Whole numbers from a stream of bits, most significant first."""

    def __init__(self, packed: NDArray[np.uint8]) -> None:
        self._bits = np.unpackbits(packed)
        self._at = 0

    def numbers(self, count: int, width: int) -> NDArray[np.int64]:
        """Read the next `count` numbers of `width` bits each."""
        end = self._at + count * width
        if end > len(self._bits):
            raise BrokenShape("expected a whole brush, the stream ends early")
        bits = self._bits[self._at : end].reshape(count, width)
        self._at = end
        return bits @ (1 << np.arange(width - 1, -1, -1, dtype=np.int64))

    def number(self, width: int) -> int:
        """Read the next number of `width` bits."""
        return int(self.numbers(1, width)[0])


def _unpacked(packed: NDArray[np.uint8], total: int) -> NDArray[np.uint8]:
    stream = _Bits(packed)
    stated = stream.number(32)
    if stated != total:
        raise BrokenShape(
            f"expected a brush of {total} values (4 a pixel of the picture), it states {stated}"
        )
    width = stream.number(5) + 1
    lengths = [stream.number(4) + 1 for _ in range(4)]
    if width != 8:
        raise BrokenShape(f"expected values of 8 bits, it states {width}")
    values = np.zeros(total, np.uint8)
    at = 0
    while at < total:
        repeated = stream.number(1)
        end = at + 1 + stream.number(lengths[stream.number(2)])
        if end > total:
            raise BrokenShape(f"expected {total} values, a run goes to {end}")
        values[at:end] = stream.numbers(1 if repeated else end - at, width)
        at = end
    return values
