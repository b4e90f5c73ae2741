"""Rows that arrive, formed into points as soon as nothing more can belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flawline.jobs.chart.series import Forming, Series, form_series
from flawline.jobs.chart.series_table import as_label

Rows = Mapping[str, list[Any]]


def joined_rows(first: Rows, then: Rows) -> dict[str, list[Any]]:
    """Rows behind other rows; either may have none."""
    if not then:
        return dict(first)
    return {name: [*first.get(name, ()), *cells] for name, cells in then.items()}


def split_rows(rows: Rows, how: Forming) -> tuple[Rows, Rows]:
    """The rows of points that are complete, and those of the last point, to which more may come.

    A group ends where a row of another begins, a subgroup of a number of rows when it has them.
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


def form_points(rows: Rows, measure: str, kind: str, how: Forming, before: int) -> Series | None:
    """The points of rows that are complete, where `before` points came earlier; None where there are none."""
    if not rows or not rows[measure]:
        return None
    series = form_series(rows, measure, kind, how)
    if how.by or (how.label and not how.every):
        return series
    numbers = range(before + 1, before + 1 + len(series.labels))
    return replace(series, labels=tuple(map(str, numbers)))
