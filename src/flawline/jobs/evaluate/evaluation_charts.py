"""Charts of evaluations, in the style of `flawline.report.charts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.core.colours import BAD, GOOD, SERIES, UNKNOWN
from flawline.core.pod import Pod
from flawline.report.figure import INK, as_svg, new_figure, own_style
from flawline.types import EMPTY

_LINES = ("-", "--", "-.", ":")


@own_style()
def escape_against_overkill(
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
    thresholds: Mapping[str, tuple[float, float] | None],
    judged: Mapping[str, tuple[float, float] | None] = EMPTY,
) -> str:
    """Draw escape against overkill of parts over all thresholds, one curve per recipe, with its thresholds.

    Args:
        curves: by name the result of `flawline.jobs.evaluate.figures.trade_off`.
        thresholds: by name those of the recipe, review and reject, None where it has none on the score.
        judged: by name overkill and escape as parts are judged, drawn for recipes without thresholds.
    """
    figure, axes = new_figure(size=(4.8, 3.6))
    for place, (name, (cuts, escape, overkill)) in enumerate(curves.items()):
        colour = SERIES[place % len(SERIES)]
        line = _LINES[place % len(_LINES)]
        # Between neighbouring scores nothing changes, so the curve goes down in steps.
        axes.step(
            100 * overkill, 100 * escape, where="pre", color=colour, ls=line, lw=1.6, label=name
        )
        both, point = thresholds[name], judged.get(name)
        if both is None and point is not None:
            label = "as parts are judged" if not any(thresholds.values()) and not place else None
            x, y = 100 * point[0], 100 * point[1]
            axes.plot(x, y, "D", color=colour, mec=INK, ms=7, label=label, clip_on=False, zorder=5)
        for kind, cut, mark in zip(("review", "reject"), both or (), ("o", "s"), strict=False):
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
def rates_over(
    x: ArrayLike,
    escape: ArrayLike,
    overkill: ArrayLike,
    axis: str,
    *,
    at: float | None = None,
    judged: tuple[float, float] | None = None,
) -> str:
    """Draw escape and overkill of parts over a quantity from 0 to 1, as SVG.

    All three lists have one length; `at` is the present value of the recipe, `judged` its overkill and escape.
    """
    figure, axes = new_figure(size=(4.8, 3.6))
    places = np.asarray(x, float)
    for name, values, colour, line in (
        ("overkill: good rejected", overkill, GOOD, "--"),
        ("escape: bad not rejected", escape, BAD, "-"),
    ):
        axes.plot(
            places, 100 * np.asarray(values, float), color=colour, ls=line, lw=1.8, label=name
        )
    for share, colour in zip(judged or (), (GOOD, BAD), strict=False):
        axes.axhline(100 * share, color=colour, lw=1, ls=":")
    if judged is not None:
        axes.plot([], [], color=INK, lw=1, ls=":", label="as parts are judged")
    if at is not None:
        axes.axvline(at, color=INK, lw=1, ls="-.", label="the recipe's mean recall")
    axes.set_xlabel(axis)
    axes.set_ylabel("parts, %")
    axes.set_xlim(0, 1)
    axes.set_ylim(-2, 102)
    above: Any = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, **above)
    return as_svg(figure, "Escape and overkill")


@own_style()
def pod_against_size(pod: Pod, name: str, unit: str) -> str:
    """Draw the probability of detection of one class against size with its lower bound, a90 and a90/95, as SVG.

    Raises:
        ValueError: there is no curve.
    """
    if pod.curve is None:
        raise ValueError(f"expected a fit, there is none: {pod.reason}")
    size, chance, low = pod.curve.T
    figure, axes = new_figure(size=(4.8, 3.6))
    axes.fill_between(size, 100 * low, 100 * chance, color=GOOD, alpha=0.15, lw=0)
    axes.plot(size, 100 * chance, color=GOOD, lw=1.8, label="probability of detection")
    axes.plot(size, 100 * low, color=GOOD, lw=1.2, ls="--", label="lower bound, 95 %")
    axes.axhline(90, color=UNKNOWN, lw=0.8, ls=":")
    for value, label, mark in ((pod.a90, "a90", "o"), (pod.a90_95, "a90/95", "s")):
        if value is not None and value <= size[-1]:
            axes.plot(
                value, 90, mark, color=GOOD, mec=INK, ms=6, label=f"{label} {value:.3g} {unit}"
            )
    axes.set_xscale("log")
    axes.set_xlim(size[0], size[-1])
    axes.set_ylim(-2, 102)
    _plain_ticks(axes)
    axes.set_xlabel(f"{name}: square root of the area, {unit}")
    axes.set_ylabel("found, %")
    axes.legend(frameon=False, loc="lower right", labelcolor=INK, fontsize=8.5)
    return as_svg(figure, f"Probability of detection of {name}")


def _plain_ticks(axes: Any) -> None:
    """Show numbers instead of powers on a short logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())


@own_style()
def promised_and_observed(
    promised: ArrayLike, observed: ArrayLike, low: ArrayLike, high: ArrayLike
) -> str:
    """Draw shares of good parts with a p-value as low as promised, with intervals, as SVG; lists have one length."""
    x, y = 100 * np.asarray(promised, float), 100 * np.asarray(observed, float)
    below, above = y - 100 * np.asarray(low, float), 100 * np.asarray(high, float) - y
    figure, axes = new_figure(size=(4.8, 3.6))
    top = max(float((y + above).max()), float(x.max())) * 1.08
    end = float(x.max()) * 1.15
    axes.plot([0, end], [0, end], color=UNKNOWN, ls=":", label="as promised")
    axes.errorbar(
        x, y, yerr=[below, above], fmt="o", color=GOOD, capsize=3, label="observed, 95 % interval"
    )
    axes.set_xlim(0, end)
    axes.set_ylim(0, max(top, 1))
    axes.set_xlabel("p-value up to, %")
    axes.set_ylabel("good parts, %")
    axes.legend(frameon=False, loc="upper left", labelcolor=INK)
    return as_svg(figure, "Reliability of the p-value")
