"""Thresholds of scores: guarantees about new good parts, and expected costs.

A part is flagged where its score is above the threshold, never where it equals it. Every guarantee assumes that the
scores are independent draws from the same process. Several pictures of one part, or near-copies, are not: give one
score per part (`highest_by_part`), or the guarantee does not hold.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.core.metrics import Share
from flawline.errors import ModelError, UsageError
from flawline.types import Verdict


@dataclass(frozen=True, slots=True)
class OverkillGuarantee:
    """A threshold with its guarantee: with `confidence`, at most the share `overkill` of good parts score above it.

    `threshold` is the score of place `rank`, counted from the lowest as 1, among those of `n` held-out good parts.
    """

    threshold: float
    overkill: float
    confidence: float
    n: int
    rank: int

    def __str__(self) -> str:
        """Format the guarantee as text, rounded so that it never claims more than holds."""
        share = percent_text(self.overkill, 3, ROUND_CEILING)
        sure = percent_text(self.confidence, 6, ROUND_FLOOR)
        return f"at most {share} of good parts, {sure} confidence, n = {self.n}"


@dataclass(frozen=True, slots=True, eq=False)
class CostThreshold:
    """The threshold of least expected cost per part, and its cost curve.

    `interval` contains the cost of this threshold with the given confidence, from the exact intervals of `escape` (of
    the bad parts, those not flagged) and `overkill` (of the good parts, those flagged). The threshold was chosen on
    the same parts, so expect new ones to cost more than `cost`, the more so the fewer bad parts there are. `thresholds`
    and `costs` are float64 (K,), in the order of rising thresholds.
    """

    threshold: float
    cost: float
    interval: tuple[float, float]
    escape: Share
    overkill: Share
    thresholds: NDArray[np.float64]
    costs: NDArray[np.float64]


def conformal_p_value(calibration: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Compute split-conformal p-values: (1 + number of held-out good scores that are as high) / (n + 1).

    A good part gets a value of alpha or less with a chance of at most alpha, whatever the distribution and the ties,
    on average over held-out sets. V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005,
    chapter 2; A. N. Angelopoulos and S. Bates, "Conformal Prediction: A Gentle Introduction", Foundations and Trends
    in Machine Learning 16, 2023, section 4.4 (outlier detection).

    Args:
        calibration: (n,) scores of held-out good parts.
        scores: scores of any shape, a single number included.

    Returns:
        Float64 of the shape of `scores`, from 1 / (n + 1) to 1.

    Raises:
        UsageError: no held-out score (code "calibration-too-few").
        ValueError: a score is not finite.
    """
    held = np.sort(_finite(calibration))
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    if not len(held):
        raise too_few_parts("a p-value needs", 1, 0)
    as_high = len(held) - np.searchsorted(held, values, side="left")
    return np.asarray((1 + as_high) / (len(held) + 1), dtype=np.float64)


def overkill_threshold(
    scores: ArrayLike, overkill: float, confidence: float, *, above: int = 0
) -> OverkillGuarantee:
    """Find the lowest held-out score above which, with `confidence`, at most the share `overkill` of good parts lie.

    The share below the score of place r among n has the distribution Beta(r, n - r + 1) for continuous scores, and
    is larger in distribution where scores can be equal, so ties only make the guarantee safer. One-sided nonparametric
    tolerance limit: S. S. Wilks, "Determination of sample sizes for setting tolerance limits", Annals of Mathematical
    Statistics 12, 1941, pp. 91-96; H. A. David and H. N. Nagaraja, "Order Statistics", 2003, section 7.2.

    Args:
        scores: (n,) scores of good parts, one per part, that nothing was learnt from.
        overkill: above 0 and below 1, 0.01 for 1 %.
        confidence: above 0 and below 1.
        above: further good parts that count as higher than every score, such as those set aside.

    Raises:
        UsageError: fewer scores than `pictures_needed` (code "calibration-too-few"), or a share outside 0 to 1.
        ValueError: a score is not finite.
    """
    held = np.sort(_finite(scores))
    needed, n = pictures_needed(overkill, confidence, above=above), len(held) + above
    if n < needed or not len(held):
        guarantee = OverkillGuarantee(math.nan, overkill, confidence, needed, needed)
        purpose = f'"{str(guarantee).rpartition(",")[0]}" needs'
        raise too_few_parts(purpose, needed, n, confidence, above=above)
    # The highest score is known to suffice; a second test could fail by a rounding error.
    rank = 1 + bisect_left(
        range(1, len(held)), confidence, key=lambda r: _confidence(n, r, overkill)
    )
    return OverkillGuarantee(float(held[rank - 1]), overkill, confidence, n, rank)


