"""Study a gauge."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, where_of
from flawline.data.table_format import stated_format
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.jobs.study.gauge_study import GaugeStudy


def study_gauge(
    measure: str,
    table: str | os.PathLike[str] | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    part: str | None = None,
    operator: str | None = None,
    reference: str | float | None = None,
    nested: bool = False,
    tolerance: float | None = None,
    method: str = "auto",
    share: float = 20.0,
    unit: str = "",
    confidence: float = 0.95,
    table_format: Mapping[str, str | int] | None = None,
) -> GaugeStudy:
    """Study how well a gauge measures: gauge R&R, bias and linearity, or a type 1 study of one part.

    Args:
        measure: the column of readings.
        table: CSV, Parquet or spreadsheet, one row per reading; or give `store`.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        part: the column of parts; without it all readings are of one part, whose true size is `reference`.
        operator: the column of operators, stations or cameras.
        reference: the column of true sizes, for bias and linearity; or the true size of the one part.
        nested: each part was read by one operator only, such as where reading destroys it.
        tolerance: width of the tolerance in the unit of the readings.
        method: "auto" takes the analysis of variance, and REML where readings are missing; "anova", "reml", "range".
        share: percent of the tolerance for Cg and Cgk.
        unit: of the readings.
        confidence: of the intervals.
        table_format: as for `chart`.

    Returns:
        The finding in plain words, whether the gauge can be used, and its figures.
        `flawline.jobs.study.gauge_report.gauge_report` describes it, and `study_files.write_study` writes that.

    Raises:
        UsageError: arguments that do not go together.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: readings from which nothing follows: too few, all equal, or parts with two true sizes.
    """
    from flawline.jobs.study.gauge_study import study_gauge as studied
    from flawline.jobs.study.study_rows import study_rows

    true = _reference(reference)
    chosen = where_of(where, since, until) if where or since or until else None
    names = list(dict.fromkeys(name for name in (part, operator) if name is not None))
    numbers = list(dict.fromkeys([measure, *([true] if isinstance(true, str) else [])]))
    columns, notes = columns_from(
        table, store, measure, [*numbers, *names], numbers, chosen, stated_format(table_format)
    )
    rows = study_rows(columns, numbers, names)
    return studied(
        rows,
        measure,
        part=part,
        operator=operator,
        reference=true,
        nested=nested,
        tolerance=tolerance,
        method=method,
        share=share,
        unit=unit,
        confidence=confidence,
        notes=notes,
    )


def _reference(given: str | float | None) -> str | float | None:
    """Tell a true size, also one that is written as text, from the name of a column."""
    if given is None:
        return None
    try:
        true = float(given)
    except ValueError:
        return str(given)
    if not isfinite(true):
        raise UsageError(f"`reference` is a finite number or a column, got {given}")
    return true
