"""Store what people note on charts of records: causes, points set aside, stages, frozen limits.

Rows are added and never changed; taking one back adds a row too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, Row, insert, select

from flawline.data.json_file import parse_json
from flawline.data.times import from_micros, micros
from flawline.errors import StoreError, UsageError
from flawline.records.engine import reading, writing
from flawline.records.read import hold
from flawline.records.tables import chart_entry
from flawline.records.terms import Terms
from flawline.records.write import clean

EntryKind = Literal["note", "set aside", "limits", "stage"]
KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
_SERIES = "series"
_UNDO = "undo"
_OF_POINTS = ("note", "set aside", "stage")


@dataclass(frozen=True, slots=True)
class Taken:
    """Who took an entry back, and when."""

    who: str
    when: datetime


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """What a person entered about a series.

    `inspection` is the number of the first inspection of the point that it is about; None for limits. `text` is the
    cause of a note, the reason of a point set aside or of frozen limits, the name of the stage that begins at the
    point. `limits` is the document of frozen limits. `undone` says who took it back.
    """

    id: int
    series: str
    kind: EntryKind
    inspection: int | None
    text: str
    who: str
    when: datetime
    limits: Mapping[str, Any] | None = None
    undone: Taken | None = None


class ChartBook:
    """The entries about charts in a store: `Store.charts`."""

    def __init__(self, engine: Engine, terms: Terms) -> None:
        self._engine, self._terms = engine, terms

    def add(
        self,
        series: str,
        kind: EntryKind,
        text: str,
        *,
        who: str,
        when: datetime,
        inspection: int | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> ChartEntry:
        """Add an entry.

        Raises:
            UsageError: an unknown kind, no text, nobody's name, a time without a zone, or what does not go with the
                kind: all but limits are about an inspection.
            StoreError: ("store-unknown") there is no such inspection.
        """
        _check(kind, text, who, inspection, limits)
        row = {
            "kind": kind,
            "inspection": inspection,
            "text": clean(text.strip()),
            "limits": None if limits is None else json.dumps(limits),
            "who": clean(who),
            "entered": micros(when),
        }
        with writing(self._engine) as connection:
            if inspection is not None:
                _check_inspection(connection, inspection)
            numbers = self._terms.numbers(connection, [(_SERIES, clean(series))])
            row["series"] = numbers[_SERIES, clean(series)]
            number = connection.execute(
                insert(chart_entry).returning(chart_entry.c.id), row
            ).scalar_one()
        self._terms.remember(numbers)
        return self.get(int(number))

    def undo(self, number: int, *, who: str, when: datetime) -> ChartEntry:
        """Take an entry back; it stays with who did so. One that was taken back already stays as it is.

        Raises:
            UsageError: nobody's name, or a time without a zone.
            StoreError: ("store-unknown") there is no such entry.
        """
        if not who.strip():
            raise UsageError("taking an entry back needs the name of who does so")
        with writing(self._engine) as connection:
            row = connection.execute(select(chart_entry).where(chart_entry.c.id == number)).first()
            if row is None or row.kind == _UNDO:
                raise _unknown(number)
            done = select(chart_entry.c.id).where(chart_entry.c.undoes == number)
            if connection.execute(done).first() is None:
                own = {"series": row.series, "kind": _UNDO, "text": "", "undoes": number}
                connection.execute(
                    insert(chart_entry), {**own, "who": clean(who), "entered": micros(when)}
                )
        return self.get(number)

    def get(self, number: int) -> ChartEntry:
        """Return one entry.

        Raises:
            StoreError: ("store-unknown") there is none of this number.
        """
        with reading(self._engine) as connection:
            found = self._whole(connection, chart_entry.c.id == number)
        if not found:
            raise _unknown(number)
        return found[0]

    def of(self, series: str, *, undone: bool = False) -> tuple[ChartEntry, ...]:
        """List the entries about a series, the oldest first; with `undone` those that were taken back too."""
        pair = _SERIES, clean(series)
        with reading(self._engine) as connection:
            number = self._terms.find(connection, [pair]).get(pair)
            if number is None:
                return ()
            found = self._whole(connection, chart_entry.c.series == number)
        return found if undone else tuple(one for one in found if one.undone is None)

    def last(self) -> int:
        """Return the number of the last row, 0 where there is none: a chart that was drawn before it is current."""
        query = select(chart_entry.c.id).order_by(chart_entry.c.id.desc()).limit(1)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar() or 0)

    def causes(self) -> Counter[str]:
        """Count the causes of notes and of points set aside of all series, without what was taken back."""
        with reading(self._engine) as connection:
            found = self._whole(connection, chart_entry.c.kind.in_(("note", "set aside")))
        return Counter(one.text for one in found if one.undone is None)

    def _whole(self, connection: Connection, met: Any) -> tuple[ChartEntry, ...]:
        rows = connection.execute(
            select(chart_entry).where(met, chart_entry.c.kind != _UNDO).order_by(chart_entry.c.id)
        ).all()
        texts = self._terms.texts(connection, {row.series for row in rows})
        undone = _undone(connection, [row.id for row in rows])
        return tuple(_entry(row, texts[row.series], undone.get(row.id)) for row in rows)


def _check(
    kind: str, text: str, who: str, about: int | None, limits: Mapping[str, Any] | None
) -> None:
    if kind not in KINDS:
        raise UsageError(f"expected an entry of {', '.join(KINDS)}, got {kind!r}")
    if not who.strip() or not text.strip():
        raise UsageError(
            "an entry on a chart needs the name of who makes it, and a cause, reason or name"
        )
    if (about is not None) != (kind in _OF_POINTS) or (limits is not None) != (kind == "limits"):
        raise UsageError(
            f"an entry of {', '.join(_OF_POINTS)} is about an inspection, and one of limits has limits; got {kind}"
        )


def _check_inspection(connection: Connection, number: int) -> None:
    if not hold(connection, number):
        raise StoreError(
            f"there is no inspection {number}",
            hint="`flawline records list` shows their numbers",
            code="store-unknown",
        )


def _undone(connection: Connection, numbers: Sequence[int]) -> dict[int, Taken]:
    if not numbers:
        return {}
    query = select(chart_entry).where(chart_entry.c.undoes.in_(numbers))
    return {
        row.undoes: Taken(row.who, from_micros(row.entered)) for row in connection.execute(query)
    }


def _entry(row: Row[Any], series: str, undone: Taken | None) -> ChartEntry:
    return ChartEntry(
        row.id,
        series,
        row.kind,
        row.inspection,
        row.text,
        row.who,
        from_micros(row.entered),
        None if row.limits is None else parse_json(row.limits),
        undone,
    )


def entry_as_dict(entry: ChartEntry) -> dict[str, Any]:
    """Convert an entry to what JSON can hold."""
    undone = entry.undone
    return {
        "id": entry.id,
        "series": entry.series,
        "kind": entry.kind,
        "inspection": entry.inspection,
        "text": entry.text,
        "who": entry.who,
        "when": entry.when.isoformat(),
        "limits": None if entry.limits is None else dict(entry.limits),
        "undone": None if undone is None else {"who": undone.who, "when": undone.when.isoformat()},
    }


def _unknown(number: int) -> StoreError:
    return StoreError(f"there is no entry {number} on a chart", code="store-unknown")
