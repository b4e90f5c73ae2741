"""Recognise a file by its first bytes; its extension plays no part."""

from __future__ import annotations

HEAD_BYTES = 512

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")
_FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document of before 2007, such as .xls"),
    (b"PK\3\4", "a zip archive or office document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"SQLite format 3", "a database"),
)
# The first member of such an archive is its kind, not packed.
_OPEN_SHEET = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_OTHER_PICTURES = (
    (b"8BPS", "a Photoshop document"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DDS texture"),
    (b"\0\0\1\0", "an icon"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\x0a\x05\x01", "a PCX picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
)


def picture_format(head: bytes) -> str | None:
    """Name the picture format that starts with `head`; None where it is none that Flawline decodes."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(_TIFF):
        return "TIFF"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(_JPEG2000):
        return "JPEG2000"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "AVIF"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "BMP"
    if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"123456Ff" and head[2:3].isspace():
        return "PPM"
    return None


def other_picture(head: bytes) -> str | None:
    """Name the kind of picture that starts with `head` where Flawline does not decode it."""
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return "a HEIC picture"
    if head[128:132] == b"DICM":
        return "a DICOM picture"
    return next((text for magic, text in _OTHER_PICTURES if head.startswith(magic)), None)


def describe(head: bytes) -> str:
    """Describe a file that is no picture by its first bytes, for an error message."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if text.startswith((b"<?xml", b"<svg")):
        return "an XML or SVG document"
    if head[4:8] == b"ftyp":
        return "a video"
    if not head.strip(b"\0"):
        return "zero bytes only, as an interrupted copy leaves them"
    if head.startswith(b"PK\3\4") and head[30:].startswith(_OPEN_SHEET):
        return "an OpenDocument spreadsheet (.ods)"
    foreign = next((words for magic, words in _FOREIGN if head.startswith(magic)), None)
    if foreign:
        return foreign
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in head):
        return "plain text"
    return f"unknown bytes {head[:8].hex(' ')}"


def cut_short(name: str, data: bytes) -> bool:
    """Whether a file of the format `name` lacks its end."""
    if name in ("JPEG", "JPEG2000"):
        return data.rfind(b"\xff\xd9") < 0
    if name == "PNG":
        return data.rfind(b"IEND") < 0
    if name == "GIF":
        return not data.rstrip(b"\0").endswith(b";")
    if name == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if name == "BMP":
        return int.from_bytes(data[2:6], "little") > len(data)
    if name == "TIFF":
        order = "little" if data[:1] == b"I" else "big"
        return int.from_bytes(data[4:8], order) >= len(data)  # type: ignore[arg-type]
    return False
