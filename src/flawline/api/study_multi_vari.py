"""Study which family of variation is largest."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, where_of
from flawline.data.table_format import stated_format
from flawline.errors import FlawlineError, UsageError

if TYPE_CHECKING:
    from flawline.jobs.study.multi_vari_report import MultiVariStudy

_MOST = 4


def study_multi_vari(
    measure: str,
    table: str | os.PathLike[str] | None = None,
    *,
    factors: Sequence[str],
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    unit: str = "",
    confidence: float = 0.95,
    table_format: Mapping[str, str | int] | None = None,
) -> MultiVariStudy:
    """Split the variation of a measure into families: time to time, part to part, within part.

    Args:
        measure: the column, with several values of each part.
        table: CSV, Parquet or spreadsheet; or give `store`.
        factors: 1 to 4 columns from the outside in, such as "time" and "part": a part belongs to one time, and equal
            names at other times are other parts.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        unit: of the measure.
        confidence: of the intervals.
        table_format: as for `chart`.

    Returns:
        The finding in plain words, and the variance and share of each family with its interval.
        `flawline.jobs.study.multi_vari_report.multi_vari_report` describes it.

    Raises:
        UsageError: no factors or too many, or arguments that do not go together.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: ("multi-vari") a family with nothing to compare, or values that do not vary.
    """
    from flawline.core.msa.nested import nested_groups, nested_variation
    from flawline.jobs.study.multi_vari_report import MultiVariStudy
    from flawline.jobs.study.study_rows import study_rows

    names = tuple(dict.fromkeys(factors))
    if not 1 <= len(names) <= _MOST or measure in names:
        raise UsageError(
            f"expected 1 to {_MOST} columns beside {measure} for `factors`, got {', '.join(names) or 'none'}",
            hint="name them from the outside in, such as time,part",
        )
    if not 0.5 <= confidence < 1:
        raise UsageError(f"expected a `confidence` of 0.5 or more and below 1, got {confidence:g}")
    chosen = where_of(where, since, until) if where or since or until else None
    stated = stated_format(table_format)
    columns, notes = columns_from(
        table, store, measure, [measure, *names], [measure], chosen, stated
    )
    rows = study_rows(columns, [measure], names)
    levels = nested_groups([rows.names[name] for name in names])
    counts = [1, *(int(level.max()) + 1 for level in levels), len(rows)]
    for place, name in enumerate(names):
        if counts[place + 1] == counts[place]:
            inside = f"each {names[place - 1]} has one {name}" if place else f"there is one {name}"
            raise FlawlineError(
                f"{inside}: nothing varies from {name} to {name}",
                hint=f"leave {name} out of `factors`, or give more of them",
                code="multi-vari",
            )
    if counts[-1] == counts[-2]:
        raise FlawlineError(
            f"each {names[-1]} has one value: nothing varies within it",
            hint=f"leave {names[-1]} out of `factors`, or measure each of them several times",
            code="multi-vari",
        )
    values = rows.numbers[measure]
    return MultiVariStudy(
        measure,
        unit,
        names,
        values,
        tuple(levels),
        tuple(dict.fromkeys(rows.names[names[0]])),
        nested_variation(values, levels, confidence),
        confidence,
        rows.skipped,
        notes,
    )
