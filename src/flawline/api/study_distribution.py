"""Find out which distribution a measure follows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, where_of
from flawline.data.table_format import stated_format

if TYPE_CHECKING:
    from flawline.jobs.study.distribution_report import DistributionStudy


def study_distribution(
    measure: str,
    table: str | os.PathLike[str] | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    unit: str = "",
    table_format: Mapping[str, str | int] | None = None,
) -> DistributionStudy:
    """Fit the usual distributions to a measure, tell which it may follow, and draw their probability plots.

    Args:
        measure: the column.
        table: CSV, Parquet or spreadsheet, one row per part in time order; or give `store`.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        unit: of the measure.
        table_format: as for `chart`.

    Returns:
        Normal, lognormal, Weibull, gamma, Box-Cox and Johnson with A², percentiles and the one to take.
        `flawline.jobs.study.distribution_report.distribution_report` describes it.

    Raises:
        UsageError: neither a table nor a store, or both.
        SourceError: the table cannot be read or lacks the column.
        StoreError: the records cannot be read.
        FlawlineError: ("distribution") fewer than 8 values, or values that do not vary.
    """
    from flawline.jobs.study import distribution_report as studying
    from flawline.jobs.study.study_rows import study_rows

    chosen = where_of(where, since, until) if where or since or until else None
    stated = stated_format(table_format)
    columns, notes = columns_from(table, store, measure, [], [measure], chosen, stated)
    rows = study_rows(columns, [measure], [])
    return studying.study_distribution(rows.numbers[measure], measure, unit, rows.skipped, notes)
