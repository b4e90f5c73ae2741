"""Read the header of a plain JPEG; Pillow reads that of any, but would cost a fifth of the decoding speed."""

from __future__ import annotations

from typing import NamedTuple

_SCAN, _FRAMES = 0xDA, (0xC0, 0xC1, 0xC2)
_APP0, _QUANTIZATION, _HUFFMAN, _RESTART, _COMMENT = 0xE0, 0xDB, 0xC4, 0xDD, 0xFE
_MODES = {1: "L", 3: "RGB"}


class JpegHeader(NamedTuple):
    """(width, height) in pixels and the mode, "L" or "RGB"."""

    size: tuple[int, int]
    mode: str


def plain_jpeg(data: bytes) -> JpegHeader | None:
    """Read size and mode of a JPEG of 8 bits in grey or colour; None where anything else stands before its pixels.

    None is no error: EXIF, colour profiles, several pictures in one file, four channels, and unusual or damaged files
    are left to Pillow. Markers and their segments are those of ITU-T T.81, annex B.
    """
    header, at = None, 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _SCAN:
            return header
        length = data[at + 2] << 8 | data[at + 3]
        segment = data[at + 4 : at + 2 + length]
        if len(segment) != length - 2:
            return None
        if marker in _FRAMES and header is None:
            header = _frame(segment)
            if header is None:
                return None
        elif not _harmless(marker, segment):
            return None
        at += 2 + length
    return None


def _frame(segment: bytes) -> JpegHeader | None:
    """Read precision, height, width and the number of components, each of which has three bytes (B.2.2)."""
    if len(segment) < 6 or segment[0] != 8 or len(segment) != 6 + 3 * segment[5]:
        return None
    height, width = segment[1] << 8 | segment[2], segment[3] << 8 | segment[4]
    mode = _MODES.get(segment[5])
    return JpegHeader((width, height), mode) if mode and width and height else None


def _harmless(marker: int, segment: bytes) -> bool:
    """Whether a segment is whole and does not change how pixels are shown."""
    if marker == _APP0:
        return segment.startswith(b"JFIF\0")
    if marker == _QUANTIZATION:
        return len(segment) % 65 == 0 and all(table < 16 for table in segment[::65])
    return marker in (_HUFFMAN, _RESTART, _COMMENT)
