"""Read the columns that a chart or a study needs, from a table or from records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.api.records import StoreLike, opened_records, where_of
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.errors import UsageError
from flawline.jobs.chart.series_table import read_columns

if TYPE_CHECKING:
    import os

    from flawline.records.series import Level
    from flawline.records.where import Where


def columns_from(
    table: str | os.PathLike[str] | None,
    store: StoreLike | None,
    measure: str,
    beside: Sequence[str],
    numbers: Sequence[str],
    where: Where | None = None,
    stated: TableFormat = UNSTATED,
    *,
    counts: str | None = None,
    level: Level = "inspection",
) -> tuple[Mapping[str, Sequence[Any]], tuple[str, ...]]:
    """Read a measure and the columns `beside` it, in time order, with notes of what was understood.

    Args:
        table: CSV, Parquet or spreadsheet; or give `store`.
        store: open records, or their URL; rows without the measure are left out.
        measure: the column that makes a row.
        beside: further columns.
        numbers: those that hold numbers.
        where: which records.
        stated: how the table is written.
        counts: a column of counts, as for `read_columns`.
        level: whether a row of records is an inspection or a defect.

    Raises:
        UsageError: neither a table nor a store, or both; or `where` with a table.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read or have no such measure.
    """
    if (table is None) == (store is None):
        raise UsageError("expected either a table or a store", hint="give one of them")
    wanted = [measure, *(name for name in beside if name != measure)]
    if table is not None:
        if where is not None:
            raise UsageError(
                "`where`, `since` and `until` choose records, and a table is given",
                hint="give `store`, or keep only the rows of the table that count",
            )
        return read_columns(Path(table), wanted, numbers, stated, counts=counts)
    assert store is not None
    with opened_records(store) as open_:
        chosen = where_of(None, None, None) if where is None else where
        return open_.columns(measure, chosen, wanted[1:], level=level), ()
