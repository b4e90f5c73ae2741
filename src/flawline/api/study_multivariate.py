"""Study several measures together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, where_of
from flawline.data.table_format import stated_format
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.jobs.study.multivariate_report import MultivariateStudy


def study_multivariate(
    measures: Sequence[str],
    table: str | os.PathLike[str] | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    label: str | None = None,
    learn: int | None = None,
    alpha: float = 0.0027,
    weight: float = 0.1,
    table_format: Mapping[str, str | int] | None = None,
) -> MultivariateStudy:
    """Chart several measures of each part together: Hotelling's T2, and the MEWMA for small lasting shifts.

    Args:
        measures: two columns or more.
        table: CSV, Parquet or spreadsheet, one row per part in time order; or give `store`.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        label: column that names the points.
        learn: estimate the usual mixture from the first so many points, and judge the others by it.
        alpha: chance of a false alarm of T2 for each point; the MEWMA has as many.
        weight: the MEWMA's lambda.
        table_format: as for `chart`.

    Returns:
        The finding in plain words, T2 and MEWMA with their limits, and what each measure adds.
        `flawline.jobs.study.multivariate_report.multivariate_report` describes it.

    Raises:
        UsageError: fewer than two measures, or arguments that do not go together.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: ("multivariate") too few points, or measures that do not vary or follow from each other.
    """
    import numpy as np

    from flawline.core.spc.multivariate import multivariate
    from flawline.jobs.study.multivariate_report import MultivariateStudy
    from flawline.jobs.study.study_rows import study_rows

    names = list(dict.fromkeys(measures))
    if len(names) < 2:
        raise UsageError(
            f"expected two measures or more, got {', '.join(names) or 'none'}",
            hint="name their columns with `measures`; one measure goes on `flawline chart`",
        )
    chosen = where_of(where, since, until) if where or since or until else None
    beside = [*names, *([label] if label else [])]
    stated = stated_format(table_format)
    columns, notes = columns_from(table, store, names[0], beside, names, chosen, stated)
    rows = study_rows(columns, names, [label] if label else [])
    values = np.stack([rows.numbers[name] for name in names], axis=1)
    labels = rows.names[label] if label else tuple(str(place + 1) for place in rows.places)
    return MultivariateStudy(
        tuple(names),
        labels,
        values,
        multivariate(values, learn=learn, alpha=alpha, weight=weight),
        rows.skipped,
        notes,
    )