def tightest_threshold(
    scores: ArrayLike, confidence: float, *, above: int = 0
) -> OverkillGuarantee:
    """Take the highest held-out score, with the overkill that so few pictures guarantee: 45 % from five.

    For sets too small for the requested overkill. Arguments and errors as for `overkill_threshold`.
    """
    _check_share("confidence", confidence)
    held = _finite(scores)
    if not len(held):
        raise too_few_parts("a threshold needs", 1, 0)
    rank, n = len(held), len(held) + above
    return OverkillGuarantee(
        float(held.max()), guaranteed_overkill(n, rank, confidence), confidence, n, rank
    )


def pictures_needed(
    share: float, confidence: float, *, above: int = 0, name: str = "overkill"
) -> int:
    """Count the held-out parts needed for a guarantee about a share: 299 for 1 % at 95 %, 59 for 5 % at 95 %.

    The least n with 1 - (1 - share)^n >= confidence (Wilks 1941): then the highest score is the threshold. For more
    parts, of which `above` may score above it, the least n with Beta(above + 1, n - above) below `share` as surely.

    Args:
        share: above 0 and below 1.
        confidence: above 0 and below 1.
        above: scores that may lie above the threshold.
        name: of the share in errors.

    Raises:
        UsageError: a share outside 0 to 1.
    """
    _check_share(name, share)
    _check_share("confidence", confidence)
    exact = math.log1p(-confidence) / math.log1p(-share)
    least = max(1, math.ceil(exact * (1 - 1e-12)))
    if not above:
        return least
    most = least + above
    while _confidence(most, most - above, share) < confidence:
        most *= 2
    return least + bisect_left(
        range(least, most), confidence, key=lambda n: _confidence(n, n - above, share)
    )


def guaranteed_overkill(n: int, rank: int, confidence: float) -> float:
    """Compute the share of good parts that, with `confidence`, is not exceeded above the score of place `rank` of n.

    The `confidence` quantile of Beta(n - rank + 1, rank), source as for `overkill_threshold`. Places count from the
    lowest as 1.

    Raises:
        UsageError: a confidence outside 0 to 1.
        ValueError: not 1 <= rank <= n.
    """
    _check_share("confidence", confidence)
    if not 1 <= rank <= n:
        raise ValueError(f"expected a place from 1 to {n}, got {rank}")
    from scipy.special import betaincinv

    return float(betaincinv(n - rank + 1, rank, confidence))


def highest_by_part(scores: ArrayLike, parts: Iterable[Hashable]) -> NDArray[np.float64]:
    """Reduce to one score per part, the highest of its pictures: float64 (P,), parts in order of first appearance.

    A part is flagged where any of its pictures is, so guarantees about these scores are guarantees about parts.

    Raises:
        ValueError: the lengths differ, or a score is not finite.
    """
    highest: dict[Hashable, float] = {}
    for part, score in zip(parts, _finite(scores).tolist(), strict=True):
        highest[part] = max(score, highest.get(part, -math.inf))
    return np.fromiter(highest.values(), dtype=np.float64, count=len(highest))


def escape_share(bad: ArrayLike, threshold: float, confidence: float = 0.95) -> Share:
    """Compute the share of bad parts with scores (N,), N at least 1, let through: not above the threshold."""
    values = _finite(bad)
    return Share(int((values <= threshold).sum()), len(values), confidence)


def overkill_share(good: ArrayLike, threshold: float, confidence: float = 0.95) -> Share:
    """Compute the share of good parts with scores (N,), N at least 1, flagged: above the threshold."""
    values = _finite(good)
    return Share(int((values > threshold).sum()), len(values), confidence)


def cost_threshold(
    good: ArrayLike,
    bad: ArrayLike,
    cost_escape: float,
    cost_overkill: float,
    prevalence: float,
    *,
    confidence: float = 0.95,
) -> CostThreshold:
    """Find the threshold of least expected cost per part.

    cost = prevalence * cost_escape * escape + (1 - prevalence) * cost_overkill * overkill, with both shares from
    these scores (C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, section 1). Candidates lie
    midway between neighbouring scores, and half a gap beyond the lowest and the highest. Of equal costs the one with
    fewer escapes is taken, then the one with less overkill.

    Args:
        good: (N,) held-out scores of good parts, N at least 1.
        bad: (M,) scores of bad parts, M at least 1.
        cost_escape: the cost of one bad part let through, 0 or more.
        cost_overkill: the cost of one good part thrown away, 0 or more, in the same currency.
        prevalence: share of bad parts in production, above 0 and below 1.
        confidence: of the interval of the cost. Escapes and overkill are independent, so two exact intervals at the
            root of this contain the cost at least as often.

    Raises:
        UsageError: a cost or share that makes no sense; no good or no bad score (code "calibration-too-few").
        ValueError: a score is not finite.
    """
    _check_costs(cost_escape, cost_overkill)
    _check_share("prevalence", prevalence)
    _check_share("confidence", confidence)
    fine, faulty = np.sort(_finite(good)), np.sort(_finite(bad))
    for kind, values in (("good", fine), ("defective", faulty)):
        if not len(values):
            raise too_few_parts("a threshold from costs needs", 1, 0, kind=kind)
    thresholds = _midway(np.unique(np.concatenate([fine, faulty])))
    let_through = np.searchsorted(faulty, thresholds, side="right") / len(faulty)
    thrown_away = 1 - np.searchsorted(fine, thresholds, side="right") / len(fine)
    per_escape, per_overkill = prevalence * cost_escape, (1 - prevalence) * cost_overkill
    costs = per_escape * let_through + per_overkill * thrown_away
    # Costs that are equal on paper differ in the last bits.
    cheapest = np.flatnonzero(costs <= costs.min() + 1e-12 * (per_escape + per_overkill))
    best = int(cheapest[let_through[cheapest] == let_through[cheapest].min()][-1])
    threshold, each = float(thresholds[best]), math.sqrt(confidence)
    escapes = escape_share(faulty, threshold, each).interval
    overkills = overkill_share(fine, threshold, each).interval
    low, high = (per_escape * e + per_overkill * o for e, o in zip(escapes, overkills, strict=True))
    return CostThreshold(
        threshold,
        float(costs[best]),
        (low, high),
        escape_share(faulty, threshold, confidence),
        overkill_share(fine, threshold, confidence),
        thresholds,
        costs,
    )


