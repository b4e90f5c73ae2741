"""Draw charts as inline SVG: text stays text, and the same data gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flawline.core.colours import BAD, GOOD, UNKNOWN
from flawline.recipe import NO_THRESHOLD
from flawline.report.figure import INK, as_svg, new_figure, own_style
from flawline.types import EMPTY

_COLOURS = {"good": GOOD, "bad": BAD, "unknown": UNKNOWN}


@own_style()
def score_histogram(
    scores: Mapping[str, ArrayLike], *, unit: str, limits: Mapping[str, float] = EMPTY
) -> str:
    """Draw a stacked histogram of scores by meaning ("good", "bad", "unknown") with limits below NO_THRESHOLD."""
    groups = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
    groups = {name: values for name, values in groups.items() if len(values)}
    limits = {name: limit for name, limit in limits.items() if abs(limit) < NO_THRESHOLD}
    everything = np.concatenate(list(groups.values()))
    shown = [*everything.tolist(), *limits.values()]
    low, high = min(shown), max(shown)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(np.sqrt(len(everything)) * 2, 10, 60))
    figure, axes = new_figure()
    axes.hist(
        list(groups.values()),
        bins=np.linspace(low, high, bins + 1).tolist(),
        stacked=True,
        color=[_COLOURS[name] for name in groups],
        label=[f"{name} ({len(values)})" for name, values in groups.items()],
    )
    for (name, limit), dashes in zip(limits.items(), ("--", "-"), strict=False):
        axes.axvline(limit, color=INK, lw=1.2, ls=dashes, label=f"{name} above {limit:.4g}")
    axes.set_xlabel(unit)
    axes.set_ylabel("pictures")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, labelcolor=INK)
    return as_svg(figure, "Histogram of scores")


@own_style()
def recall_curve(found: Sequence[int], defective: int) -> str:
    """Draw bad parts found against pictures inspected, with the best possible and the random order."""
    places = np.arange(len(found) + 1)
    figure, axes = new_figure()
    axes.plot(places, np.minimum(places, defective), color=UNKNOWN, ls=":", label="best possible")
    axes.plot(
        places,
        places * defective / max(len(found), 1),
        color=UNKNOWN,
        ls="--",
        label="random order",
    )
    axes.step(places, [0, *found], where="post", color=BAD, lw=2, label="this ranking")
    axes.set_xlabel("pictures inspected, most anomalous first")
    axes.set_ylabel("bad parts found")
    axes.set_xlim(0, len(found))
    axes.set_ylim(0, defective * 1.05)
    axes.legend(frameon=False, loc="lower right", labelcolor=INK)
    return as_svg(figure, "Recall curve")


@own_style()
def stacked_bars(names: Sequence[str], counts: Mapping[str, Sequence[int]], *, axis: str) -> str:
    """Draw a bar of counts for each name, stacked by meaning ("good", "unknown", "bad")."""
    figure, axes = new_figure()
    below = np.zeros(len(names))
    for word, values in counts.items():
        if any(values):
            axes.bar(names, values, bottom=below, color=_COLOURS[word], label=word)
            below += np.asarray(values)
    axes.set_xlabel(axis)
    axes.set_ylabel("pictures")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, labelcolor=INK)
    return as_svg(figure, "Sizes")


@own_style()
def confusion_matrix(counts: ArrayLike, classes: Sequence[str]) -> str:
    """Draw counts (true, predicted) in cells shaded by their fraction of the true class."""
    table = np.asarray(counts, dtype=int)
    fraction = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 1.3 + 0.5 * len(classes)
    figure, axes = new_figure(size=(max(side * 1.3, 3.8), max(side, 2.9)))
    for row, column in np.ndindex(table.shape):
        colour = GOOD if row == column else BAD
        square = (column - 0.5, row - 0.5)
        axes.add_patch(_cell(square, colour, 0.85 * float(fraction[row, column])))
        text = f"{table[row, column]}"
        axes.text(column, row - 0.12, text, ha="center", va="center", color=INK)
        if table[row, column]:
            percent = f"{100 * fraction[row, column]:.0f} %"
            axes.text(column, row + 0.24, percent, ha="center", va="center", color=INK, size=7.5)
    axes.set_xticks(range(len(classes)), classes, rotation=0 if len(classes) < 5 else 30)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlim(-0.5, len(classes) - 0.5)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return as_svg(figure, "Confusion matrix")


@own_style()
def reliability(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> str:
    """Draw the fraction of right predictions against predicted probability, one curve (x, y) per name."""
    figure, axes = new_figure(size=(4.4, 3.4))
    axes.plot([0, 1], [0, 1], color=UNKNOWN, ls=":", label="perfectly calibrated")
    for (name, (stated, right)), colour, mark in zip(
        curves.items(), (BAD, GOOD), ("s", "o"), strict=False
    ):
        axes.plot(stated, right, color=colour, marker=mark, ms=4, lw=1.5, label=name)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("predicted probability of the likeliest class")
    axes.set_ylabel("fraction of that class")
    axes.legend(frameon=False, loc="upper left", labelcolor=INK)
    return as_svg(figure, "Reliability")


def _cell(corner: tuple[float, float], colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, facecolor=colour, alpha=alpha, edgecolor="none")
