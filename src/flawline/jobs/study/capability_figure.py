"""Draw a capability study as a sixpack: level, variation, last points, histogram, probability plot, figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri

from flawline.core.colours import BAD, GOOD, LIMIT, UNKNOWN
from flawline.core.spc.capability_percentiles import edge_score
from flawline.core.spc.capability_values import Capability
from flawline.core.spc.chart_points import Subgroups
from flawline.core.spc.transforms import Transform, revert
from flawline.jobs.chart.chart_figure import draw_panel_alone, label_places
from flawline.jobs.chart.series import Series, cut_series
from flawline.jobs.study.capability_study import CapabilityStudy, distribution
from flawline.jobs.study.study import Draw
from flawline.report.figure import INK

LAST = 25
_DRAWN = 400
_PERCENTS = (0.1, 1, 5, 20, 50, 80, 95, 99, 99.9)


def drawings(found: CapabilityStudy) -> dict[str, Draw]:
    """List the drawings of a study by title, each a function that draws on axes."""
    series = found.series
    what = "subgroups" if _measured(series).sizes.max() > 1 else "values"
    last = min(LAST, len(series.labels))
    fitted = f"probability plot, {distribution(found.capability)}"
    return {
        **{name: _panel(found, row) for row, name in enumerate(found.chart.panel_names)},
        f"last {last} {what}": lambda axes: _draw_last(axes, series, found.capability),
        "histogram": lambda axes: _draw_histogram(axes, found),
        fitted: lambda axes: _draw_probability(axes, found),
    }


def _panel(found: CapabilityStudy, row: int) -> Draw:
    def draw(axes: Any) -> None:
        draw_panel_alone(axes, found.chart, row)
        # The measure is named above the page, and two lines do not fit.
        axes.set_ylabel(_unit(found.series) if row == 0 else axes.get_ylabel().replace("\n", " "))

    return draw


def _measured(series: Series) -> Subgroups:
    assert isinstance(series.points, Subgroups)
    return series.points


def _draw_last(axes: Any, series: Series, study: Capability) -> None:
    """Draw each measurement of the last points at its point, with the mean of all."""
    count = len(series.labels)
    last = cut_series(series, max(count - LAST, 0), count)
    points = _measured(last)
    places = np.repeat(np.arange(len(points)), points.sizes)
    axes.axhline(study.mean, color=UNKNOWN, lw=1.1)
    axes.plot(places, points.values, ls="", marker="o", ms=3.2, color=GOOD)
    label_places(axes, last, last=True)
    axes.set_ylabel(_unit(series))


def _unit(series: Series) -> str:
    return f"{series.measure[:26]}{f', {series.unit}' if series.unit else ''}"


def _draw_histogram(axes: Any, found: CapabilityStudy) -> None:
    """Draw a histogram with the specification and the curves of both sigmas."""
    study, values = found.capability, _measured(found.series).values
    spec = study.spec
    marks = {"LSL": spec.lower, "target": spec.target, "USL": spec.upper}
    given = {name: edge for name, edge in marks.items() if edge is not None}
    low, high = min(values.min(), *given.values()), max(values.max(), *given.values())
    pad = 0.06 * (high - low)
    counts, at, _ = axes.hist(values, bins=bin_edges(values), color=GOOD, alpha=0.55)
    x = np.linspace(low - pad, high + pad, 400)
    scale = len(values) * (at[1] - at[0]) / (x[1] - x[0])
    middle, top = (x[1:] + x[:-1]) / 2, float(counts.max())
    overall = scale * np.diff(_cumulative(study, x))
    if study.transform.zeros:
        # The share of zeros is a step, not a density.
        overall[(x[:-1] <= 0) & (x[1:] >= 0)] = 0.0
    axes.plot(middle, overall, color=INK, lw=1.4, label="overall")
    if study.expected_within is not None and study.sigma_within is not None:
        within = scale * np.diff(ndtr((x - study.mean) / study.sigma_within))
        axes.plot(middle, within, color=LIMIT, lw=1.4, ls=(0, (4, 2)), label="within")
        top = max(top, float(within.max()))
    for name, edge in given.items():
        colour = UNKNOWN if name == "target" else BAD
        axes.axvline(edge, color=colour, ls=(0, (5, 2)), lw=1.4)
        at_edge = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        axes.annotate(name, (edge, 1.0), xytext=(0, 2), ha="center", color=INK, size=8, **at_edge)
    axes.set_ylim(0, 1.12 * max(top, 1.0))
    axes.set_xlim(low - pad, high + pad)
    axes.legend(
        frameon=False,
        labelcolor=INK,
        fontsize=8,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        handlelength=1.4,
        borderpad=0.2,
    )
    axes.set_xlabel(_unit(found.series))
    axes.set_ylabel("measurements")
    axes.yaxis.get_major_locator().set_params(integer=True)


def bin_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose the edges of some 2 sqrt(N) bins, 8 to 60; of rounded values each bin holds as many steps as any other."""
    low, high = float(values.min()), float(values.max())
    bins = int(np.clip(2 * np.sqrt(len(values)), 8, 60))
    gaps = np.diff(np.unique(values))
    step = float(gaps[gaps > 1e-9 * (high - low)].min())
    if step < (high - low) / (10 * bins):
        return np.linspace(low, high, bins + 1)
    width = step * max(round((high - low) / step / bins), 1)
    return np.arange(low - step / 2, high + width, width)


