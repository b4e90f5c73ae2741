"""Draw where on the part defects lie: the map of cells, and the defects on the picture of the part."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from flawline.core.colours import BAD, UNKNOWN
from flawline.jobs.study.location_study import LocationStudy, Place
from flawline.jobs.study.study import StudyFigure
from flawline.report.figure import INK

_POINTS = 4000


def location_figures(found: LocationStudy) -> tuple[StudyFigure, ...]:
    """Draw the map, and the defects themselves, with a ring around each place that surely has more."""
    height = 3.2 if found.centre is not None else _height(*_spans(found))
    many = len(found.points)
    caption = "Each defect" if many <= _POINTS else f"{_POINTS} of {many} defects"
    on = ", on the mean picture of the part" if found.mean is not None else ""
    ringed = " Rings are places with surely more than expected." if found.sure else ""
    return (
        StudyFigure(
            "parts with a defect, by place",
            f"How many of 100 parts have a defect in each cell.{ringed}",
            partial(_draw_map, found=found),
            height,
        ),
        StudyFigure(
            "the defects themselves",
            f"{caption}{on}.{ringed}",
            partial(_draw_points, found=found),
            _height(*_shown(found)),
        ),
    )


def _height(wide: float, high: float) -> float:
    return float(np.clip(3.9 * high / max(wide, 1e-9) + 0.8, 2.0, 4.7))


def _spans(found: LocationStudy) -> tuple[float, float]:
    x, y = found.x_edges, found.y_edges
    return float(x[-1] - x[0]), float(y[-1] - y[0])


def _shown(found: LocationStudy) -> tuple[float, float]:
    """Measure what the drawing of the defects shows: the picture where there is one, else the defects."""
    if found.extent is not None:
        left, top, right, bottom = found.extent
        return right - left, bottom - top
    low, high = found.points.min(axis=0), found.points.max(axis=0)
    return float(high[0] - low[0]), float(high[1] - low[1])


def _draw_map(axes: Any, found: LocationStudy) -> None:
    from matplotlib.colors import PowerNorm

    edges = (found.x_edges[0], found.x_edges[-1], found.y_edges[-1], found.y_edges[0])
    share = np.where(found.expected > 0, 100 * found.counts / max(found.parts, 1), np.nan)
    # Single defects are seen too beside a place with very many.
    drawn = axes.imshow(
        share,
        extent=edges,
        cmap="cividis",
        norm=PowerNorm(0.5, 0, max(float(np.nanmax(share)), 1e-9)),
        aspect="auto" if found.centre else "equal",
        interpolation="nearest",
    )
    bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.045, pad=0.02)
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.set_label("% of parts", color=INK, size=9)
    bar.outline.set_visible(False)
    for place in found.sure:
        across, down = _sides(found, place)
        angle = np.linspace(0, 2 * np.pi, 73)
        x, y = place.x + across * np.cos(angle), place.y + down * np.sin(angle)
        axes.plot(x, y, color=BAD, lw=1.8, scalex=False, scaley=False)
    if found.centre is not None:
        axes.set_xlabel("angle, °")
        axes.set_ylabel(f"radius, {found.frame}")
        return
    _label(axes, found)


def _sides(found: LocationStudy, place: Place) -> tuple[float, float]:
    """Return half the width and half the height of the ring around a place."""
    side_x, side_y = (float(edges[1] - edges[0]) for edges in (found.x_edges, found.y_edges))
    return (place.spot.radius + 0.6) * side_x, (place.spot.radius + 0.6) * side_y


def _label(axes: Any, found: LocationStudy) -> None:
    axes.set_xlabel(f"x, {found.frame}")
    axes.set_ylabel(f"y, {found.frame}")


def _draw_points(axes: Any, found: LocationStudy) -> None:
    points = found.points
    if len(points) > _POINTS:
        points = points[np.linspace(0, len(points) - 1, _POINTS).astype(int)]
    if found.mean is not None and found.extent is not None:
        left, top, right, bottom = found.extent
        axes.imshow(found.mean, cmap="gray", vmin=0, vmax=255, extent=(left, right, bottom, top))
    colour = BAD if found.mean is not None else UNKNOWN
    axes.plot(*points.T, ls="", marker="o", ms=2, alpha=0.5, color=colour)
    for place in found.sure:
        axes.plot(*_outline(found, place), color=BAD, lw=1.8)
    axes.set_aspect("equal")
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    _label(axes, found)


def _outline(found: LocationStudy, place: Place) -> tuple[Any, Any]:
    """Return x and y of the ring around a place, also where the study looks at angles and radii."""
    across, down = _sides(found, place)
    turn = np.linspace(0, 2 * np.pi, 73)
    x, y = place.x + across * np.cos(turn), place.y + down * np.sin(turn)
    if found.centre is None:
        return x, y
    angle = np.radians(x)
    return found.centre[0] + y * np.cos(angle), found.centre[1] + y * np.sin(angle)
