"""Which step adds which defects."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import perm

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, ndtri

from flawline.core.causes.rates import Rate, rate_of, share_of

Floats = NDArray[np.float64]
DRAWS = 999
# Parts whose counts can be ordered in more ways than this are permuted one by one.
_MOST = 5000


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


def step_effects(
    added: Floats, *, confidence: float = 0.95, seed: int = 0
) -> list[list[StepEffect]]:
    """Estimate what each step adds of each class, and whether it surely adds more than the other steps.

    Under the null hypothesis the steps of a part add alike, so that its counts may change places. p is the share of
    such
    permutations in which any step of any class stands out as much (largest standardised sum; P. H. Westfall and S. S.
    Young, "Resampling-Based Multiple Testing", 1993, section 2.3).

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
    some = [counts[counts.any(axis=1)] for counts in added]
    scales = [
        np.sqrt(max(((c - c.mean(axis=1, keepdims=True)) ** 2).sum() / c.shape[1], 1e-12))
        for c in some
    ]
    found = np.array(
        [_stand_out(c.sum(axis=0), scale) for c, scale in zip(some, scales, strict=True)]
    )
    rng = np.random.default_rng(seed)
    largest = np.zeros(DRAWS)
    for counts, scale in zip(some, scales, strict=True):
        largest = np.maximum(largest, _stand_out(_drawn_sums(rng, counts), scale).max(axis=1))
    beyond = (largest[:, None, None] >= found - 1e-9).sum(axis=0)
    return np.asarray((beyond + 1) / (DRAWS + 1))


def _drawn_sums(rng: np.random.Generator, counts: Floats) -> Floats:
    """Sum the counts of each step after the steps of every part changed places by chance, (draws, S).

    Parts with the same counts are drawn together: how many of them get each arrangement is multinomial.
    """
    steps = counts.shape[1]
    sums = np.zeros((DRAWS, steps))
    patterns, many = np.unique(np.sort(counts, axis=1), axis=0, return_counts=True)
    for pattern, count in zip(patterns, many.tolist(), strict=True):
        arranged = _arrangements(pattern)
        if arranged is None:
            for draw in range(DRAWS):
                each = rng.permuted(np.tile(pattern, (count, 1)), axis=1)
                sums[draw] += each.sum(axis=0)
            continue
        drawn = rng.multinomial(count, np.full(len(arranged), 1 / len(arranged)), DRAWS)
        sums += drawn @ arranged
    return sums


def _arrangements(pattern: Floats) -> Floats | None:
    """List the distinct orders of a part's counts, None where there are too many."""
    steps = len(pattern)
    some = np.flatnonzero(pattern)
    if perm(steps, len(some)) > _MOST:
        return None
    orders = np.zeros((perm(steps, len(some)), steps))
    for row, places in enumerate(permutations(range(steps), len(some))):
        orders[row, list(places)] = pattern[some]
    return np.unique(orders, axis=0)


def _stand_out(sums: Floats, scale: float) -> Floats:
    """Return by how much each step's sum, (..., S), is above the mean, in standard deviations of a permutation."""
    return np.asarray((sums - sums.mean(axis=-1, keepdims=True)) / scale)


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
        step,
        change,
        change - away,
        change + away,
        max(1.0, float(error / followed)),
        min(1.0, p * comparisons),
    )


def _variance(counts: Floats) -> float:
    """Estimate the variance of a mean, at least that of a Poisson count of one more defect."""
    own = counts.var(ddof=1) if len(counts) > 1 else 0.0
    return float(max(own, (counts.sum() + 1) / len(counts)) / len(counts))
