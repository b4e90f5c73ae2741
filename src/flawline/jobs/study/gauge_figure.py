"""Draw a gauge study: components, ranges, means, readings by part and by operator, their interaction; bias."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.colours import BAD, GOOD, LIMIT, SERIES, UNKNOWN
from flawline.core.msa.gauge_anova import INTERACTION
from flawline.core.msa.gauge_bias import Linearity, TypeOne
from flawline.core.msa.gauge_data import GaugeData
from flawline.core.msa.gauge_rr import REPRODUCIBILITY, GaugeRR
from flawline.core.spc.chart_constants import d2, d3
from flawline.jobs.study.study import StudyFigure
from flawline.report.figure import INK

_NAMED = 14


def gauge_figures(data: GaugeData, found: GaugeRR, measure: str) -> tuple[StudyFigure, ...]:
    """List the drawings of a gauge R&R, as far as it has parts, operators and repeats."""
    several = len(data.operators) > 1
    by = " by operator" if several else ""
    figures = [
        StudyFigure(
            "components of variation",
            "How much each source makes of the whole. The gauge should be small beside the parts.",
            lambda axes: _draw_components(axes, found),
            right=1.25,
        )
    ]
    if data.cells.degrees:
        figures.append(
            StudyFigure(
                f"ranges{by}",
                "The range of the repeats of each part. Points above the limit (dashed) did not repeat as the others.",
                lambda axes: _draw_cells(axes, data, measure, ranges=True),
            )
        )
        figures.append(
            StudyFigure(
                f"means{by}",
                "The mean of the repeats of each part. Most should lie beyond the limits (dashed): then the parts "
                "differ by more than repeats.",
                lambda axes: _draw_cells(axes, data, measure, ranges=False),
            )
        )
    if len(data.parts) > 1:
        figures.append(
            StudyFigure(
                "readings by part",
                "Each reading, and the mean of each part.",
                lambda axes: _draw_level(axes, data, "part", measure),
                right=0.3,
            )
        )
    if several:
        figures.append(
            StudyFigure(
                "readings by operator",
                "Each reading, and the mean of each operator. The line should be level"
                + ("." if not data.nested else ", if the operators had parts alike."),
                lambda axes: _draw_level(axes, data, "operator", measure),
                right=0.3,
            )
        )
    if several and len(data.parts) > 1 and not data.nested:
        figures.append(
            StudyFigure(
                "part and operator",
                "The mean of each part by each operator. Where lines cross or part, operators read some parts "
                "otherwise than others do.",
                lambda axes: _draw_interaction(axes, data, measure),
            )
        )
    return tuple(figures)


def linearity_figure(found: Linearity, values: Any, reference: Any, unit: str) -> StudyFigure:
    """Describe the drawing of bias against the true size."""
    return StudyFigure(
        "bias by true size",
        "Each reading less the true size, their means (squares), and the line with its interval. The gauge is right "
        "where 0 lies within the band.",
        lambda axes: _draw_linearity(axes, found, values, reference, unit),
    )


def run_figure(found: TypeOne, values: NDArray[np.float64], measure: str) -> StudyFigure:
    """Describe the drawing of the readings of one part in order."""
    return StudyFigure(
        "readings in order",
        "The readings of the one part, its true size, and 10 % of the tolerance (dashed) to each side of it.",
        lambda axes: _draw_run(axes, found, values, measure),
    )


def histogram_figure(found: TypeOne, values: NDArray[np.float64], measure: str) -> StudyFigure:
    """Describe the histogram of the readings of one part."""

    def draw(axes: Any) -> None:
        axes.hist(
            values, bins=min(max(int(np.sqrt(len(values)) * 2), 8), 40), color=GOOD, alpha=0.55
        )
        for name, at in (("true size", found.bias.reference), ("mean", found.bias.mean)):
            axes.axvline(at, color=BAD if name == "true size" else INK, lw=1.4, label=name)
        axes.legend(**_LEGEND)
        axes.set_xlabel(measure)
        axes.set_ylabel("readings")

    return StudyFigure("histogram", "The readings, their mean and the true size.", draw)


_LEGEND: dict[str, Any] = {
    "frameon": False,
    "labelcolor": INK,
    "fontsize": 8,
    "loc": "upper left",
    "bbox_to_anchor": (1.0, 1.0),
    "handlelength": 1.2,
    "borderpad": 0.2,
}


def _draw_components(axes: Any, found: GaugeRR) -> None:
    left_out = {"total", "" if INTERACTION in found.components else REPRODUCIBILITY}
    shown = [one for name, one in found.components.items() if name not in left_out]
    kinds = [
        ("% of variance", [one.contribution for one in shown]),
        ("% of variation", [one.study for one in shown]),
        ("% of tolerance", [one.tolerance for one in shown]),
    ]
    kinds = [(name, shares) for name, shares in kinds if None not in shares]
    width = 0.8 / len(kinds)
    for place, (name, shares) in enumerate(kinds):
        heights = [share.value for share in shares if share is not None]
        at = np.arange(len(shown)) + (place - (len(kinds) - 1) / 2) * width
        axes.bar(at, heights, width, color=SERIES[place], label=name)
    axes.set_xticks(np.arange(len(shown)), [_SHORT.get(one.source, one.source) for one in shown])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylabel("%")
    axes.legend(**_LEGEND)


_SHORT = {
    "repeatability": "repeats",
    "reproducibility": "operators\nin all",
    "operator": "operators",
    "interaction": "part x\noperator",
    "part": "parts",
}


def _draw_cells(axes: Any, data: GaugeData, measure: str, *, ranges: bool) -> None:
    """Draw ranges or means of the cells, one operator after the other, with the limits of a control chart."""
    cells = data.cells
    several = cells.counts > 1
    sizes = np.where(several, cells.counts, 2)
    order = np.lexsort((cells.part, cells.operator))
    spread = cells.ranges()
    sigma = float(np.mean(spread[several] / [d2(int(n)) for n in sizes[several]]))
    if ranges:
        shown = np.where(several, spread, np.nan)
        centre = sigma * np.array([d2(int(n)) for n in sizes])
        upper = centre + 3 * sigma * np.array([d3(int(n)) for n in sizes])
        lower = None
    else:
        shown = cells.means
        centre = np.full(len(shown), data.values.mean())
        upper = centre + 3 * sigma / np.sqrt(cells.counts)
        lower = centre - 3 * sigma / np.sqrt(cells.counts)
    at = np.arange(len(order))
    who = cells.operator[order]
    for edge in (upper, lower):
        if edge is not None:
            axes.step(at, edge[order], where="mid", color=LIMIT, ls=(0, (5, 2)), lw=1.3)
    axes.step(at, centre[order], where="mid", color=UNKNOWN, lw=1.1)
    for number in np.unique(who):
        here = who == number
        axes.plot(at[here], shown[order][here], color=GOOD, marker="o", ms=3, lw=0.9)
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    for start in starts[1:]:
        axes.axvline(start - 0.5, color=INK, lw=0.7, ls=(0, (1, 2)))
    ends = np.append(starts[1:], len(at))
    middle = (starts + ends - 1) / 2
    if len(data.operators) > 1:
        axes.set_xticks(middle, [_cut(data.operators[number]) for number in who[starts]])
    else:
        _name_levels(axes, data.parts)
    axes.set_xlabel("operator" if len(data.operators) > 1 else "part")
    axes.set_ylabel(f"range of {_cut(measure)}" if ranges else f"mean of {_cut(measure)}")
    for name, edge in (("UCL", upper), ("LCL", lower)):
        if edge is not None:
            axes.annotate(
                f"{name} {edge[order][-1]:.4g}",
                (1.0, edge[order][-1]),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                size=8,
                color=INK,
            )


def _draw_level(axes: Any, data: GaugeData, factor: str, measure: str) -> None:
    level = getattr(data, factor)
    names = getattr(data, f"{factor}s")
    means = np.bincount(level, weights=data.values) / np.bincount(level)
    axes.plot(level, data.values, ls="", marker="o", ms=3, color=UNKNOWN)
    axes.plot(np.arange(len(names)), means, marker="s", ms=4.5, lw=1.1, color=GOOD)
    _name_levels(axes, names)
    axes.set_xlabel(factor)
    axes.set_ylabel(_cut(measure))


def _draw_interaction(axes: Any, data: GaugeData, measure: str) -> None:
    cells = data.cells
    for number, name in enumerate(data.operators):
        here = np.flatnonzero(cells.operator == number)
        here = here[np.argsort(cells.part[here])]
        axes.plot(
            cells.part[here],
            cells.means[here],
            marker="o",
            ms=3.2,
            lw=1.1,
            color=SERIES[number % len(SERIES)],
            label=_cut(name, 12) if number < 9 else None,
        )
    _name_levels(axes, data.parts)
    axes.legend(**_LEGEND)
    axes.set_xlabel("part")
    axes.set_ylabel(f"mean of {_cut(measure)}")


def _draw_linearity(axes: Any, found: Linearity, values: Any, reference: Any, unit: str) -> None:
    tail = f", {unit}" if unit else ""
    axes.axhline(0, color=UNKNOWN, lw=1.1)
    axes.fill_between(*found.band.T, color=UNKNOWN, alpha=0.25, lw=0)
    axes.plot(reference, values - reference, ls="", marker="o", ms=2.6, color=UNKNOWN)
    axes.plot(found.band[:, 0], found.band[:, 1:].mean(axis=1), color=INK, lw=1.2)
    means = [(one.reference, one.value) for one in found.biases]
    axes.plot(*zip(*means, strict=True), ls="", marker="s", ms=5, color=GOOD)
    axes.set_xlabel(f"true size{tail}")
    axes.set_ylabel(f"bias{tail}")


def _draw_run(axes: Any, found: TypeOne, values: NDArray[np.float64], measure: str) -> None:
    lines: list[tuple[str, float, str, Any]] = [("true size", found.bias.reference, UNKNOWN, "-")]
    if found.tolerance is not None:
        for sign, name in ((1, "+10 %"), (-1, "-10 %")):
            at = found.bias.reference + sign * 0.1 * found.tolerance
            lines.append((name, at, LIMIT, (0, (5, 2))))
    for name, at, colour, style in lines:
        axes.axhline(at, color=colour, ls=style, lw=1.2)
        axes.annotate(
            name,
            (1.0, at),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=INK,
        )
    axes.plot(np.arange(1, len(values) + 1), values, color=GOOD, marker="o", ms=3, lw=0.9)
    axes.set_xlabel("reading")
    axes.set_ylabel(_cut(measure))


def _name_levels(axes: Any, names: tuple[str, ...]) -> None:
    step = -(-len(names) // _NAMED)
    longest = max(len(name) for name in names)
    step *= -(-min(longest, 10) * min(len(names), _NAMED) // 60)
    at = np.arange(0, len(names), max(step, 1))
    axes.set_xticks(at, [_cut(names[place], 10) for place in at])
    axes.set_xlim(-0.5, len(names) - 0.5)


def _cut(text: str, most: int = 18) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
