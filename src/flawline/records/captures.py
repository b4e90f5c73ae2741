"""Find inspections that the records have of the same pictures, under other process data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, false, select, tuple_

from flawline.data.process import DIMENSIONS, PROCESS, Process
from flawline.data.times import micros
from flawline.errors import StoreError
from flawline.records.arrived import Arrived
from flawline.records.record import REPEATED, Record, capture_key
from flawline.records.tables import inspection
from flawline.records.terms import Terms

_AT_ONCE = 200
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Capture:
    """An inspection in the records: its number and key, and its process data without empty names.

    The number is 0 while it waits to be written.
    """

    number: int
    key: bytes
    names: Mapping[str, str]

    def differs(self, process: Process) -> list[str]:
        """List in words the names that are given in `process` and are others here: "lot A", "no lot"."""
        found = []
        for name in PROCESS:
            given, own = getattr(process, name), self.names.get(name)
            if given is not None and given != own:
                found.append(f"no {name}" if own is None else f"{name} {own}")
        return found


def captures_of_picture(
    connection: Connection, terms: Terms, picture: str, captured: datetime | None, upto: Arrived
) -> list[Capture]:
    """List the inspections of a picture (SHA-256, hex) of one captured time, or without one, stored by `upto`."""
    rows = inspection.c
    when = (
        rows.captured_known == false()
        if captured is None
        else (rows.captured == micros(captured)) & (rows.captured_known != false())
    )
    return _captures(
        connection, terms, when & (rows.picture == bytes.fromhex(picture)), *upto.has()
    )


def under_other_names(
    connection: Connection, terms: Terms, records: Sequence[Record]
) -> Iterator[tuple[int, Capture]]:
    """Yield the places of those records that are stored already under other process data alone, with one of these.

    A record with a key of its sender is known by that alone.
    """
    for start in range(0, len(records), _AT_ONCE):
        few = [r for r in records[start : start + _AT_ONCE] if r.frame_key is None]
        keys = {capture_key(record): record for record in few}
        timed = [(_time(r), key) for key, r in keys.items() if r.captured is not None]
        untimed = [key for key, r in keys.items() if r.captured is None]
        rows = inspection.c
        conditions = (
            tuple_(rows.captured, rows.key).in_(timed),
            (rows.captured_known == false()) & rows.key.in_(untimed),
        )
        known = {
            capture.key: capture
            for condition in conditions
            for capture in _captures(connection, terms, condition)
        }
        for place, record in enumerate(records[start : start + _AT_ONCE], start):
            capture = known.get(capture_key(record)) if record.frame_key is None else None
            if capture is not None and capture.differs(record):
                yield place, capture


def repeated(what: str, store: str, captures: Sequence[Capture], process: Process) -> StoreError:
    """Make the error for what the records have under other process data."""
    places = dict.fromkeys(", ".join(capture.differs(process)) for capture in captures[:_SHOWN])
    numbers = ", ".join(str(capture.number) for capture in captures[:_SHOWN] if capture.number)
    which = f" (inspection {numbers})" if numbers else ""
    return StoreError(
        f"{what} in {store} already under {' and '.join(places)}{which}; `again` records it again",
        hint="give `again` for a new capture, or leave it out of the source",
        code=REPEATED,
    )


def _time(record: Record) -> int:
    assert record.captured is not None
    return micros(record.captured)


def _captures(
    connection: Connection, terms: Terms, *conditions: ColumnElement[bool]
) -> list[Capture]:
    columns = (inspection.c.id, inspection.c.key, *(inspection.c[name] for name in PROCESS))
    query = select(*columns).where(*conditions).order_by(inspection.c.id)
    rows = connection.execute(query).all()
    texts = terms.texts(connection, {getattr(row, n) for row in rows for n in DIMENSIONS})
    return [Capture(row.id, bytes(row.key), dict(_names(row, texts))) for row in rows]


def _names(row: Row[Any], texts: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    for name in PROCESS:
        value = getattr(row, name)
        if value is not None:
            yield name, texts[value] if name in DIMENSIONS else value
