"""Form arriving rows into points once a point is complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.row_groups import Skipped, form_groups
from flawline.jobs.chart.series import Series, series_of_groups
from flawline.jobs.chart.series_table import as_label

Rows = Mapping[str, list[Any]]


def joined_rows(first: Rows, then: Rows) -> dict[str, list[Any]]:
    """Append rows to other rows; either may be empty."""
    if not then:
        return dict(first)
    return {name: [*first.get(name, ()), *cells] for name, cells in then.items()}


def split_rows(rows: Rows, how: Forming) -> tuple[Rows, Rows]:
    """Split rows into those of complete points and those of the last, incomplete one.

    A group ends when a row of another begins, a subgroup when it has all its rows.
    """
    count = len(next(iter(rows.values()), []))
    ready = count
    if how.by and count:
        names = [as_label(cell, place + 1) for place, cell in enumerate(rows[how.by])]
        while ready and names[ready - 1] == names[-1]:
            ready -= 1
    elif how.every:
        ready -= count % how.every
    return (
        {name: cells[:ready] for name, cells in rows.items()},
        {name: cells[ready:] for name, cells in rows.items()},
    )


def form_points(
    rows: Rows, measure: str, kind: str, how: Forming, before: int
) -> tuple[Series | None, tuple[Skipped, ...]]:
    """Form the points of complete rows after `before` earlier points, or None; also lists the rows that give none."""
    if not rows or not rows[measure]:
        return None, ()
    groups, skipped = form_groups(rows, measure, kind, how)
    series = series_of_groups(groups, skipped, measure, kind, how)
    if series is None or how.by or (how.label and not how.every):
        return series, tuple(skipped)
    numbers = range(before + 1, before + 1 + len(series.labels))
    return replace(series, labels=tuple(map(str, numbers))), tuple(skipped)
