"""Say in plain words whether a recipe can be used, from the parts that it misses and throws away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flawline.core.metrics import Share

Usable = Literal["yes", "not alone", "no", "unknown"]
MOST_MISSED = 0.2
"""A recipe that misses a larger share of bad parts, or rejects one of good parts, is not usable."""
FEW_MISSED = 0.01
"""Up to this share of bad parts missed, a recipe is usable alone."""
SURE = 0.1
"""The share of bad parts missed must lie below this with 95 % confidence, else there are too few of them to tell."""
MOST_OVERKILL = 0.1
MOST_REVIEW = 0.5


@dataclass(frozen=True, slots=True)
class RecipeVerdict:
    """Whether a recipe is `usable`, and why, in one sentence; `misses` tells that it misses too many bad parts."""

    usable: Usable
    text: str
    misses: bool = False


def recipe_verdict(
    missed: Share | None,
    *,
    known: str = "known bad parts",
    overkill: Share | None = None,
    promised: float | None = None,
    held: Share | None = None,
) -> RecipeVerdict:
    """Judge a recipe by counts of parts that it did not learn from.

    Args:
        missed: bad parts accepted; None where no bad part is known.
        known: what these bad parts are called.
        overkill: good parts rejected, as observed; None where that was not tried.
        promised: the share of good parts rejected at most, as promised by calibration.
        held: good parts rejected or sent to review, as observed.
    """
    rate = _overkill(overkill, promised)
    if missed is None:
        text = f"No {known} to judge by: what it misses is not known"
        return RecipeVerdict("unknown", f"{text}; {rate} expected" if rate else text)
    low, high = missed.interval
    head = f"Misses {missed.hits} of {missed.of} {known} ({percent(low)} to {percent(high)} %)"
    usable, why = _judged(missed, overkill, held)
    return RecipeVerdict(
        usable, f"{head}{f' at {rate}' if rate else ''}: {why}", missed.value > FEW_MISSED
    )


def percent(share: float) -> str:
    """Write a share in percent: whole numbers, below 1 % one digit more."""
    value = 100 * share
    return f"{value:.0f}" if value >= 0.95 or value == 0 else f"{value:.1f}"


def _overkill(overkill: Share | None, promised: float | None) -> str:
    if overkill is not None:
        value = 100 * overkill.value
        return f"{value:.3g} % overkill ({overkill.hits} of {overkill.of} good parts)"
    return "" if promised is None else f"up to {100 * promised:.3g} % overkill"


def _judged(missed: Share, overkill: Share | None, held: Share | None) -> tuple[Usable, str]:
    if missed.value > MOST_MISSED:
        return "no", "not usable; see the missed ones"
    if overkill is not None and overkill.interval[0] > MOST_OVERKILL:
        return "no" if overkill.value > MOST_REVIEW else "not alone", "rejects too many good parts"
    if missed.value > FEW_MISSED:
        return "not alone", "not usable alone; see the missed ones"
    if held is not None and held.value > MOST_REVIEW:
        return "not alone", "most good parts go to review"
    if missed.interval[1] > SURE:
        return "not alone", "too few bad parts to rely on it alone"
    return "yes", "usable"
