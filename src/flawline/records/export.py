"""Export records as tables: inspections, defects and decisions, as CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.csv_file import csv_pieces, write_csv_rows
from flawline.data.part_files import part_folder, part_name
from flawline.data.process import DIMENSIONS
from flawline.data.whole_file import replacing
from flawline.errors import UsageError
from flawline.records.fields import FIELDS, TERMS, in_written_order, names_of_kind
from flawline.records.record import StoredRecord
from flawline.records.where import EVERYTHING, Where

if TYPE_CHECKING:
    from flawline.records.store import Store

FORMATS = ("csv", "parquet")
TABLES = ("inspections", "defects", "decisions")
INSPECTIONS = in_written_order(
    (
        *("id", "image", "part", *DIMENSIONS, "captured", "judged", "verdict", "decision"),
        *("score", "p_value", "defects", "reasons", "picture", "map", "height", "width"),
        *("recipe", "spec", "further"),
    )
)
DEFECTS = (
    *("inspection", "image", "part", "captured", "number", "class"),
    *("left", "top", "width", "height"),
)
DECISIONS = ("inspection", "image", "part", "machine", "verdict", "who", "why", "decided")
_INTEGERS = {"id", "inspection", "number", "defects", "left", "top", "width", "height"}
_NUMBERS = set(names_of_kind("number"))
_AT_ONCE = 5000
Row = list[Any]


def export_tables(
    store: Store, folder: Path, where: Where = EVERYTHING, *, form: str = "parquet"
) -> list[Path]:
    """Write inspections, defects and decisions, oldest first, in bounded memory; returns the three paths.

    Times are ISO 8601 in UTC, hashes hex, reasons joined by "; " in CSV, measures one column each: empty where a row
    lacks it, and named measure_NAME where a column has that name already.

    Raises:
        UsageError: `form` is neither csv nor parquet.
        OSError: the folder cannot be written to.
    """
    _check_form(form)
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder / f"{name}.{form}", *_rows(store, name, where), form) for name in TABLES]


def export_table(
    store: Store, name: str, path: Path, where: Where = EVERYTHING, *, form: str = "parquet"
) -> Path:
    """Write one of `TABLES` to a path, as `export_tables` does; errors as there, and UsageError for another table."""
    _check_form(form)
    return _write(path, *_rows(store, name, where), form)


def stream_csv(store: Store, name: str, where: Where = EVERYTHING) -> Iterator[str]:
    """Give one of `TABLES` as CSV, piece by piece, in bounded memory; raises UsageError for another table."""
    header, rows = _rows(store, name, where)
    return csv_pieces(header, rows)


def _check_form(form: str) -> None:
    if form not in FORMATS:
        raise UsageError(f"expected the format csv or parquet, got {form!r}")


def _write(path: Path, header: Sequence[str], rows: Iterable[Row], form: str) -> Path:
    return (write_csv_rows if form == "csv" else _write_parquet)(path, header, rows)


def _rows(store: Store, name: str, where: Where) -> tuple[Sequence[str], Iterator[Row]]:
    """Return the header of a table and its rows, the oldest first."""
    if name not in TABLES:
        raise UsageError(f"expected a table of {', '.join(TABLES)}, got {name!r}")
    if name == "decisions":
        return DECISIONS, (row for kept in _all(store, where) for row in _decisions(kept))
    if name == "defects":
        own = store.measures("defect")
        of_defects = (row for kept in _all(store, where) for row in _defects(kept, own))
        return _header(DEFECTS, own), of_defects
    own = store.measures()
    return _header(INSPECTIONS, own), (_inspection(kept, own) for kept in _all(store, where))


def _all(store: Store, where: Where) -> Iterator[StoredRecord]:
    after: str | None = None
    while True:
        page = store.page(where, after=after, count=_AT_ONCE, newest=False)
        yield from page.items
        after = page.next
        if after is None:
            return


def _header(fixed: Sequence[str], measures: Sequence[str]) -> list[str]:
    names = list(fixed)
    for measure in measures:
        name = measure
        while name in names or (name != measure and name in measures):
            name = f"measure_{name}"
        names.append(name)
    return names


def _inspection(stored: StoredRecord, measures: Sequence[str]) -> Row:
    record = stored.record
    height, width = record.size or (None, None)
    decided = stored.decisions[-1].verdict if stored.decisions else None
    own = {field.name: getattr(record, field.name) for field in FIELDS}
    cells = {
        **{name: None if value == "" and name in TERMS else value for name, value in own.items()},
        "id": stored.id,
        "captured": None if record.captured is None else record.captured.isoformat(),
        "judged": record.judged.isoformat(),
        "decision": decided,
        "defects": len(record.defects),
        "reasons": "; ".join(record.reasons) or None,
        "height": height,
        "width": width,
        "further": json.dumps(dict(record.further), ensure_ascii=False) if record.further else None,
    }
    return [*(cells[name] for name in INSPECTIONS), *_cells(record.measures, measures)]


def _defects(stored: StoredRecord, measures: Sequence[str]) -> Iterator[Row]:
    record = stored.record
    captured = None if record.captured is None else record.captured.isoformat()
    for number, defect in enumerate(record.defects, start=1):
        box = defect.box or (None,) * 4
        named = [stored.id, record.image, record.part, captured, number, defect.label]
        yield [*named, *box, *_cells(defect.measures, measures)]


def _decisions(stored: StoredRecord) -> Iterator[Row]:
    record = stored.record
    for item in stored.decisions:
        made = [item.verdict, item.who, item.why, item.when.isoformat()]
        yield [stored.id, record.image, record.part, record.verdict, *made]


def _cells(measures: Mapping[str, float], names: Sequence[str]) -> Row:
    return [measures.get(name) for name in names]


def _write_parquet(path: Path, header: Sequence[str], rows: Iterable[Row]) -> Path:
    """Write rows of unknown number in pieces, which polars joins in bounded memory."""
    import polars as pl

    fixed = {*INSPECTIONS, *DEFECTS, *DECISIONS}
    text = fixed - _INTEGERS - _NUMBERS
    types: dict[str, Any] = dict.fromkeys(header, pl.Float64)
    types.update({name: pl.Int64 for name in header if name in _INTEGERS})
    types.update({name: pl.String for name in header if name in text})
    rows = iter(rows)
    with part_folder(path.with_name(part_name(path.stem))) as folder:
        pieces: list[Path] = []
        while (some := list(islice(rows, 20 * _AT_ONCE))) or not pieces:
            pieces.append(folder / f"{len(pieces)}.parquet")
            pl.DataFrame(some, schema=types, orient="row").write_parquet(pieces[-1])
        with replacing(path) as part:
            pl.scan_parquet(pieces).sink_parquet(part, compression="zstd")
    return path
