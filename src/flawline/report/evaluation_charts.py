"""Charts of evaluations, in the style of `flawline.report.charts`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.report.figure import GOOD, INK, UNKNOWN, as_svg, new_figure, own_style

_LINES = ("-", "--", "-.", ":")
_CURVES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@own_style()
def escape_against_overkill(
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
    thresholds: Mapping[str, tuple[float, float]],
) -> str:
    """Escape against overkill of parts over all thresholds, one curve per recipe, with its own thresholds marked.

    Args:
        curves: by name what `flawline.evaluation.figures.trade_off` gives.
        thresholds: by name the recipe's thresholds, review and reject.
    """
    figure, axes = new_figure(size=(4.8, 3.6))
    for place, (name, (cuts, escape, overkill)) in enumerate(curves.items()):
        colour = _CURVES[place % len(_CURVES)]
        line = _LINES[place % len(_LINES)]
        # Between neighbouring scores nothing changes, so the curve goes down in steps.
        axes.step(
            100 * overkill, 100 * escape, where="pre", color=colour, ls=line, lw=1.6, label=name
        )
        for kind, cut, mark in zip(("review", "reject"), thresholds[name], ("o", "s"), strict=True):
            at = max(0, int(np.searchsorted(cuts, cut, side="right")) - 1)
            label = f"{kind} threshold" if place == 0 else None
            axes.plot(
                100 * overkill[at],
                100 * escape[at],
                mark,
                color=colour,
                mec=INK,
                ms=6,
                label=label,
            )
    axes.set_xlabel("overkill: good parts above, %")
    axes.set_ylabel("escape: bad parts not above, %")
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    axes.legend(frameon=False, loc="upper right", labelcolor=INK)
    return as_svg(figure, "Escape against overkill")


@own_style()
def promised_and_seen(promised: ArrayLike, seen: ArrayLike, low: ArrayLike, high: ArrayLike) -> str:
    """Share of good parts with a p-value as low as promised, with intervals, as SVG; all four lists have one length."""
    x, y = 100 * np.asarray(promised, float), 100 * np.asarray(seen, float)
    below, above = y - 100 * np.asarray(low, float), 100 * np.asarray(high, float) - y
    figure, axes = new_figure(size=(4.8, 3.6))
    top = max(float((y + above).max()), float(x.max())) * 1.08
    end = float(x.max()) * 1.15
    axes.plot([0, end], [0, end], color=UNKNOWN, ls=":", label="as promised")
    axes.errorbar(
        x, y, yerr=[below, above], fmt="o", color=GOOD, capsize=3, label="seen, 95 % interval"
    )
    axes.set_xlim(0, end)
    axes.set_ylim(0, max(top, 1))
    axes.set_xlabel("p-value up to, %")
    axes.set_ylabel("good parts, %")
    axes.legend(frameon=False, loc="upper left", labelcolor=INK)
    return as_svg(figure, "Reliability of the p-value")
