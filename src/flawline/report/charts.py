"""Charts as inline SVG: text stays text, the same data gives the same bytes, and dark or light follows the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# Okabe and Ito's colours, told apart under the common colour-vision deficiencies.
GOOD, BAD, UNKNOWN = "#0072B2", "#D55E00", "#999999"
# Drawn in this colour, an element takes the page's text colour.
_INK = "#010203"


def score_histogram(scores: Mapping[str, ArrayLike], *, unit: str) -> str:
    """Stacked histogram of scores by meaning ("good", "bad", "unknown"), as SVG."""
    groups = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
    groups = {name: values for name, values in groups.items() if len(values)}
    colours = {"good": GOOD, "bad": BAD, "unknown": UNKNOWN}
    everything = np.concatenate(list(groups.values()))
    low, high = float(everything.min()), float(everything.max())
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(np.sqrt(len(everything)) * 2, 10, 60))
    figure, axes = _figure()
    axes.hist(
        list(groups.values()),
        bins=np.linspace(low, high, bins + 1).tolist(),
        stacked=True,
        color=[colours[name] for name in groups],
        label=[f"{name} ({len(values)})" for name, values in groups.items()],
    )
    axes.set_xlabel(unit)
    axes.set_ylabel("pictures")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, labelcolor=_INK)
    return _svg(figure, "Histogram of scores")


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


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.1), layout="constrained")
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
    import matplotlib

    text = io.StringIO()
    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "flawline",
        "font.family": "sans-serif",
    }
    with matplotlib.rc_context(settings):
        figure.savefig(text, format="svg", metadata={"Date": None, "Title": title})
    svg = text.getvalue()
    return svg[svg.index("<svg") :].replace(_INK, "currentColor").strip()
