"""Find out from which size on defects are found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, where_of
from flawline.data.table_format import stated_format

if TYPE_CHECKING:
    from flawline.jobs.study.hit_miss_report import HitMissStudy


def study_hit_miss(
    size: str,
    table: str | os.PathLike[str] | None = None,
    *,
    found: str = "found",
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    unit: str = "",
    table_format: Mapping[str, str | int] | None = None,
) -> HitMissStudy:
    """Fit the probability of detection against the size of known defects, each found or missed.

    `study_pod` draws defects of its own; this takes real ones, inspected by a machine or by people.

    Args:
        size: the column of sizes, above 0.
        table: one row per defect and inspection: CSV, Parquet or spreadsheet; or give `store`.
        found: column with 1 or yes for a defect that was found, 0 or no for one that was missed.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        unit: of the sizes.
        table_format: as for `chart`.

    Returns:
        The curve with a50, a90 and a90/95 (MIL-HDBK-1823A, hit/miss).
        `flawline.jobs.study.hit_miss_report.hit_miss_report` describes it.

    Raises:
        UsageError: neither a table nor a store, or both.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: ("study-empty") no row can be used.
    """
    from flawline.jobs.study import hit_miss_report as studying
    from flawline.jobs.study.study_rows import study_rows

    chosen = where_of(where, since, until) if where or since or until else None
    stated = stated_format(table_format)
    columns, notes = columns_from(table, store, size, [found], [size], chosen, stated, counts=found)
    rows = study_rows(columns, [size, found], [])
    return studying.study_hit_miss(rows, size, found, unit, notes)
