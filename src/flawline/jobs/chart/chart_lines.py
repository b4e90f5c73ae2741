"""Draw the lines of a control chart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.colours import BAD, GOOD, LIMIT, UNKNOWN
from flawline.core.spc.chart_points import Panel

_MARKERS = 150


def thin(values: NDArray[np.float64], keep: NDArray[np.bool_], buckets: int) -> NDArray[np.int64]:
    """Choose the indices (M,) to draw of (N,) values: those in `keep`, first, last, and the extremes of each bucket.

    All are drawn if there are at most two values a bucket. The outline stays that of all values.
    """
    count = len(values)
    if count <= 2 * buckets:
        return np.arange(count)
    edges = np.linspace(0, count, buckets + 1).astype(np.int64)[:-1]
    drawn = keep.copy()
    drawn[[0, -1]] = True
    for extreme in (np.maximum, np.minimum):
        peaks = np.repeat(extreme.reduceat(values, edges), np.diff(np.append(edges, count)))
        peaks_at = np.flatnonzero(values == peaks)
        # The first of equal extremes is enough; a constant bucket would keep them all.
        first = np.searchsorted(peaks_at, edges)
        drawn[peaks_at[first[first < len(peaks_at)]]] = True
    return np.flatnonzero(drawn)


def draw_values(
    axes: Any,
    panel: Panel,
    places: NDArray[np.int64],
    shown: NDArray[np.int64],
    signalled: NDArray[np.bool_],
    aside: NDArray[np.bool_],
    broken: NDArray[np.bool_],
) -> None:
    """Draw the values of a panel, with signals and points that were set aside; the line is `broken` before a point."""
    few = len(shown) <= _MARKERS
    breaks = np.flatnonzero(broken[shown])
    axes.plot(
        np.insert(places[shown].astype(np.float64), breaks, np.nan),
        np.insert(panel.values[shown], breaks, np.nan),
        color=GOOD,
        lw=1.0 if few else 0.7,
        marker="o" if few else None,
        ms=3.2,
        zorder=3,
    )
    if signalled.any():
        axes.plot(
            places[signalled],
            panel.values[signalled],
            ls="",
            marker="s",
            ms=5 if signalled.sum() <= _MARKERS else 3,
            color=BAD,
            zorder=4,
        )
    if aside.any():
        axes.plot(
            places[aside],
            panel.values[aside],
            ls="",
            marker="x",
            ms=7,
            mew=1.5,
            color=UNKNOWN,
            zorder=5,
        )


def draw_limits(axes: Any, panel: Panel, places: NDArray[np.int64]) -> None:
    """Draw the centre line and the control limits of a panel."""
    _steps(axes, places, panel.centre, color=UNKNOWN, lw=1.1)
    for limit in (panel.lower, panel.upper):
        if limit is not None:
            _steps(axes, places, limit, color=LIMIT, lw=1.3, ls=(0, (5, 2)))


def draw_zones(axes: Any, panel: Panel, places: NDArray[np.int64]) -> None:
    """Draw lines at 1 and 2 sigma if the limits are symmetric about the centre."""
    if panel.upper is None or panel.lower is None or (panel.rules and 5 not in panel.rules):
        return
    width = panel.upper - panel.centre
    if not np.allclose(width, panel.centre - panel.lower):
        return
    for fraction in (1 / 3, 2 / 3):
        for side in (-1, 1):
            _steps(
                axes, places, panel.centre + side * fraction * width, color=UNKNOWN, lw=0.6, ls=":"
            )


def _steps(axes: Any, places: NDArray[np.int64], values: NDArray[np.float64], **style: Any) -> None:
    """Draw a line with steps between points; a single stroke if the value is constant."""
    if np.ptp(values) == 0:
        ends = [places[0] - 0.5, places[-1] + 0.5]
        axes.plot(ends, [values[0], values[0]], zorder=2, **style)
        return
    change = np.concatenate([[True], np.diff(values) != 0])
    x = np.append(places[change] - 0.5, places[-1] + 0.5)
    axes.step(x, np.append(values[change], values[-1]), where="post", zorder=2, **style)
