"""Check that the scans of a JPEG hold the whole picture, before it is decoded (ITU-T T.81, annexes B and G).

A decoder accepts a progressive file that ends between two scans: the picture is coarser, without a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Not a stuffed zero, a restart marker (RST0 to RST7) or a fill byte.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_END, _SCAN, _WITHOUT_LENGTH = 0xD9, 0xDA, (0x01, 0xD8)
# Baseline, extended and progressive with Huffman codes; extended and progressive with arithmetic coding (table B.1).
_HUFFMAN, _PROGRESSIVE = (0xC0, 0xC1, 0xC2), (0xC2, 0xCA)
_FRAMES = (*_HUFFMAN, 0xC9, 0xCA)
# Each scan passes over all blocks, so that thousands of empty ones would take minutes. Encoders write about ten.
_MOST_SCANS = 1000


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """The frame header: `size` (width, height) and (identifier, horizontal, vertical sampling) of each component."""

    marker: int
    size: tuple[int, int]
    components: tuple[tuple[int, int, int], ...]

    def samples(self) -> int:
        """Count the samples of all components, in whole blocks of 8 x 8."""
        width, height = self.size
        most = [max(c[i] for c in self.components) for i in (1, 2)]
        return sum(
            64 * -(-width * h // (8 * most[0])) * -(-height * v // (8 * most[1]))
            for _, h, v in self.components
        )


def check_scans(data: bytes) -> int:
    """Count the bytes that a decoder needs for coefficients beside the pixels: 0 where one scan holds all.

    Raises:
        OSError: the file ends before its pixels do ("truncated"), or has more scans than any encoder writes.
    """
    frame: JpegFrame | None = None
    lacking: dict[int, NDArray[np.int8]] = {}
    scans = 0
    for marker, segment in _segments(data):
        if marker in _FRAMES and frame is None:
            frame = _frame(marker, segment)
            lacking = {name: np.full(64, 14, np.int8) for name, _, _ in frame.components}
            # A Huffman code has at least one bit, and each block needs one.
            if marker in _HUFFMAN and frame.samples() // 64 > 8 * len(data):
                raise OSError("truncated: too few bytes for its size")
        elif marker == _SCAN and frame is not None:
            scans += 1
            if scans > _MOST_SCANS:
                raise OSError(f"expected at most {_MOST_SCANS} scans, it has more")
            _take(segment, frame.marker, lacking)
    if frame is None:
        return 0
    if any(bits.any() for bits in lacking.values()):
        raise OSError("truncated: scans are missing")
    return 2 * frame.samples() if scans > 1 or frame.marker in _PROGRESSIVE else 0


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the markers of the first picture with their segments; what lies between them is passed over."""
    at = 2
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = data[found.end() - 1], found.end()
        if marker == _END:
            return
        if marker not in _WITHOUT_LENGTH:
            length = int.from_bytes(data[at : at + 2], "big")
            yield marker, data[at + 2 : at + length]
            at += max(length, 2)


def _frame(marker: int, segment: bytes) -> JpegFrame:
    """Read a frame header (B.2.2)."""
    parts = [segment[at : at + 3] for at in range(6, len(segment) - 2, 3)]
    components = tuple((part[0], part[1] >> 4, part[1] & 15) for part in parts)
    if not components or any(h < 1 or v < 1 for _, h, v in components):
        raise OSError("its frame header states no components")
    height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    return JpegFrame(marker, (width, height), components)


def _take(segment: bytes, frame: int, lacking: dict[int, NDArray[np.int8]]) -> None:
    """Note the bits that a scan brings: of its components, the coefficients Ss to Se down to bit Al (B.2.3)."""
    count = segment[0] if segment else 0
    first, last, bits = (segment[1 + 2 * count :] + bytes(3))[:3]
    if frame not in _PROGRESSIVE:
        first, last, bits = 0, 63, 0
    for name in segment[1 : 1 + 2 * count : 2]:
        if name in lacking:
            lacking[name][first : last + 1] = bits & 15
