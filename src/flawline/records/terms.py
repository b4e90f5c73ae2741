"""Texts that repeat from row to row, each stored once under a number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select, tuple_

from flawline.records.tables import term
from flawline.records.upsert import insert_new

SHAPE, DEFECT_SHAPE = "measures", "defect measures"
"""Kinds of terms that list the names of measures."""
LABEL = "label"
"""The kind of terms that name classes of defects."""
_REMEMBERED = 100_000
_AT_ONCE = 5000
Pair = tuple[str, str]


class Terms:
    """Numbers of terms (kind, text) and texts of numbers, cached between transactions; safe from several threads."""

    def __init__(self) -> None:
        self._numbers: dict[Pair, int] = {}
        self._texts: dict[int, str] = {}

    def numbers(self, connection: Connection, pairs: Iterable[Pair]) -> Mapping[Pair, int]:
        """Return the numbers of terms, adding new terms; for a transaction that writes."""
        asked = set(pairs)
        remembered = self._numbers
        known = {pair: remembered[pair] for pair in asked if pair in remembered}
        # The same order in every process avoids deadlocks.
        missing = sorted(asked - known.keys())
        if missing:
            rows = [{"kind": k, "digest": _digest(t), "text": t} for k, t in missing]
            connection.execute(insert_new(connection, term), rows)
            known |= _found(connection, missing)
        return known

    def find(self, connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, int]:
        """Return the numbers of those terms that have one."""
        return _found(connection, sorted(set(pairs)))

    def remember(self, numbers: Mapping[Pair, int]) -> None:
        """Cache numbers after their transaction; before, it could still be rolled back."""
        if len(self._numbers) > _REMEMBERED:
            self._numbers = {}
        self._numbers.update(numbers)

    def texts(self, connection: Connection, numbers: Iterable[int | None]) -> Mapping[int, str]:
        """Return the texts of numbers."""
        if len(self._texts) > _REMEMBERED:
            self._texts = {}
        asked = {number for number in numbers if number is not None}
        remembered = self._texts
        found = {number: remembered[number] for number in asked if number in remembered}
        missing = sorted(asked - found.keys())
        for start in range(0, len(missing), _AT_ONCE):
            few = missing[start : start + _AT_ONCE]
            rows = connection.execute(select(term.c.id, term.c.text).where(term.c.id.in_(few)))
            found.update((row.id, row.text) for row in rows)
        remembered.update(found)
        return found


def of_kind(connection: Connection, kind: str) -> dict[int, str]:
    """List every term of a kind by its number."""
    rows = connection.execute(select(term.c.id, term.c.text).where(term.c.kind == kind))
    return {row.id: row.text for row in rows}


def _found(connection: Connection, pairs: list[Pair]) -> dict[Pair, int]:
    found: dict[Pair, int] = {}
    for start in range(0, len(pairs), _AT_ONCE):
        keys = [(kind, _digest(text)) for kind, text in pairs[start : start + _AT_ONCE]]
        chosen = tuple_(term.c.kind, term.c.digest).in_(keys)
        for row in connection.execute(select(term).where(chosen)):
            found[row.kind, row.text] = row.id
    return found


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()[:16]
