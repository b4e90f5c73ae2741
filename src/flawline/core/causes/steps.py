"""Which step adds which defects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, ndtri

from flawline.core.causes.rates import Rate, rate_of, share_of

Floats = NDArray[np.float64]
DRAWS = 999
# More random numbers than this take seconds, and a normal distribution is then as good.
_MOST = 100_000_000


@dataclass(frozen=True, slots=True)
class StepEffect:
    """What one step adds of one class.

    `added` is new defects a part, `share` (value, low, high) that of all new defects, `p` that of a step adding no more
    than the others, allowing for all steps and classes that were looked at.
    """

    step: int
    added: Rate
    share: tuple[float, float, float]
    p: float


def step_effects(added: Floats, *, confidence: float = 0.95, seed: int = 0) -> list[list[StepEffect]]:
    """Estimate what each step adds of each class, and whether it surely adds more than the other steps.

    Under the null hypothesis the steps of a part add alike, so that its counts may change places. p is the share of such
    permutations in which any step of any class stands out as much (largest standardised sum; P. H. Westfall and S. S.
    Young, "Resampling-Based Multiple Testing", 1993, section 2.3); with very many parts, the upper tail of the normal
    distribution by Bonferroni.

    Args:
        added: (C, N, S) new defects of C classes, N parts and S steps, S at least 2.
        confidence: of the intervals.
        seed: of the permutations.

    Returns:
        The effects, one list per class.
    """
    p = _p_values(added, seed)
    classes, _, steps = added.shape
    effects = []
    for kind in range(classes):
        total = added[kind].sum(axis=1)
        effects.append(
            [
                StepEffect(
                    step,
                    rate_of(added[kind, :, step], confidence),
                    share_of(added[kind, :, step], total, confidence),
                    float(p[kind, step]),
                )
                for step in range(steps)
            ]
        )
    return effects


def _p_values(added: Floats, seed: int) -> Floats:
    """Compute the p-value of each class and step, (C, S)."""
    classes, _, steps = added.shape
    some = [counts[counts.any(axis=1)] for counts in added]
    scale = [np.sqrt(max(((c - c.mean(axis=1, keepdims=True)) ** 2).sum() / steps, 1e-12)) for c in some]
    found = np.array([_stand_out(c, s) for c, s in zip(some, scale, strict=True)])
    if DRAWS * sum(c.size for c in some) > _MOST:
        tails = 0.5 * erfc(found / np.sqrt(2))
        return np.minimum(1.0, tails * classes * steps)
    rng = np.random.default_rng(seed)
    largest = np.empty(DRAWS)
    for draw in range(DRAWS):
        largest[draw] = max(
            _stand_out(rng.permuted(c, axis=1), s).max() if len(c) else 0.0
            for c, s in zip(some, scale, strict=True)
        )
    beyond = (largest[:, None, None] >= found - 1e-9).sum(axis=0)
    return (beyond + 1) / (DRAWS + 1)


def _stand_out(counts: Floats, scale: float) -> Floats:
    """Return by how much each step's sum is above the mean of all, in standard deviations of a permutation."""
    sums = counts.sum(axis=0)
    return np.asarray((sums - sums.mean()) / scale)


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """Change of the defects a part from the step before, where parts are not followed.

    `value` may be below 0: a step that cleans. `wider` is how many times as wide the interval is as with followed
    parts, about. `p` is that of no change, times the number of comparisons.
    """

    step: int
    value: float
    low: float
    high: float
    wider: float
    p: float


def group_effects(
    before: Floats, after: Floats, step: int, comparisons: int, confidence: float = 0.95
) -> GroupEffect:
    """Compare the counts of parts after a step, (M,), with those of other parts before it, (N,).

    B. L. Welch's two variances with the normal distribution; each is at least that of a Poisson count, so that groups
    without a defect are not taken for certain.
    """
    change = float(after.mean() - before.mean())
    error = float(np.sqrt(_variance(before) + _variance(after)))
    away = float(ndtri((1 + confidence) / 2)) * error
    p = float(erfc(abs(change) / error / np.sqrt(2)))
    followed = np.sqrt(max(change, 1 / len(after)) / len(after))
    return GroupEffect(
        step, change, change - away, change + away, max(1.0, float(error / followed)), min(1.0, p * comparisons)
    )


def _variance(counts: Floats) -> float:
    """Estimate the variance of a mean, at least that of a Poisson count of one more defect."""
    own = counts.var(ddof=1) if len(counts) > 1 else 0.0
    return float(max(own, (counts.sum() + 1) / len(counts)) / len(counts))