def verdict(score: float, review: float, reject: float) -> Verdict:
    """Judge a score: above `reject` reject, else above `review` review, else accept.

    Raises:
        ModelError: the score is not finite (code "score-not-finite"): such a part is not judged, never accepted.
        UsageError: a threshold is not finite, or `review` is above `reject` (code "thresholds").
    """
    if not (math.isfinite(review) and math.isfinite(reject) and review <= reject):
        raise UsageError(
            f"expected finite thresholds, review at most reject, got review {review} and reject {reject}",
            hint="correct the thresholds of the recipe",
            code="thresholds",
        )
    if not math.isfinite(score):
        raise ModelError(
            f"expected a finite score, got {score}",
            hint="the model is damaged or the picture overflows it; such a part cannot be judged",
            code="score-not-finite",
        )
    if score > reject:
        return "reject"
    return "review" if score > review else "accept"


def _confidence(n: int, rank: int, overkill: float) -> float:
    """Compute the confidence that at most this share of good parts lies above the score of place `rank` among n.

    Zero where there is no such place.
    """
    if rank < 1:
        return 0.0
    # Imported here: scipy.special takes long to import, and inspecting does not need it.
    from scipy.special import betainc

    return float(betainc(n - rank + 1, rank, overkill))


def _midway(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute cuts between neighbours of rising distinct values (K,), and half a gap beyond both ends: (K + 1,)."""
    gaps = np.diff(values) if len(values) > 1 else np.maximum(1.0, np.abs(values))
    between = values[:-1] / 2 + values[1:] / 2
    # There is no float between two neighbouring ones: then the lower one is the cut.
    safe = np.where((between >= values[:-1]) & (between < values[1:]), between, values[:-1])
    lowest = min(values[0] - gaps[0] / 2, np.nextafter(values[0], -np.inf))
    return np.concatenate([[lowest], safe, [values[-1] + gaps[-1] / 2]])


def _finite(scores: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"expected a list of finite scores, got shape {values.shape}")
    return values


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(
            f"expected {name} above 0 and below 1, got {value}", hint="write 5 % as 0.05"
        )


def _check_costs(*costs: float) -> None:
    if not all(math.isfinite(cost) and cost >= 0 for cost in costs) or not any(costs):
        raise UsageError(
            f"expected costs of 0 or more, one of them above 0, got {' and '.join(map(str, costs))}"
        )


def too_few_parts(
    purpose: str,
    needed: int,
    came: int,
    confidence: float | None = None,
    *,
    above: int = 0,
    kind: str = "good",
    share: str = "overkill",
) -> UsageError:
    """Build the error of too few parts of a `kind`, with the least of the `share` that those that came can promise."""
    hint = f"give {needed - came} more {kind} parts"
    if came > above and confidence is not None:
        reachable = guaranteed_overkill(came, came - above, confidence)
        hint += f", or ask for an {share} of {percent_text(reachable, 3, ROUND_CEILING)} or more"
    aside = f", {above} of them set aside" if above else ""
    return UsageError(
        f"{purpose} {needed} held-out {kind} part{'s' * (needed > 1)}, got {came}{aside}",
        hint=hint,
        code="calibration-too-few",
    )


def percent_text(share: float, digits: int, rounding: str) -> str:
    """Format a share in percent with so many digits, rounded as `decimal` names it."""
    exact = Decimal(repr(share)) * 100
    step = Decimal(1).scaleb(exact.adjusted() + 1 - digits)
    return f"{exact.quantize(step, rounding).normalize():f} %"
