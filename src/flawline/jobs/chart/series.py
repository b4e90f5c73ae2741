"""Form rows of a table, or records, into the points of a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from flawline.core.spc.chart_points import Points, counts, select, subgroups
from flawline.core.spc.limits import COUNTED
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.series_table import Columns, as_label, as_number

SUMMARIES: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda row: float(np.mean(row)),
    "median": lambda row: float(np.median(row)),
    "max": max,
    "min": min,
    "sum": sum,
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that gives no point, and the reason."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Points in time order with their labels.

    `labels` and `stages` are (G,); a stage without a name is "". `what` is what a point is called ("part",
    "lot"). `notes` say how rows became points.
    """

    measure: str
    points: Points
    labels: tuple[str, ...]
    stages: tuple[str, ...]
    what: str = "part"
    unit: str = ""
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Forming:
    """Settings for forming rows into points.

    `by` names a column: rows of equal value form one point. `every` forms one point of that many successive rows.
    `size` is the column of inspected units for counts, `label` and `stage` name points and stages. `summary` reduces a
    group to one number for charts of single values.
    """

    by: str | None = None
    every: int | None = None
    size: str | None = None
    label: str | None = None
    stage: str | None = None
    summary: str | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        """Validate the settings.

        Raises:
            UsageError: both ways of grouping, groups of none, or an unknown summary.
        """
        if self.by and self.every:
            raise UsageError("rows are grouped by a column or by number, not by both")
        if self.every is not None and self.every < 1:
            raise UsageError(f"a subgroup has at least 1 row, got {self.every}")
        if self.summary is not None and self.summary not in SUMMARIES:
            raise UsageError(f"expected a summary of {', '.join(SUMMARIES)}, got {self.summary!r}")

    @property
    def what(self) -> str:
        """Word for a point."""
        return self.by or (
            "subgroup" if self.every else "part" if self.label is None else self.label
        )

    def columns(self, measure: str) -> list[str]:
        """List the columns of the table that are needed."""
        named = (measure, self.by, self.size, self.label, self.stage)
        return [name for name in named if name]


@dataclass(slots=True)
class _Group:
    label: str
    stage: str
    row: int
    values: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)


def form_series(columns: Columns, measure: str, kind: str, how: Forming) -> Series:
    """Form the points of a chart from columns whose rows are in time order.

    Rows without a number in the measure (or units) are skipped and listed. Grouped counts are added up. Groups of
    measurements become subgroups, or one number each with `summary` or on an i-mr chart (by default the mean).

    Raises:
        FlawlineError: no row gives a point, or values that are not counts.
    """
    groups, skipped = _groups(columns, measure, how)
    if not groups:
        why = f": {skipped[0].reason}" if skipped else ""
        raise FlawlineError(
            f"no row has a number in the column {measure!r}{why}",
            hint="name the column of the measure with `measure`",
            code="chart",
        )
    points, notes = _points(groups, kind, measure, how)
    return Series(
        measure=measure,
        points=points,
        labels=tuple(group.label for group in groups),
        stages=tuple(group.stage for group in groups),
        what=how.what,
        unit=how.unit,
        skipped=tuple(skipped),
        notes=notes,
        rows=tuple(group.row for group in groups),
    )


def cut_series(series: Series, first: int, stop: int) -> Series:
    """Select the points from `first` up to, not including, `stop`; at least one."""
    if first == 0 and stop >= len(series.labels):
        return series
    keep = np.zeros(len(series.labels), dtype=bool)
    keep[first:stop] = True
    return replace(
        series,
        points=select(series.points, keep),
        labels=series.labels[first:stop],
        stages=series.stages[first:stop],
        rows=series.rows[first:stop],
        skipped=(),
    )


def _groups(columns: Columns, measure: str, how: Forming) -> tuple[list[_Group], list[Skipped]]:
    groups: dict[Any, _Group] = {}
    skipped: list[Skipped] = []
    used = 0
    for place in range(len(columns[measure])):
        label = as_label(columns[how.label][place] if how.label else None, place + 1)
        try:
            value = as_number(columns[measure][place])
            size = as_number(columns[how.size][place]) if how.size else 1.0
        except ValueError as error:
            skipped.append(Skipped(label, str(error)))
            continue
        key: Any = used
        if how.by:
            label = as_label(columns[how.by][place], place + 1)
            key = label
        elif how.every:
            key = used // how.every
            label = str(key + 1)
        used += 1
        stage = _stage(columns[how.stage][place]) if how.stage else ""
        group = groups.setdefault(key, _Group(label, stage, place))
        group.values.append(value)
        group.sizes.append(size)
    return list(groups.values()), skipped


def _stage(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _points(
    groups: Sequence[_Group], kind: str, measure: str, how: Forming
) -> tuple[Points, tuple[str, ...]]:
    grouped = how.by or how.every
    if kind in COUNTED:
        total = counts([sum(g.values) for g in groups], [sum(g.sizes) for g in groups])
        return total, (
            (f"counts of {measure} are added up in each {how.by or 'subgroup'}",) if grouped else ()
        )
    rows = [g.values for g in groups]
    notes: list[str] = []
    summary = how.summary or ("mean" if kind == "i-mr" else None)
    if grouped and summary and max(map(len, rows)) > 1:
        rows = [[SUMMARIES[summary](row)] for row in rows]
        notes.append(f"each point is the {summary} of {measure} in one {how.by or 'subgroup'}")
    if how.every and len(rows[-1]) < len(rows[0]):
        notes.append(f"the last subgroup has {len(rows[-1])} instead of {len(rows[0])} rows")
    return subgroups(rows), tuple(notes)
