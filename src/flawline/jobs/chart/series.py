"""Form rows of a table, or records, into the points of a chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Points, counts, select, subgroups
from flawline.core.spc.limits import COUNTED
from flawline.errors import FlawlineError
from flawline.jobs.chart.forming import SUMMARIES, Forming
from flawline.jobs.chart.row_groups import RowGroup, Skipped, form_groups
from flawline.jobs.chart.row_order import groups_apart, time_notes
from flawline.jobs.chart.series_table import Columns

LISTED = 12


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Points in time order with their labels.

    `labels` and `stages` are (G,); a stage without a name is "". `repeated` are the labels of more than one point.
    `what` is what a point is called ("part", "lot"). `notes` say how rows became points. `kind` is the chart that they
    were formed for.
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
    repeated: frozenset[str] = frozenset()
    kind: str = ""

    def name(self, point: int) -> str:
        """Name a point from 0: its label, or its number from 1 after # where the label repeats."""
        return f"#{point + 1}" if self.labels[point] in self.repeated else self.labels[point]


def form_series(columns: Columns, measure: str, kind: str, how: Forming) -> Series:
    """Form the points of a chart from columns whose rows are in time order.

    Rows without a number in the measure (or units), or with one that the chart cannot take, are skipped and listed;
    they keep their place, so that the rows of a subgroup stay together. Grouped counts are added up. Groups of
    measurements become subgroups, or one number each with `summary` or on an i-mr chart (by default the mean).

    Raises:
        FlawlineError: no row gives a point, or most rows hold no counts for a chart of counts.
    """
    how.check_kind(kind)
    groups, skipped = form_groups(columns, measure, kind, how)
    _refuse_other_columns(groups, skipped, kind)
    series = series_of_groups(groups, skipped, measure, kind, how)
    if series is None:
        why = f": {skipped[0].reason}" if skipped else ""
        raise FlawlineError(
            f"no row can be charted by the column {measure!r}{why}",
            hint="name the column of the measure with `measure`",
            code="chart",
        )
    return replace(
        series,
        notes=(*series.notes, *time_notes(columns, how), *groups_apart(columns, measure, how)),
    )


def _refuse_other_columns(
    groups: Sequence[RowGroup], skipped: Sequence[Skipped], kind: str
) -> None:
    """Refuse a column for a chart of counts if at least half of its numbers are no counts: it is another column."""
    faults = [row.reason for row in skipped if row.no_count]
    counted = sum(len(group.values) for group in groups)
    if len(faults) >= max(counted, 1):
        raise FlawlineError(
            f"{len(faults)} of {len(faults) + counted} rows cannot be charted by {kind}: {faults[0]}",
            hint="name the column of counts with `measure` and that of inspected units with `size`; defects, of which "
            "a unit may have several, go on the charts c and u, measurements on i-mr",
            code="chart",
        )


def series_of_groups(
    groups: Sequence[RowGroup], skipped: Sequence[Skipped], measure: str, kind: str, how: Forming
) -> Series | None:
    """Make the series of groups of rows; None where none has a value."""
    formed = [group for group in groups if group.values]
    if not formed:
        return None
    points, notes = _points(formed, kind, measure, how)
    # A group without a value leaves a gap before the next one.
    filled = np.array([bool(group.values) for group in groups])
    gaps = np.concatenate([[False], ~filled[:-1]])[filled]
    return Series(
        measure=measure,
        points=replace(points, gaps=gaps) if gaps.any() else points,
        labels=tuple(group.label for group in formed),
        stages=tuple(group.stage for group in formed),
        what=how.what,
        unit=how.unit,
        skipped=tuple(skipped),
        notes=notes,
        rows=tuple(group.row for group in formed),
        kind=kind,
        repeated=frozenset(label for label, n in Counter(g.label for g in formed).items() if n > 1),
    )


def cut_series(series: Series, first: int, stop: int) -> Series:
    """Select the points from `first` up to, not including, `stop`; at least one."""
    if first == 0 and stop >= len(series.labels):
        return series
    keep = np.zeros(len(series.labels), dtype=bool)
    keep[first:stop] = True
    return replace(kept_points(series, keep), skipped=())


def kept_points(series: Series, keep: NDArray[np.bool_]) -> Series:
    """Select the points for which `keep` (G,) is True; at least one."""
    places = np.flatnonzero(keep).tolist()
    return replace(
        series,
        points=select(series.points, keep),
        labels=tuple(series.labels[place] for place in places),
        stages=tuple(series.stages[place] for place in places),
        rows=tuple(series.rows[place] for place in places) if series.rows else (),
    )


def _points(
    groups: Sequence[RowGroup], kind: str, measure: str, how: Forming
) -> tuple[Points, tuple[str, ...]]:
    grouped = how.by or how.every
    if kind in COUNTED:
        total = counts([sum(g.values) for g in groups], [sum(g.sizes) for g in groups])
        return total, (
            (f"counts of {measure} are added up in each {how.by or 'subgroup'}",) if grouped else ()
        )
    rows = [g.values for g in groups]
    notes: list[str] = []
    summary = how.summary or ("mean" if kind in ("i-mr", "z-mr") else None)
    if grouped and summary and max(map(len, rows)) > 1:
        rows = [[SUMMARIES[summary](row)] for row in rows]
        notes.append(f"each point is the {summary} of {measure} in one {how.by or 'subgroup'}")
    notes += _incomplete(groups, how)
    points = subgroups(rows)
    if how.product:
        points = replace(points, products=tuple(group.product for group in groups))
    return points, tuple(notes)


def _incomplete(groups: Sequence[RowGroup], how: Forming) -> list[str]:
    """Note which subgroups of a number of rows have fewer."""
    if not how.every:
        return []
    small = [group for group in groups if len(group.values) < how.every]
    if len(small) == 1 and small[0] is groups[-1]:
        return [f"the last subgroup has {len(small[0].values)} instead of {how.every} rows"]
    if not small:
        return []
    listed = ", ".join(group.label for group in small[:LISTED]) + (
        " ..." if len(small) > LISTED else ""
    )
    return [
        f"fewer than {how.every} rows are in subgroup {listed}: rows without a number, or the end of a stage"
    ]
