"""Read whole inspections, a page at a time."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, func, select, tuple_

from flawline.data.times import from_micros
from flawline.errors import StoreError, UsageError
from flawline.records.fields import FIELDS, TERMS, Field
from flawline.records.packing import unpack
from flawline.records.record import Decision, DefectRecord, Record, StoredRecord
from flawline.records.tables import decision, defect, inspection
from flawline.records.terms import Terms
from flawline.records.where import Where, condition
from flawline.types import EMPTY

# What the cells of a row give that Flawline did not write.
_DAMAGES = (ValueError, TypeError, KeyError, OverflowError, RecursionError, struct.error)
_BOX = ("left", "top", "width", "height")


@dataclass(frozen=True, slots=True)
class Page:
    """Some inspections; `next` is the place where the next page begins, None at the end."""

    items: tuple[StoredRecord, ...]
    next: str | None


def read_page(
    connection: Connection, terms: Terms, where: Where, after: str | None, count: int, newest: bool
) -> Page:
    """Read up to `count` inspections in the order of time, after the place `after`."""
    if count < 1:
        raise UsageError(f"a page has at least 1 inspection, got {count}")
    place = tuple_(inspection.c.captured, inspection.c.key)
    query = select(inspection).where(condition(connection, terms, where))
    if after is not None:
        bound = tuple_(*_place_of(after))
        query = query.where(place < bound if newest else place > bound)
    order = (inspection.c.captured, inspection.c.key)
    query = query.order_by(*(column.desc() if newest else column for column in order))
    rows = connection.execute(query.limit(count + 1)).all()
    following = _place_text(rows[count - 1]) if len(rows) > count else None
    return Page(tuple(whole(connection, terms, rows[:count])), following)


def read_one(connection: Connection, terms: Terms, number: int) -> StoredRecord | None:
    """Read the inspection of a number; None where there is none."""
    rows = connection.execute(select(inspection).where(inspection.c.id == number)).all()
    return next(iter(whole(connection, terms, rows)), None)


def hold(connection: Connection, number: int) -> bool:
    """Keep an inspection from being removed until the transaction ends; False where there is none of this number."""
    query = select(inspection.c.id).where(inspection.c.id == number)
    held = query.with_for_update(read=True, key_share=True)
    return connection.execute(held).first() is not None


def count_rows(connection: Connection, terms: Terms, where: Where) -> int:
    """Count the inspections that `where` chooses."""
    query = select(func.count()).select_from(inspection)
    return connection.execute(query.where(condition(connection, terms, where))).scalar_one()


def count_upto(connection: Connection, terms: Terms, where: Where, most: int) -> int:
    """Count the inspections that `where` chooses, `most` at most."""
    met = condition(connection, terms, where)
    # The newest first: what is still to be done is among them.
    order = inspection.c.captured.desc(), inspection.c.key.desc()
    some = select(inspection.c.id).where(met).order_by(*order).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def nth_newest(connection: Connection, terms: Terms, where: Where, number: int) -> datetime | None:
    """Return the time of the `number`-th newest inspection that `where` chooses; None where there are fewer."""
    query = select(inspection.c.captured).where(condition(connection, terms, where))
    order = inspection.c.captured.desc(), inspection.c.key.desc()
    found = connection.execute(query.order_by(*order).offset(number - 1).limit(1)).scalar()
    return None if found is None else from_micros(found)


def whole(connection: Connection, terms: Terms, rows: Sequence[Row[Any]]) -> Iterator[StoredRecord]:
    """Build the inspections of rows of `inspection`, with their defects and decisions."""
    ids = [row.id for row in rows]
    defects = _by_inspection(connection, defect, ids, defect.c.number)
    decided = _by_inspection(connection, decision, ids, decision.c.id)
    numbers = {getattr(row, name) for row in rows for name in (*TERMS, "shape")}
    numbers |= {n for own in defects.values() for row in own for n in (row.label, row.shape)}
    texts = terms.texts(connection, numbers)
    for row in rows:
        try:
            yield StoredRecord(
                row.id,
                _record(row, texts, defects.get(row.id, ())),
                tuple(
                    Decision(own.verdict, own.who, own.why, from_micros(own.decided))
                    for own in decided.get(row.id, ())
                ),
            )
        except _DAMAGES as error:
            raise StoreError(
                f"inspection {row.id} is damaged in the records: {error}",
                hint="the records were changed by another program; go back to a copy of before",
                code="store-unreadable",
            ) from error


def _by_inspection(
    connection: Connection, table: Any, ids: Sequence[int], order: Any
) -> dict[int, list[Row[Any]]]:
    rows: dict[int, list[Row[Any]]] = {}
    query = select(table).where(table.c.inspection.in_(ids)).order_by(table.c.inspection, order)
    for row in connection.execute(query) if ids else ():
        rows.setdefault(row.inspection, []).append(row)
    return rows


def _record(row: Row[Any], texts: Mapping[int, str], defects: Sequence[Row[Any]]) -> Record:
    return Record(
        judged=from_micros(row.judged),
        reasons=_reasons(row.reasons),
        captured=from_micros(row.captured) if row.captured_known else None,
        size=None if row.height is None else (row.height, row.width),
        measures=_measures(row, texts),
        defects=tuple(_defect(own, texts) for own in defects),
        further=_further(row.further) if row.further else EMPTY,
        **{field.name: _value(field, getattr(row, field.name), texts) for field in FIELDS},
    )


def _reasons(text: str) -> tuple[str, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("its reasons are no list of texts")
    return tuple(found)


def _further(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("its further fields have no names")
    return found


def _defect(row: Row[Any], texts: Mapping[int, str]) -> DefectRecord:
    box = tuple(getattr(row, name) for name in _BOX)
    placed = None if row.left is None else cast(tuple[int, int, int, int], box)
    return DefectRecord(texts[row.label], placed, _measures(row, texts))


def _measures(row: Row[Any], texts: Mapping[int, str]) -> Mapping[str, float]:
    return EMPTY if row.shape is None else unpack(texts[row.shape], row.measures)


def _value(field: Field, cell: Any, texts: Mapping[int, str]) -> Any:
    """Convert the value of a column to that of its field."""
    if cell is None:
        return field.empty
    if field.kind == "term":
        return texts[cell]
    if field.kind == "number" and not isinstance(cell, int | float):
        raise ValueError(f"{field.name} is no number")
    return bytes(cell).hex() if field.kind == "hash" else cell


def _place_text(row: Row[Any]) -> str:
    return f"{row.captured}-{bytes(row.key).hex()}"


def _place_of(text: str) -> tuple[int, bytes]:
    time, _, key = text.rpartition("-")
    try:
        return int(time), bytes.fromhex(key)
    except ValueError:
        raise UsageError(f"expected a place that a page gave, got {text[:60]!r}") from None
