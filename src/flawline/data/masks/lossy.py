"""Recognise pictures that are stored with losses, whatever the format of their file."""

from __future__ import annotations

from collections.abc import Iterator

from flawline.data.deep import tiff_layout

# TIFF 6.0, page 30, and the registered compressions: those that change values or may do so.
_TIFF_LOSSY = {6: "JPEG", 7: "JPEG", 34892: "JPEG", 34887: "LERC", 34676: "LogLuv", 34677: "LogLuv"}
_TIFF_LOSSY |= {50002: "JPEG XL", 52546: "JPEG XL"}
_TIFF_JPEG2000, _TIFF_WEBP = (33003, 33004, 33005, 34712), 50001
_CODESTREAM, _COD, _COC, _START_OF_TILE = b"\xff\x4f\xff\x51", 0x52, 0x53, 0x90


def lossy(format: str, data: bytes) -> str:
    """Name the lossy compression of a picture of this `format`; empty where it keeps its values.

    JPEG 2000 is lossy with the irreversible wavelet (ISO/IEC 15444-1, table A.20), WebP with a VP8 frame.
    """
    if format == "TIFF":
        return _lossy_tiff(data)
    if format == "JPEG2000":
        return "a lossy JPEG 2000" if _irreversible(data) else ""
    if format == "WEBP":
        return "a lossy WebP" if "VP8 " in _webp_chunks(data, 12) else ""
    return {"JPEG": "a JPEG", "AVIF": "an AVIF"}.get(format, "")


def _lossy_tiff(data: bytes) -> str:
    kind = tiff_layout(data).compression
    if kind in _TIFF_JPEG2000:
        return "a TIFF with lossy JPEG 2000" if _irreversible(data) else ""
    if kind == _TIFF_WEBP:
        return "a TIFF with lossy WebP" if b"WEBPVP8 " in data else ""
    return f"a TIFF with {_TIFF_LOSSY[kind]}" if kind in _TIFF_LOSSY else ""


def _irreversible(data: bytes) -> bool:
    """Whether any component of a JPEG 2000 codestream has the 9-7 wavelet; also where it does not say."""
    start = data.find(_CODESTREAM)
    wavelets = list(_wavelets(data, start + 2)) if start >= 0 else []
    return not wavelets or any(one != 1 for one in wavelets)


def _wavelets(data: bytes, at: int) -> Iterator[int]:
    """Yield the wavelets of the main header, 0 the 9-7 and 1 the 5-3."""
    components = 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _START_OF_TILE:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if marker == 0x51:
            components = int.from_bytes(segment[34:36], "big")
        if marker == _COD:
            yield segment[9]
        if marker == _COC:
            yield segment[(1 if components < 257 else 2) + 5]
        at += 2 + length


def _webp_chunks(data: bytes, at: int) -> set[str]:
    """Collect the chunks of a WebP file, with those inside frames of an animation."""
    found: set[str] = set()
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        found.add(name.decode("latin-1"))
        if name == b"ANMF":
            found |= _webp_chunks(data[at + 8 : at + 8 + length], 16)
        at += 8 + length + length % 2
    return found
