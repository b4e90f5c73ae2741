"""Find the encoding of a text file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WESTERN = "cp1252"
_AT_ONCE = 1 << 20
# Western words have single accented letters, other alphabets whole words of such bytes.
_ACCENTED = re.compile(rb"[\x80-\xff]{3,}")
_GERMAN = "äöüÄÖÜß°µ²³±Ø".encode(WESTERN)


def encoding_of(path: Path) -> str | None:
    """Name the codec of a text: by its mark, UTF-8 where all of it is, else Windows-1252; None where it is neither.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
        if marked or b"\0" in head:
            return marked or _unmarked_utf16(head)
        file.seek(0)
        utf8, western, before = codecs.getincrementaldecoder("utf-8")(), True, b""
        fits = True
        while data := file.read(_AT_ONCE):
            fits = fits and _decodes(utf8, data)
            western = western and _is_western(before + data)
            before = data[-2:]
            if not fits and not western:
                return None
        fits = fits and _decodes(utf8, b"", final=True)
    return "utf-8-sig" if fits else WESTERN if western else None


def _unmarked_utf16(head: bytes) -> str | None:
    """Tell UTF-16 without a mark by the zero bytes of its Latin letters, which are all even or all odd."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head) or min(even, odd):
        return None
    return "utf-16-le" if odd else "utf-16-be"


def _decodes(decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(data, final)
    except UnicodeDecodeError:
        return False
    return True


def _is_western(data: bytes) -> bool:
    if any(word.strip(_GERMAN) for word in _ACCENTED.findall(data)):
        return False
    return not any(byte in data for byte in b"\x81\x8d\x8f\x90\x9d")
