"""Import tables into the records: those that Flawline wrote, or any table with one row per part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.names import did_you_mean
from flawline.data.number_texts import first_other
from flawline.data.process import DIMENSIONS, PROCESS
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.tables import Table, read_table
from flawline.errors import ManifestError, UsageError
from flawline.records.captures import repeated
from flawline.records.cells import number_of, text_of, time_of
from flawline.records.fields import FIELDS, Field, in_written_order, names_of_kind
from flawline.records.imports_defects import defects_next_to, owner_of, read_defects
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
_PASSED_OVER = ("id", "decision", "inspection", "number", "defect", "split")
_TIMES = ("captured", "judged")
_NUMBERS = (*names_of_kind("number"), "height", "width")
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read: `columns` gives the column of a field, `zone` is that of times without one.

    `constant` are values of fields that are not in the table, such as the station, for every row. `stated` is what is
    known of how it is written.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    constant: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    zone: tzinfo | None = None
    stated: TableFormat = UNSTATED

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
    """Counts of an import: new and known rows, defects, measures; `ordered`: the order of rows stood for times.

    `notes` say in words what was understood of the table, and which columns became no measures.
    """

    added: Added
    defects: int
    measures: tuple[str, ...]
    ordered: bool
    notes: tuple[str, ...] = ()


def import_table(
    store: Store,
    path: Path,
    *,
    defects: Path | None = None,
    how: Reading = Reading(),
    again: bool = False,
) -> Imported:
    """Import a CSV or Parquet table into the records; rows that they have already are passed over.

    Columns named like fields become those fields, sha256 picture and group part; other columns of numbers become
    measures, other texts go into `further`. `captured` and `judged` are ISO 8601, or dates such as 01.03.2026. A table
    without times keeps the order of its rows, from the time when its file was last changed.

    Args:
        store: the records.
        path: one row per part or picture, from `flawline records export`, `inspect`, `measure` or any other program.
        defects: its table of defects; by default the one next to a table of `records export` or `measure`.
        how: the columns of fields, and values that the table lacks.
        again: import as new captures the rows that the records have under another lot or other names.

    Raises:
        SourceError: a table cannot be read.
        ManifestError: a column or value is missing or cannot be used, named with its row; nothing is written.
        StoreError: the records cannot be written; ("record-repeated") they have rows under another lot or other names.
    """
    store.check_writable()
    read = read_table(path, how.stated)
    fields = _fields(read.frame, how, path)
    place = defects or defects_next_to(path)
    owner = owner_of(read.frame, fields)
    own, told = ({}, ()) if place is None else read_defects(place, read.frame, owner, how.stated)
    measures = _measures(read, fields, counted=place is None)
    numbers = [fields[name] for name in _NUMBERS if name in fields]
    read = read.with_numbers([*measures, *numbers])
    read = read.with_times([fields[name] for name in _TIMES if name in fields])
    further = _texts(read.frame, {*fields.values(), *measures, *_PASSED_OVER, "defects"})
    rows = list(_records(read.frame, fields, measures, further, (owner, own), how, path))
    _check_twins(rows, path)
    rows = _new_captures(store, rows, path, again=again)
    added = Added(0, 0)
    for start in range(0, len(rows), _BATCH):
        added += store.add(rows[start : start + _BATCH])
    count = sum(len(record.defects) for record in rows)
    ordered = not fields.keys() & {*_TIMES}
    notes = [*read.notes, *told, *_unmeasured(read.frame, further, {*fields.values(), *measures})]
    if ordered:
        notes.append("the table has no times; its rows keep their order, at the file's time")
    return Imported(added, count, tuple(measures.values()), ordered, tuple(notes))


def _texts(table: pl.DataFrame, known: set[str]) -> list[str]:
    """List the other columns that can be written as texts."""
    return [n for n in table.columns if n not in known and not table[n].dtype.is_nested()]


def _unmeasured(table: pl.DataFrame, further: Sequence[str], known: set[str]) -> Iterator[str]:
    """Say which columns are kept as texts, and which are left out."""
    import polars as pl

    texts = [name for name in further if name != "further"]
    if texts:
        yield f"kept as text, not as measures: {', '.join(texts)}"
    for name in texts:
        if table[name].dtype == pl.String and (other := first_other(table[name])):
            yield f"{name} is no measure: {other} is no number"
    left = [name for name in table.columns if name not in {*known, *further, "defects"}]
    if left:
        yield f"left out: {', '.join(left)}"


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


def _measures(table: Table, fields: Mapping[str, str], counted: bool) -> dict[str, str]:
    """Find the columns of numbers that are no field, and the names of their measures.

    The column `defects` is one only without a table of defects to count.
    """
    taken = {*fields.values(), *_PASSED_OVER, *COLUMNS, *(() if counted else ("defects",))}
    found = {}
    for name in table.frame.columns:
        if name not in taken and (table.is_numeric(name) or table.is_truth(name)):
            # Every inspection has a number called defects.
            found[name] = "NumberOfDefects" if name == "defects" else name
    return found


def _records(
    table: pl.DataFrame,
    fields: Mapping[str, str],
    measures: Mapping[str, str],
    further: Sequence[str],
    owned: tuple[str, Mapping[str, Sequence[DefectRecord]]],
    how: Reading,
    path: Path,
) -> Iterator[Record]:
    began = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    owner, defects = owned
    for number, row in enumerate(table.iter_rows(named=True)):
        if all(cell in (None, "") for cell in row.values()):
            continue
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
        (int(float(values["height"])), int(float(values["width"])))
        if {"height", "width"} <= {*values}
        else None
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
    known = {name: _text(row[name]) for name in names if row[name] not in (None, "")}
    packed = known.pop("further", None)
    if packed is None:
        return known
    unpacked = json.loads(packed)
    if not isinstance(unpacked, dict):
        raise ValueError("the column 'further' holds no JSON object")
    return {**{str(k): str(v) for k, v in unpacked.items()}, **known}


def _text(cell: Any) -> str:
    return cell.isoformat() if isinstance(cell, date | time) else text_of(cell)


def _new_captures(store: Store, rows: list[Record], path: Path, *, again: bool) -> list[Record]:
    """Give rows that the records have under other names a key of their own, or refuse them."""
    known = store.under_other_names(rows)
    if known and not again:
        place, capture = known[0]
        others = f" and {len(known) - 1} more are" if len(known) > 1 else " is"
        raise repeated(f"{path.name}: row {place + 1}{others}", store.name, [capture], rows[place])
    for place, _ in known:
        record = rows[place]
        names = [f"{name} {getattr(record, name)}" for name in PROCESS if getattr(record, name)]
        rows[place] = replace(
            record, frame_key=f"again {' '.join(names)} {capture_key(record).hex()}"
        )
    return rows


def _check_twins(rows: Sequence[Record], path: Path) -> None:
    """Refuse two different rows of one capture key."""
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
