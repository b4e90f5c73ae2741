"""Read words that stand for a count of 0 or 1: true and false, OK and NOK."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flawline.data.labels import label_meaning

_TRUE = frozenset(("true", "yes", "y", "wahr", "ja", "vrai", "oui"))
_FALSE = frozenset(("false", "no", "n", "falsch", "nein", "faux", "non"))
_MOST = 6


def counted(cells: Sequence[Any], column: str) -> tuple[list[Any], tuple[str, ...]]:
    """Write 1 for each word that means true or a bad part, 0 for false or a good part; other cells stay.

    Returns the cells, and a note that says which words became what. A column stays as it is where it has numbers too,
    or words of both kinds.
    """
    words = sorted({cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()})
    truths, parts = _known(words, _truth), _known(words, label_meaning)
    if bool(truths) == bool(parts) or any(map(_is_number, words)):
        return list(cells), ()
    values = truths or parts
    told = ", ".join(f"{word!r} counts as {value}" for word, value in list(values.items())[:_MOST])
    return [_value(cell, values) for cell in cells], (f"in {column}, {told}",)


def _known(words: Sequence[str], meaning: Callable[[str], bool | None]) -> dict[str, int]:
    meanings = {word: meaning(word) for word in words}
    return {word: int(value) for word, value in meanings.items() if value is not None}


def _value(cell: Any, values: Mapping[str, int]) -> Any:
    return values.get(cell.strip(), cell) if isinstance(cell, str) else cell


def _truth(word: str) -> bool | None:
    folded = word.casefold()
    return True if folded in _TRUE else False if folded in _FALSE else None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
