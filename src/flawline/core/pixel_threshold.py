"""Choose the probability threshold of each class of defects on held-out pictures.

A pixel gets a class where its probability reaches the threshold. Each class is counted against all others together.
Where two classes reach their thresholds at one pixel only one of them is predicted, and small regions may be removed
later, so a class has at most the predicted pixels that are counted here.

A threshold looks better on the pictures it was chosen on than on new ones: measure it on others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.pixel_curves import PixelCurves as PixelCurves
from flawline.core.pixel_curves import PixelRates
from flawline.errors import UsageError

WITHOUT_PIXELS = 0.5
"""The threshold of a class that does not occur on the pictures where thresholds are chosen."""

Rule = Literal["dice", "recall", "costs", "none"]


@dataclass(frozen=True, slots=True)
class ChosenThreshold:
    """The threshold of one class, its figures on the pictures it was chosen on, and a `message` with both.

    `pixels` counts the true pixels of the class. `rule` is "dice" (highest Dice), "recall" (a target recall), "costs"
    (least cost of missed and falsely predicted pixels) or "none" (no true pixel to choose by; then the figures are
    None). `reached` is False where the target recall cannot be reached.
    """

    name: str
    threshold: float
    recall: float | None
    precision: float | None
    dice: float | None
    pixels: int
    rule: Rule
    reached: bool
    message: str


def choose_thresholds(
    curves: PixelCurves,
    *,
    target_recall: float | None = None,
    miss_cost: float | None = None,
    false_cost: float | None = None,
) -> tuple[ChosenThreshold, ...]:
    """Choose the threshold of each class of defects, in their order: by highest Dice unless asked otherwise.

    Where several thresholds in a row are equally good, the middle of the longest row is taken.

    Args:
        curves: pixels of pictures that nothing was learnt from.
        target_recall: above 0, at most 1: take the highest threshold that still finds this share of true pixels, and
            where none does, the highest one that finds the most.
        miss_cost: the cost of a missed true pixel, above 0; together with `false_cost`.
        false_cost: the cost of a falsely predicted pixel, above 0.

    Raises:
        UsageError: a recall and costs together, one cost alone, or a number outside its range.
    """
    costs = _checked_costs(target_recall, miss_cost, false_cost)

    def one(name: str) -> ChosenThreshold:
        rates, pixels = curves.precision_recall(name), curves.pixels(name)
        if rates is None:
            return _without(name)
        if target_recall is not None:
            return _by_recall(name, rates, target_recall, pixels)
        if costs is not None:
            return _by_costs(name, rates, costs, pixels)
        return _chosen(name, rates, _middle_of_best(rates.dice), pixels, "dice", "highest Dice")

    return tuple(one(name) for name in curves.classes[1:])


def _by_recall(name: str, rates: PixelRates, target: float, pixels: int) -> ChosenThreshold:
    most = float(rates.recall.max())
    place = int(np.flatnonzero(rates.recall >= min(target, most))[-1])
    reached = most >= target
    words = (
        f"recall of at least {target:g}"
        if reached
        else f"a recall of {target:g} cannot be reached, {most:.3f} is the most"
    )
    return _chosen(name, rates, place, pixels, "recall", words, reached=reached)


def _by_costs(
    name: str, rates: PixelRates, costs: tuple[float, float], pixels: int
) -> ChosenThreshold:
    spent = costs[0] * rates.missed + costs[1] * rates.false
    words = f"least cost, {costs[0]:g} a missed pixel and {costs[1]:g} a falsely predicted pixel"
    return _chosen(name, rates, _middle_of_best(-spent), pixels, "costs", words)


def _chosen(
    name: str,
    rates: PixelRates,
    place: int,
    pixels: int,
    rule: Rule,
    words: str,
    *,
    reached: bool = True,
) -> ChosenThreshold:
    threshold, recall, precision, dice = (
        float(values[place])
        for values in (rates.thresholds, rates.recall, rates.precision, rates.dice)
    )
    message = f"{name}: from {threshold:.3f} ({words}); recall {recall:.3f}, precision {precision:.3f} of pixels"
    return ChosenThreshold(name, threshold, recall, precision, dice, pixels, rule, reached, message)


def _without(name: str) -> ChosenThreshold:
    message = f"{name}: from {WITHOUT_PIXELS}, not chosen: no pixel of the class to choose by"
    return ChosenThreshold(name, WITHOUT_PIXELS, None, None, None, 0, "none", False, message)


def _middle_of_best(values: NDArray[np.float64]) -> int:
    """Find the middle of the longest run of highest values, of equal runs the first."""
    best = np.concatenate([[False], values == values.max(), [False]])
    starts, ends = np.flatnonzero(np.diff(best.astype(np.int8))).reshape(-1, 2).T
    longest = int(np.argmax(ends - starts))
    return int(starts[longest] + ends[longest] - 1) // 2


def _checked_costs(
    recall: float | None, miss: float | None, false: float | None
) -> tuple[float, float] | None:
    if recall is not None and not 0 < recall <= 1:
        raise UsageError(
            f"expected a recall above 0 and at most 1, got {recall}", hint="0.9 for 90 % of pixels"
        )
    if (miss is None) != (false is None) or (recall is not None and miss is not None):
        raise UsageError(
            "expected a target recall, or the cost of a missed and of a falsely predicted pixel",
            hint="give one of the two, or none for the highest Dice",
        )
    if miss is None or false is None:
        return None
    if not all(math.isfinite(cost) and cost > 0 for cost in (miss, false)):
        raise UsageError(f"expected costs above 0, got {miss} and {false}")
    return miss, false
