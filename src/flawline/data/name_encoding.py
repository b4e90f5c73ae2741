"""Find the encoding of names in archives that do not state it.

Our own: detectors of encodings are made for whole texts, and are mostly wrong about a few words.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence

from flawline.errors import UsageError

_SURE = 0.6
_LUCKY = 0.95
# Letters with accents seldom stand side by side, Cyrillic letters seldom beside Latin ones, and Chinese or Japanese
# characters seldom between them.
_ACCENTS, _CYRILLIC = frozenset({"cp437", "cp1252"}), "cp866"
_ASIAN = frozenset({"gbk", "cp932", "big5"})
_UNUSUAL, _BETWEEN_LETTERS, _LETTER_BEHIND = 0.2, 0.75, 0.9

Range = tuple[int, int, float]


def checked_encoding(name: str | None) -> str | None:
    """Return Python's name of an encoding, of those of Windows where they hold more characters.

    Raises:
        UsageError: it is unknown, or does not hold ASCII.
    """
    if name is None:
        return None
    try:
        known = codecs.lookup(name).name
        holds_ascii = b"a/1.png".decode(known) == "a/1.png"
    except (LookupError, ValueError):
        holds_ascii = False
    if not holds_ascii:
        raise UsageError(
            f"expected an encoding of names as `encoding`, got {name!r}",
            hint="Such as shift_jis, gbk, big5, euc_kr, cp437 or cp850.",
        )
    return {"shift_jis": "cp932", "gb2312": "gbk", "euc_kr": "cp949"}.get(known, known)


def find_encoding(names: Sequence[bytes]) -> str | None:
    """Find the encoding in which names of files read most like words; None where none does.

    Considered are UTF-8, GBK, Shift-JIS, Big5, and the code pages 437, 1252 and 866. A character counts for 1 where it
    is one of the common ones of its encoding, for less where it is rare or stands where words have none.
    """
    rest = [name for name in names if not _is_utf8(name)]
    if not rest and _score(names, "utf-8") >= _SURE:
        return "utf-8"
    scores = {encoding: _score(rest or names, encoding) for encoding in _COMMON}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= _SURE else None


def decode_name(name: bytes, encoding: str) -> str:
    """Decode one name; UTF-8 counts before the encoding of the other names where only it gives words.

    Raises:
        UnicodeDecodeError: the name has not that encoding.
    """
    if encoding in _COMMON and _is_utf8(name) and _score([name], encoding) < _LUCKY:
        return name.decode()
    return name.decode(encoding)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _score(names: Sequence[bytes], encoding: str) -> float:
    """Average how common the characters of names are in an encoding; 0 where one of them has no meaning."""
    weights: list[float] = []
    for name in names:
        try:
            text = name.decode(encoding)
        except UnicodeDecodeError:
            return 0.0
        if not text.isprintable():
            return 0.0
        weights += _weights(text, encoding)
    return sum(weights) / max(len(weights), 1)


def _weights(text: str, encoding: str) -> list[float]:
    """Weigh the characters beyond ASCII, less where their neighbours are unusual."""
    found = []
    for place, character in enumerate(text):
        if character.isascii():
            continue
        code = character.encode(encoding)
        weight = _COMMON[encoding](code)
        before, after = text[max(place - 2, 0) : place], text[place + 1 : place + 2]
        if encoding in _ACCENTS:
            weight *= _as_accent(character, before, after)
        elif encoding == _CYRILLIC:
            weight *= 1 - _UNUSUAL * _count_letters(before[-1:] + after)
        elif encoding in _ASIAN and (before[-1:] + after).isascii():
            weight *= _alone(code, before[-1:] + after)
        found.append(weight)
    return found


def _as_accent(character: str, before: str, after: str) -> float:
    """Lower the weight beside other letters with accents, and of a small letter after two capitals."""
    crowd = sum(not other.isascii() for other in before[-1:] + after)
    capitals = character.islower() and len(before) == 2 and before.isascii() and before.isupper()
    return 1 - _UNUSUAL * (crowd + capitals)


def _count_letters(text: str) -> int:
    return sum(character.isascii() and character.isalpha() for character in text)


def _alone(code: bytes, around: str) -> float:
    """Lower the weight of a single character: between Latin letters, of one with a Latin letter as its second byte.

    That may be an accented letter before a plain one. Single half-width kana are rarer still.
    """
    if len(code) == 1:
        return 0.5
    between = _BETWEEN_LETTERS if _count_letters(around) == 2 else 1.0
    return between * (_LETTER_BEHIND if code[1:].isalpha() else 1.0)


def _in_ranges(*ranges: Range) -> Callable[[bytes], float]:
    def weight(code: bytes) -> float:
        number = int.from_bytes(code, "big")
        return next((own for first, last, own in ranges if first <= number <= last), 0.0)

    return weight


def _gbk(code: bytes) -> float:
    # Characters of GB 2312: symbols, those in order of sound (level 1), those in order of strokes (level 2).
    levels = _in_ranges((0xA1A1, 0xA3FE, 0.9), (0xB0A1, 0xD7F9, 1.0), (0xD8A1, 0xF7FE, 0.5))
    return levels(code) if code[-1] >= 0xA1 else 0.0


# By the order in which equal scores count.
_COMMON: dict[str, Callable[[bytes], float]] = {
    # Latin letters with accents (Vietnamese and Romanian ones in pairs), combining accents, Greek, Cyrillic, Hebrew,
    # Arabic, and all of three bytes and more.
    "utf-8": _in_ranges(
        (0xC2A0, 0xC2BF, 0.8),
        (0xC380, 0xC5BF, 1.0),
        *((letter, letter + 1, 1.0) for letter in (0xC6A0, 0xC6AF, 0xC898, 0xC89A)),
        (0xC980, 0xCAAF, 0.2),
        (0xCC80, 0xCDAF, 0.7),
        (0xCE80, 0xD19F, 1.0),
        (0xD790, 0xD9BF, 1.0),
        (0xE0A080, 0xF7FFFFFF, 1.0),
    ),
    "gbk": _gbk,
    # JIS X 0208: symbols, letters and kana, level 1, level 2; half-width kana.
    "cp932": _in_ranges(
        (0x8140, 0x81FC, 0.9),
        (0x824F, 0x8396, 1.0),
        (0x889F, 0x9872, 1.0),
        (0x989F, 0xEAA4, 0.5),
        (0xA1, 0xDF, 0.65),
    ),
    "big5": _in_ranges((0xA140, 0xA3BF, 0.9), (0xA440, 0xC67E, 1.0), (0xC940, 0xF9D5, 0.4)),
    # Letters with accents, and the sharp s.
    "cp437": _in_ranges((0x80, 0x9A, 1.0), (0xA0, 0xA5, 1.0), (0xE1, 0xE1, 1.0), (0xF8, 0xF8, 0.5)),
    "cp1252": _in_ranges(
        (0xC0, 0xCF, 1.0),
        (0xD1, 0xD6, 1.0),
        (0xD8, 0xDD, 1.0),
        (0xDF, 0xEF, 1.0),
        (0xF1, 0xF6, 1.0),
        (0xF8, 0xFD, 1.0),
        (0xB0, 0xB5, 0.5),
    ),
    # Cyrillic letters.
    "cp866": _in_ranges((0x80, 0xAF, 1.0), (0xE0, 0xF1, 1.0)),
}