def _cumulative(study: Capability, x: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = np.array([edge_score(study.transform, value) for value in x.tolist()])
    return np.asarray(ndtr((scores - study.centre) / study.scale))


def _draw_probability(axes: Any, found: CapabilityStudy) -> None:
    study = found.capability
    draw_probability(
        axes,
        _measured(found.series).values,
        study.transform,
        study.centre,
        study.scale,
        _unit(found.series),
    )


def draw_probability(
    axes: Any,
    values: NDArray[np.float64],
    transform: Transform,
    centre: float,
    scale: float,
    label: str,
) -> None:
    """Draw values (N,) against the normal scores of their ranks, with the fitted distribution and its 95 % band.

    The scores of the transform have a mean of `centre` and a deviation of `scale`. Ranks as Benard's (i - 0.3) / (N +
    0.4). The band holds each value of its rank in 95 % of samples of the fitted distribution.
    """
    values = np.sort(values)
    count = len(values)
    evenly = count * ndtr(np.linspace(-3.6, 3.6, _DRAWN))
    ranks = np.unique(np.clip(np.concatenate([[1.0], np.ceil(evenly), [count]]), 1, count))
    scores = ndtri((ranks - 0.3) / (count + 0.4))
    line = np.array([scores[0] - 0.4, *scores, scores[-1] + 0.4])

    def fitted(score: NDArray[np.float64]) -> NDArray[np.float64]:
        return revert(transform, centre + scale * score)

    low, high = (ndtri(betaincinv(ranks, count + 1 - ranks, tail)) for tail in (0.025, 0.975))
    axes.fill_betweenx(scores, fitted(low), fitted(high), color=UNKNOWN, alpha=0.2, lw=0)
    axes.plot(fitted(line), line, color=INK, lw=1.2)
    axes.plot(values[ranks.astype(np.int64) - 1], scores, ls="", marker="o", ms=2.6, color=GOOD)
    shown = [share for share in _PERCENTS if line[0] <= ndtri(share / 100) <= line[-1]]
    axes.set_yticks(
        [float(ndtri(share / 100)) for share in shown], [f"{share:g}" for share in shown]
    )
    axes.set_ylim(line[0], line[-1])
    span = 0.06 * float(np.ptp(values))
    axes.set_xlim(values[0] - 4 * span, values[-1] + 4 * span)
    axes.set_xlabel(label)
    axes.set_ylabel("share below, %")
