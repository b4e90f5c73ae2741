"""Choose the chart of a measure where nobody named one: counts go on charts of counts if these fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flawline.core.measure.parts import is_count
from flawline.core.spc.chart_points import Counts, Subgroups
from flawline.core.spc.charts import estimate
from flawline.core.spc.charts_attributes import false_signal_share
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import Series, form_series
from flawline.jobs.chart.series_table import Columns

MEASURED = "i-mr"
# Whole numbers above it are sizes in small units rather than counts of defects.
_LARGEST_COUNT = 20
# A chart of counts with more false signals than this share of its points is not taken unasked.
_TOO_OFTEN = 0.02


def usual_kind(measure: str, how: Forming) -> str:
    """Name the chart of a measure by its name and by how rows become points.

    Points of a product go on z-mr, counts in inspected units or groups on u, counts of single parts on c, all others on
    i-mr. A summary other than the sum is a measurement.
    """
    if how.product is not None:
        return "z-mr"
    if how.summary not in (None, "sum") or not (how.size or is_count(measure)):
        return MEASURED
    return "u" if how.size or how.by or how.every else "c"


def form_usual(columns: Columns, measure: str, how: Forming) -> Series:
    """Form the points of the usual chart of a measure, with a note of what was chosen and why.

    Counts are charted as individuals where more than 1 point in 50 would lie beyond the limits of a chart of counts by
    chance, as with one defect on 20 parts.

    Raises:
        FlawlineError: as `form_series`.
    """
    kind = usual_kind(measure, how)
    series = form_series(columns, measure, kind, how)
    if kind == "z-mr":
        return series
    if kind == MEASURED:
        return _noted(series, _offer(series))
    if how.size:
        return _noted(series, f"{measure} is counted in units of {how.size}: charted by {kind}")
    rate = _coarse(series.points)
    if rate is None:
        return _noted(
            series,
            f"{measure} is a count: charted by {kind}; `chart` {MEASURED} takes it as a measurement",
        )
    mean, share = rate
    return _noted(
        form_series(columns, measure, MEASURED, how),
        f"{measure} is a count of {mean:.3g} a point: so few that 1 point in {1 / share:.0f} would lie beyond the "
        f"limits of {kind} by chance, and it is charted by {MEASURED}. With more parts a point (`subgroup`) u has "
        "limits for it, and g charts the good parts between two bad ones",
    )


def _coarse(points: Any) -> tuple[float, float] | None:
    """Return mean count and share of false signals of a chart of counts that has too many of them, else None."""
    if not isinstance(points, Counts) or not points.counts.any():
        return None
    limits = estimate("u", points)
    units = float(np.median(points.sizes))
    share = false_signal_share(limits, units)
    return (limits.centre * units, share) if share > _TOO_OFTEN else None


def _offer(series: Series) -> str:
    """Offer charts of counts for whole numbers that may be counts; empty where they are not."""
    points = series.points
    if not isinstance(points, Subgroups) or len(points) < 2:
        return ""
    values: Sequence[float] = points.values.tolist()
    whole = all(value >= 0 and value == round(value) for value in values)
    if not whole or max(values) == min(values) or np.median(values) > _LARGEST_COUNT:
        return ""
    return (
        f"all values are whole numbers, {min(values):.0f} to {max(values):.0f}: if they count defects, `chart` c or, "
        "with `size`, u has limits for them; if defective parts, p"
    )


def _noted(series: Series, note: str) -> Series:
    return replace(series, notes=(*series.notes, note)) if note else series
