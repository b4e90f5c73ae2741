"""Refuse pictures whose decoders fill missing pixels instead of raising an error."""

from __future__ import annotations

import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from flawline.data.jpeg import decode_jpeg

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_CHUNK = 1 << 20
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column, first row, columns apart, rows apart of the passes of Adam7 (PNG, third edition, section 8.1).
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
_UNCOMPRESSED, _TIFF_JPEG, _YCBCR = 1, 7, 6


def check_stated(name: str, data: bytes, image: ImageFile) -> None:
    """Raise OSError ("truncated") where the header of a file states more pixels than its parts can hold."""
    find = {
        "TIFF": _tiff_lacks,
        "GIF": _gif_lacks,
        "BMP": _bmp_lacks,
        "JPEG2000": _jpeg2000_lacks,
    }.get(name)
    if find is not None and (lacks := find(data, image)):
        raise OSError(f"truncated: {lacks}")


def check_loaded(name: str, data: bytes, image: ImageFile) -> None:
    """Raise OSError where the decoder filled missing pixels of a loaded PNG, or of a TIFF with JPEG inside."""
    if name == "PNG":
        _check_png_rows(data, image)
    elif name == "TIFF":
        _check_jpeg_strips(data, image)


def _check_png_rows(data: bytes, image: ImageFile) -> None:
    """Count the bytes of the rows where the last row is black: Pillow leaves it so where the data end early."""
    width, height = image.size
    interlaced = data[28] == 1
    if not interlaced and any(image.crop((0, height - 1, width, height)).tobytes()):
        return
    bits = data[24] * _PNG_CHANNELS.get(data[25], 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    expected = sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0)
    if _inflated(_png_pixels(data), expected) < expected:
        raise OSError("truncated: rows are missing")


def _png_pixels(data: bytes) -> list[memoryview]:
    """Return the contents of the IDAT chunks."""
    view, at, found = memoryview(data), 8, []
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            found.append(view[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def _inflated(parts: list[memoryview], enough: int) -> int:
    """Count the bytes that zlib streams hold, up to `enough`, a piece at a time."""
    stream, count = zlib.decompressobj(), 0
    for part in parts:
        rest: bytes | memoryview = part
        while len(rest) and not stream.eof and count < enough:
            count += len(stream.decompress(rest, _CHUNK))
            rest = stream.unconsumed_tail
    return count


def _tiff_lacks(data: bytes, image: Any) -> str:
    """Compare the number of strips or tiles with the size, and their bytes where they are not compressed."""
    tags = image.tag_v2
    width, height = int(tags[256]), int(tags[257])
    starts = tags.get(273) or tags.get(324) or ()
    counts = tags.get(279) or tags.get(325) or ()
    tiled = 324 in tags
    columns, rows = (
        (int(tags[322]), int(tags[323])) if tiled else (width, int(tags.get(278, height)))
    )
    rows = min(rows, height) if not tiled else rows
    planes = int(tags.get(277, 1)) if int(tags.get(284, 1)) == 2 else 1
    expected = -(-width // columns) * -(-height // max(rows, 1)) * planes
    if len(starts) < expected:
        return f"{len(starts)} of {expected} strips"
    # Colours at half the resolution take fewer bytes than their pixels.
    if int(tags.get(259, _UNCOMPRESSED)) != _UNCOMPRESSED or tags.get(262) == _YCBCR:
        return ""
    return _short_strips(tags, counts, (columns, rows), height, planes, tiled)


def _short_strips(
    tags: Any, counts: Any, block: tuple[int, int], height: int, planes: int, tiled: bool
) -> str:
    """Compare the stated bytes of uncompressed strips with their pixels; some writers state 0 bytes."""
    samples = tags.get(258, (1,))
    bits = sum(samples) if planes == 1 else max(samples)
    bits *= 1 if len(samples) > 1 or planes > 1 else int(tags.get(277, 1))
    row_bytes = -(-block[0] * bits // 8)
    down = -(-height // block[1])
    for number, count in enumerate(counts):
        last = not tiled and number % down == down - 1
        rows = height - (down - 1) * block[1] if last else block[1]
        if 0 < count < rows * row_bytes:
            return f"strip {number} has {count} of {rows * row_bytes} bytes"
    return ""


def _check_jpeg_strips(data: bytes, image: Any) -> None:
    """Decode strips of JPEG once more, since libtiff does not report their damage."""
    tags = image.tag_v2
    if tags.get(259) == _TIFF_JPEG:
        starts, counts = (tags.get(a) or tags.get(b) or () for a, b in ((273, 324), (279, 325)))
        columns = int(tags.get(322, tags[256]))
        for start, count in zip(starts, counts, strict=False):
            _check_jpeg_strip(tags.get(347, b""), data[start : start + count], columns)


def _check_jpeg_strip(tables: bytes, strip: bytes, columns: int) -> None:
    """Decode a strip with the tables that all strips share (TIFF technical note 2)."""
    import simplejpeg

    whole = tables[:-2] + strip[2:] if tables else strip
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(whole)
    except ValueError as error:
        raise OSError(str(error)) from error
    if width < columns:
        raise OSError(f"truncated: a strip of {width} columns, the header states {columns}")
    kind = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}.get(colours, "RGB")
    decode_jpeg(whole, kind, (width, height))


def _gif_lacks(data: bytes, image: Any) -> str:
    """Compare the first frame with the screen, which Pillow fills with the background."""
    left, top, right, bottom = image.dispose_extent
    width, height = image.size
    if left <= 0 and top <= 0 and right >= width and bottom >= height:
        return ""
    return f"its first frame covers {right - left} x {bottom - top} of {width} x {height} pixels"


def _bmp_lacks(data: bytes, image: ImageFile) -> str:
    """Compare run lengths with the size: two bytes hold 255 pixels at most, and a jump leaves pixels out."""
    width, height = image.size
    if image.info.get("compression") in (1, 2) and width * height > 128 * len(data):
        return f"{len(data)} bytes for {width} x {height} pixels"
    return ""


def _jpeg2000_lacks(data: bytes, image: ImageFile) -> str:
    """Compare the tile parts with the size (ITU-T T.800, annex A)."""
    at = data.find(b"\xff\x4f\xff\x51") + 2
    if at < 2:
        return ""
    sizes = [int.from_bytes(data[at + 6 + 4 * n : at + 10 + 4 * n], "big") for n in range(8)]
    across, down = (
        -(-(sizes[i] - sizes[i + 6]) // sizes[i + 4]) if sizes[i + 4] else 0 for i in (0, 1)
    )
    parts: dict[int, int] = defaultdict(int)
    stated: dict[int, int] = {}
    while data[at : at + 1] == b"\xff" and data[at + 1] not in (0x90, 0xD9):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    while data[at : at + 2] == b"\xff\x90":
        tile, length = int.from_bytes(data[at + 4 : at + 6], "big"), data[at + 6 : at + 10]
        parts[tile] += 1
        stated[tile] = max(stated.get(tile, 0), data[at + 11])
        step = int.from_bytes(length, "big")
        if at + step > len(data):
            return "a tile ends after the file"
        if step == 0:
            break
        at += max(step, 12)
    missing = across * down - len(parts)
    if missing > 0 or any(parts[tile] < stated[tile] for tile in parts):
        return f"{len(parts)} of {across * down} tiles"
    return ""
