"""Write inspections, each once, in one transaction a batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from flawline.data.times import micros
from flawline.records.fields import FIELDS, TERMS, Field
from flawline.records.packing import pack, shape_of
from flawline.records.record import DefectRecord, Record, capture_key, with_finite_measures
from flawline.records.tables import class_count, defect, inspection
from flawline.records.terms import DEFECT_SHAPE, LABEL, SHAPE, Pair, Terms
from flawline.records.upsert import insert_new

_BOX = ("left", "top", "width", "height")
_MOST = 500


@dataclass(frozen=True, slots=True)
class Added:
    """Counts of a batch: inspections that were new, and those that the store had already."""

    new: int
    known: int

    def __add__(self, other: Added) -> Added:
        return Added(self.new + other.new, self.known + other.known)


def write_records(
    connection: Connection, terms: Terms, records: Sequence[Record]
) -> tuple[Added, Mapping[Pair, int]]:
    """Write a batch inside a transaction; the returned numbers of terms hold once it is committed."""
    by_key: dict[bytes, Record] = {}
    for record in records:
        by_key.setdefault(capture_key(record), with_finite_measures(record))
    # One order in every process: two that write the same inspections do not deadlock.
    keyed = sorted(by_key.items(), key=lambda pair: (_time(pair[1]), pair[0]))
    numbers = terms.numbers(connection, _all_terms(record for _, record in keyed))
    new: dict[bytes, int] = {}
    statement = insert_new(connection, inspection).returning(inspection.c.id, inspection.c.key)
    for start in range(0, len(keyed), _MOST):
        rows = [_row(key, record, numbers) for key, record in keyed[start : start + _MOST]]
        new.update((row.key, row.id) for row in connection.execute(statement, rows))
    for table, rows_of in ((defect, _defect_rows), (class_count, _class_rows)):
        rows = [
            row for key, record in keyed if key in new for row in rows_of(new[key], record, numbers)
        ]
        if rows:
            connection.execute(insert(table), rows)
    return Added(len(new), len(records) - len(new)), numbers


def _time(record: Record) -> int:
    return micros(record.captured or record.judged)


def _all_terms(records: Iterable[Record]) -> Iterable[Pair]:
    for record in records:
        for kind in TERMS:
            text = getattr(record, kind)
            if text:
                yield kind, clean(text)
        if record.measures:
            yield SHAPE, clean(shape_of(record.measures))
        for item in record.defects:
            yield LABEL, clean(item.label)
            if item.measures:
                yield DEFECT_SHAPE, clean(shape_of(item.measures))


def _row(key: bytes, record: Record, numbers: Mapping[Pair, int]) -> dict[str, Any]:
    height, width = record.size or (None, None)
    largest, total = areas_of(record)
    return {
        "key": key,
        "captured": _time(record),
        "captured_known": record.captured is not None,
        "judged": micros(record.judged),
        "height": height,
        "width": width,
        "defects": len(record.defects),
        **_packed(SHAPE, record.measures, numbers),
        "reasons": _json(record.reasons),
        "further": _json(dict(record.further)) if record.further else None,
        "largest_area": largest,
        "total_area": total,
        **{field.name: _cell(field, getattr(record, field.name), numbers) for field in FIELDS},
    }


def _defect_rows(
    number: int, record: Record, numbers: Mapping[Pair, int]
) -> Iterable[dict[str, Any]]:
    for place, item in enumerate(record.defects, start=1):
        box = item.box or (None,) * 4
        yield {
            "inspection": number,
            "number": place,
            "label": numbers[LABEL, clean(item.label)],
            **dict(zip(_BOX, box, strict=True)),
            **_packed(DEFECT_SHAPE, item.measures, numbers),
        }


def _packed(
    kind: str, measures: Mapping[str, float], numbers: Mapping[Pair, int]
) -> dict[str, Any]:
    if not measures:
        return {"shape": None, "measures": None}
    shape = shape_of(measures)
    return {"shape": numbers[kind, clean(shape)], "measures": pack(measures, shape)}


def _cell(field: Field, value: Any, numbers: Mapping[Pair, int]) -> Any:
    """Convert the value of a field to that of its column."""
    if value is None or field.kind == "number":
        return value
    if field.kind == "term":
        return numbers[field.name, clean(value)] if value else None
    return bytes.fromhex(value) if field.kind == "hash" else clean(value)


def areas_of(record: Record) -> tuple[float | None, float | None]:
    """Return the largest and the total area: as measured, else of the defects, None where neither was measured."""
    own = [d.measures["area"] for d in record.defects if "area" in d.measures]
    largest = record.measures.get("largest_area", max(own, default=None))
    return largest, record.measures.get("total_area", sum(own) if own else None)


def _class_rows(
    number: int, record: Record, numbers: Mapping[Pair, int]
) -> Iterable[dict[str, Any]]:
    classes: dict[int, list[DefectRecord]] = {}
    for item in record.defects:
        classes.setdefault(numbers[LABEL, clean(item.label)], []).append(item)
    for label, items in classes.items():
        areas = [item.measures["area"] for item in items if "area" in item.measures]
        largest = max(areas, default=None)
        yield {
            "label": label,
            "inspection": number,
            "count": len(items),
            "largest_area": largest,
        }


def _json(value: Any) -> str:
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def clean(text: str) -> str:
    """Escape NUL, which PostgreSQL cannot store, and lone surrogates, which neither database can."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
