"""Charts as inline SVG: text stays text, the same data gives the same bytes, and dark or light follows the page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flawline.types import EMPTY

# Okabe and Ito's colours, told apart under the common colour-vision deficiencies.
GOOD, BAD, UNKNOWN = "#0072B2", "#D55E00", "#999999"
_COLOURS = {"good": GOOD, "bad": BAD, "unknown": UNKNOWN}
# Drawn in this colour, an element takes the page's text colour.
_INK = "#010203"


@contextmanager
def _own_style() -> Iterator[None]:
    """Matplotlib as it comes: a user's matplotlibrc must not change a report, and a label is no markup."""
    import matplotlib

    own: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "flawline",
        "font.family": "sans-serif",
        "text.parse_math": False,
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(own)
        # The browser draws the text with its own fonts; matplotlib's only estimates its width.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


@_own_style()
def score_histogram(
    scores: Mapping[str, ArrayLike], *, unit: str, limits: Mapping[str, float] = EMPTY
) -> str:
    """Stacked histogram of scores by meaning ("good", "bad", "unknown") with named limits, as SVG."""
    groups = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
    groups = {name: values for name, values in groups.items() if len(values)}
    everything = np.concatenate(list(groups.values()))
    shown = [*everything.tolist(), *limits.values()]
    low, high = min(shown), max(shown)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(np.sqrt(len(everything)) * 2, 10, 60))
    figure, axes = _figure()
    axes.hist(
        list(groups.values()),
        bins=np.linspace(low, high, bins + 1).tolist(),
        stacked=True,
        color=[_COLOURS[name] for name in groups],
        label=[f"{name} ({len(values)})" for name, values in groups.items()],
    )
    for (name, limit), dashes in zip(limits.items(), ("--", "-"), strict=False):
        axes.axvline(limit, color=_INK, lw=1.2, ls=dashes, label=f"{name} above {limit:.4g}")
    axes.set_xlabel(unit)
    axes.set_ylabel("pictures")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, labelcolor=_INK)
    return _svg(figure, "Histogram of scores")


@_own_style()
def recall_curve(found: Sequence[int], defective: int) -> str:
    """Bad parts found against pictures looked at, beside the best and the blind order, as SVG."""
    places = np.arange(len(found) + 1)
    figure, axes = _figure()
    axes.plot(places, np.minimum(places, defective), color=UNKNOWN, ls=":", label="best possible")
    axes.plot(
        places, places * defective / max(len(found), 1), color=UNKNOWN, ls="--", label="blind"
    )
    axes.step(places, [0, *found], where="post", color=BAD, lw=2, label="this ranking")
    axes.set_xlabel("pictures looked at, oddest first")
    axes.set_ylabel("bad parts found")
    axes.set_xlim(0, len(found))
    axes.set_ylim(0, defective * 1.05)
    axes.legend(frameon=False, loc="lower right", labelcolor=_INK)
    return _svg(figure, "Recall curve")


@_own_style()
def stacked_bars(names: Sequence[str], counts: Mapping[str, Sequence[int]], *, axis: str) -> str:
    """A bar of counts for each name, stacked by meaning ("good", "unknown", "bad"), as SVG."""
    figure, axes = _figure()
    below = np.zeros(len(names))
    for word, values in counts.items():
        if any(values):
            axes.bar(names, values, bottom=below, color=_COLOURS[word], label=word)
            below += np.asarray(values)
    axes.set_xlabel(axis)
    axes.set_ylabel("pictures")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, labelcolor=_INK)
    return _svg(figure, "Sizes")


@_own_style()
def confusion_matrix(counts: ArrayLike, classes: Sequence[str]) -> str:
    """Counts (true, predicted) in cells shaded by their share of the true class, as SVG."""
    table = np.asarray(counts, dtype=int)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 1.3 + 0.5 * len(classes)
    figure, axes = _figure(size=(max(side * 1.3, 3.8), max(side, 2.9)))
    for row, column in np.ndindex(table.shape):
        colour = GOOD if row == column else BAD
        square = (column - 0.5, row - 0.5)
        axes.add_patch(_cell(square, colour, 0.85 * float(share[row, column])))
        text = f"{table[row, column]}"
        axes.text(column, row - 0.12, text, ha="center", va="center", color=_INK)
        if table[row, column]:
            percent = f"{100 * share[row, column]:.0f} %"
            axes.text(column, row + 0.24, percent, ha="center", va="center", color=_INK, size=7.5)
    axes.set_xticks(range(len(classes)), classes, rotation=0 if len(classes) < 5 else 30)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlim(-0.5, len(classes) - 0.5)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return _svg(figure, "Confusion matrix")


@_own_style()
def reliability(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> str:
    """Share of right predictions against stated probability, one curve (x, y) per name, as SVG."""
    figure, axes = _figure(size=(4.4, 3.4))
    axes.plot([0, 1], [0, 1], color=UNKNOWN, ls=":", label="as stated")
    for (name, (stated, right)), colour, mark in zip(
        curves.items(), (BAD, GOOD), ("s", "o"), strict=False
    ):
        axes.plot(stated, right, color=colour, marker=mark, ms=4, lw=1.5, label=name)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("probability stated for the likeliest class")
    axes.set_ylabel("share that is of that class")
    axes.legend(frameon=False, loc="upper left", labelcolor=_INK)
    return _svg(figure, "Reliability")


def _cell(corner: tuple[float, float], colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, facecolor=colour, alpha=alpha, edgecolor="none")


def _figure(size: tuple[float, float] = (5.4, 3.1)) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    figure.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(_INK)
    axes.tick_params(colors=_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    return figure, axes


def _svg(figure: Any, title: str) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Title": title})
    svg = text.getvalue()
    return svg[svg.index("<svg") :].replace(_INK, "currentColor").strip()
