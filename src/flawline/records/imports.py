"""Take earlier tables into the records: what Flawline wrote, or any table with one row per part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.names import did_you_mean
from flawline.data.process import DIMENSIONS
from flawline.data.tables import read_table
from flawline.errors import ManifestError, UsageError
from flawline.records.cells import is_numeric, number_of, text_of, time_of
from flawline.records.fields import FIELDS, Field, in_written_order
from flawline.records.imports_defects import beside, owner_of, read_defects
from flawline.records.record import VERDICTS, DefectRecord, Record, capture_key
from flawline.records.write import Added
from flawline.types import EMPTY

if TYPE_CHECKING:
    import polars as pl

    from flawline.records.store import Store

COLUMNS = in_written_order(
    (
        *("image", "part", *DIMENSIONS, "captured", "judged", "verdict", "reasons", "score"),
        *("p_value", "picture", "map", "height", "width", "recipe", "spec"),
    )
)
_SAME = {"sha256": "picture", "group": "part"}
_PASSED_OVER = {"id", "decision", "inspection", "number", "defect", "split"}
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read: `columns` says which column holds a field, `zone` is that of times without one.

    `constant` are fields that are the same for every row and not in the table, such as the station.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    constant: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    zone: tzinfo | None = None

    def __post_init__(self) -> None:
        """Refuse unknown fields.

        Raises:
            UsageError: an unknown field.
        """
        for name in (*self.columns, *self.constant):
            if name not in COLUMNS:
                raise UsageError(
                    f"expected a field of {', '.join(COLUMNS)}, got {name!r}",
                    hint=did_you_mean(name, list(COLUMNS)),
                )


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a table: rows that were new and known, and `ordered` where it has no times but its rows' order."""

    added: Added
    defects: int
    measures: tuple[str, ...]
    ordered: bool


def import_table(
    store: Store,
    path: Path,
    *,
    defects: Path | None = None,
    how: Reading = Reading(),
) -> Imported:
    """Take a CSV or Parquet table into the records; what is there already is passed over.

    Columns of the names of fields are taken as such, sha256 as picture and group as part; other columns of numbers are
    measures, other texts are kept as they are. `captured` and `judged` are ISO 8601. A table without times keeps the
    order of its rows, at the time at which its file was last changed.

    Args:
        store: where to.
        path: one row per part or picture: what `flawline records export`, `inspect` or `measure` wrote, or any other.
        defects: a table of defects that belongs to it; found by itself beside an export or what `measure` wrote.
        how: which column is what.

    Raises:
        SourceError: a table cannot be read.
        ManifestError: a column or value is missing or cannot be used, named with its row; nothing is written then.
        StoreError: the records cannot be written.
    """
    table = read_table(path)
    fields = _fields(table, how, path)
    place = defects or beside(path)
    owner = owner_of(table, fields)
    own = {} if place is None else read_defects(place, table, owner)
    measures = _measures(table, fields, counted=place is None)
    rows = list(_records(table, fields, measures, (owner, own), how, path))
    _check_twins(rows, path)
    added = Added(0, 0)
    for start in range(0, len(rows), _BATCH):
        added += store.add(rows[start : start + _BATCH])
    count = sum(len(record.defects) for record in rows)
    ordered = "captured" not in fields and "judged" not in fields
    return Imported(added, count, tuple(measures.values()), ordered)


def _fields(table: pl.DataFrame, how: Reading, path: Path) -> dict[str, str]:
    """Find the column of each field that the table has."""
    for column in how.columns.values():
        if column not in table.columns:
            raise ManifestError(
                f"{path.name} has no column {column!r}",
                hint=did_you_mean(column, table.columns) or f"It has {', '.join(table.columns)}",
            )
    found = {name: name for name in COLUMNS if name in table.columns}
    for column, name in _SAME.items():
        if column in table.columns:
            found.setdefault(name, column)
    return {**found, **how.columns}


def _measures(table: pl.DataFrame, fields: Mapping[str, str], counted: bool) -> dict[str, str]:
    """Find the columns of numbers that are no field, and the names of their measures.

    A number of defects is one only where there are no rows of defects to count.
    """
    taken = {*fields.values(), *_PASSED_OVER, *COLUMNS, *(() if counted else ("defects",))}
    found = {}
    for name in table.columns:
        if name not in taken and is_numeric(table[name]):
            # Its own name is that of a number which every inspection has.
            found[name] = "NumberOfDefects" if name == "defects" else name
    return found


def _records(
    table: pl.DataFrame,
    fields: Mapping[str, str],
    measures: Mapping[str, str],
    owned: tuple[str, Mapping[str, Sequence[DefectRecord]]],
    how: Reading,
    path: Path,
) -> Iterator[Record]:
    import polars as pl

    began = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    known = {*fields.values(), *measures, *_PASSED_OVER, "defects"}
    further = [n for n in table.columns if n not in known and table[n].dtype == pl.String]
    owner, defects = owned
    for number, row in enumerate(table.iter_rows(named=True)):
        values: dict[str, Any] = {name: row[column] for name, column in fields.items()}
        try:
            yield _record(
                {**how.constant, **{k: v for k, v in values.items() if v not in (None, "")}},
                {measures[n]: number_of(row[n]) for n in measures},
                defects.get(str(row.get(owner)), ()),
                _further(row, further),
                how.zone,
                began + timedelta(microseconds=number),
            )
        except (UsageError, ValueError) as error:
            reason = error.message if isinstance(error, UsageError) else str(error)
            hint = error.hint if isinstance(error, UsageError) else ""
            raise ManifestError(f"{path.name}, row {number + 1}: {reason}", hint=hint) from error


def _record(
    values: Mapping[str, Any],
    measures: Mapping[str, float | None],
    defects: Sequence[DefectRecord],
    further: Mapping[str, str],
    zone: tzinfo | None,
    moment: datetime,
) -> Record:
    captured = time_of(values["captured"], zone) if "captured" in values else None
    judged = time_of(values["judged"], zone) if "judged" in values else captured or moment
    size = (
        (int(values["height"]), int(values["width"])) if {"height", "width"} <= {*values} else None
    )
    verdict = values.get("verdict")
    if verdict is not None and verdict not in VERDICTS:
        raise UsageError(f"expected a verdict of {', '.join(VERDICTS)}, got {verdict!r}")
    reasons = text_of(values.get("reasons", ""))
    own = {field.name: _cell(field, values[field.name]) for field in FIELDS if field.name in values}
    return Record(
        judged=judged,
        reasons=tuple(reasons.split("; ")) if reasons else (),
        captured=captured,
        size=size,
        measures={name: value for name, value in measures.items() if value is not None},
        defects=tuple(defects),
        further=further,
        **{"image": "", "verdict": None, **own},
    )


def _cell(field: Field, value: Any) -> Any:
    """Convert a cell that is not empty to the value of a field."""
    if field.kind == "number":
        return number_of(value)
    return value if field.kind == "hash" else text_of(value)


def _further(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    known = {name: text_of(row[name]) for name in names if row[name] not in (None, "")}
    packed = known.pop("further", None)
    if packed is None:
        return known
    unpacked = json.loads(packed)
    if not isinstance(unpacked, dict):
        raise ValueError("the column 'further' holds no JSON object")
    return {**{str(k): str(v) for k, v in unpacked.items()}, **known}


def _check_twins(rows: Sequence[Record], path: Path) -> None:
    """Refuse two rows that would be kept as one."""
    seen: dict[bytes, int] = {}
    for number, record in enumerate(rows, start=1):
        first = seen.setdefault(capture_key(record), number)
        if record.picture or replace(rows[first - 1], judged=record.judged) == record:
            continue  # a copy of a picture, or of a row
        if first != number:
            raise ManifestError(
                f"{path.name}: rows {first} and {number} are the same inspection by their names and times",
                hint="give a column of captured times or of picture hashes with `column`",
            )
