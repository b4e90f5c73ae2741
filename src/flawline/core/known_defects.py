"""Learn what patches of known defects look like, beside a score of what good parts do not show.

A bad picture is a bag of patches of which only few are bad (multiple-instance learning: T. Dietterich, R. Lathrop and
T. Lozano-Perez, Artificial Intelligence 89, 1997). The patches that the model of good parts finds most unusual are
taken, or those under a mask, against usual and unusual patches of good parts. One direction is learnt, by a logistic
regression with a strong penalty; of one bad picture it learns little, of many more. A patch scores what it scored
before plus its evidence where that is positive: no score falls, so that what is unknown is never forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float32]

CANDIDATES = 10
"""Patches of a bad picture that are taken for bad; as many as the score of a picture counts."""
MASKED = 20
"""Most patches under its mask that are taken for bad."""
COVERED = 0.2
"""Share of a patch that a mask must cover."""
_HARD, _DRAWN = 15, 15
_PENALTY = 0.01
_ROUNDS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Evidence of known defects: `direction` float32 (k + 1,), for k features of a patch and its score, and `bias`."""

    direction: Floats
    bias: float

    def of(self, patches: Floats, scores: Floats) -> Floats:
        """Evidence of patches (n, k) with scores (n,), float32 (n,); above 0 they look like known defects."""
        found = patches @ self.direction[:-1] + scores * self.direction[-1] + np.float32(self.bias)
        return np.asarray(found, np.float32)

    def scaled(self, floor: float, weight: float) -> Evidence:
        """Evidence above a floor, times a weight above 0."""
        direction = (self.direction * weight).astype(np.float32)
        return Evidence(direction, float((self.bias - floor) * weight))


def bad_candidates(
    scores: Floats, inside: NDArray[np.bool_] | None = None, covered: Floats | None = None
) -> NDArray[np.intp]:
    """Choose the patches of a bad picture that are taken for bad, the most unusual first.

    Args:
        scores: of its patches, (n,).
        inside: bool (n,), patches that count; None for all.
        covered: share of each patch under the mask of the defect, (n,); None or none covered where it is not known.
    """
    usable = np.ones(len(scores), bool) if inside is None else inside
    marked = None if covered is None else usable & (covered >= COVERED)
    if marked is not None and marked.any():
        return _highest(scores, marked, MASKED)
    return _highest(scores, usable, CANDIDATES)


def good_candidates(
    scores: Floats, inside: NDArray[np.bool_] | None, seed: tuple[int, ...]
) -> NDArray[np.intp]:
    """Choose patches of a good picture to learn from: its most unusual ones, and as many drawn from the rest."""
    usable = np.ones(len(scores), bool) if inside is None else inside.copy()
    hard = _highest(scores, usable, _HARD)
    usable[hard] = False
    rest = np.flatnonzero(usable)
    drawn = np.random.default_rng(seed).choice(rest, min(_DRAWN, len(rest)), replace=False)
    return np.concatenate([hard, np.sort(drawn)])


def _highest(scores: Floats, usable: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
    places = np.flatnonzero(usable)
    return places[np.argsort(-scores[places], kind="stable")[:count]]


def fit_evidence(good: Floats, bad: Floats, pictures: NDArray[np.intp]) -> Evidence:
    """Learn the direction in which bad patches differ from good ones.

    Logistic regression on standardised features, with an L2 penalty. Good and bad patches count for half each, and so
    does each bad picture among the bad ones for the same.

    Args:
        good: patches of good pictures, each with its score as the last number, (n, k + 1).
        bad: those of bad pictures, (m, k + 1), m at least 1.
        pictures: the number of the picture that each bad patch is from, (m,).
    """
    _, place, counts = np.unique(pictures, return_inverse=True, return_counts=True)
    own = 1 / counts[place]
    weights = np.concatenate([np.full(len(good), 0.5 / len(good)), 0.5 * own / own.sum()])
    rows = np.concatenate([good, bad]).astype(np.float64)
    mean = weights @ rows
    deviation = np.sqrt(weights @ (rows - mean) ** 2)
    # A feature without variance, but for rounding, tells nothing.
    deviation[deviation <= 1e-6 * np.abs(rows).max(axis=0)] = np.inf
    rows = (rows - mean) / deviation
    signs = np.repeat([-1.0, 1.0], [len(good), len(bad)])
    solution = _logistic(rows, signs, weights)
    direction = solution[:-1] / deviation
    return Evidence(direction.astype(np.float32), float(solution[-1] - direction @ mean))


def _logistic(
    rows: NDArray[np.float64], signs: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minimise the weighted logistic loss with an L2 penalty on all but the last number, the bias."""

    def loss(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        direction, bias = found[:-1], found[-1]
        margins = signs * (rows @ direction + bias)
        pull = -signs * weights * np.exp(-np.logaddexp(0, margins))
        value = weights @ np.logaddexp(0, -margins) + _PENALTY / 2 * direction @ direction
        return float(value), np.append(pull @ rows + _PENALTY * direction, pull.sum())

    start = np.zeros(rows.shape[1] + 1)
    options = {"maxiter": _ROUNDS}
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Scores of good and bad parts for every weight tried, the first weight 0: float64 (weights, parts)."""

    good: NDArray[np.float64]
    bad: NDArray[np.float64]

    def missed(self, overkill: float) -> NDArray[np.intp]:
        """Count for each weight the bad parts that the threshold of this overkill lets through."""
        limits = np.quantile(self.good, 1 - overkill, axis=1, method="higher")
        return np.asarray((self.bad <= limits[:, None]).sum(axis=1))


def choose_weight(known: Trial, unseen: Sequence[Trial], overkill: float) -> int:
    """Choose the place of the weight with which fewest known bad parts are missed; 0 where none is better than none.

    Args:
        known: bad parts that were not learnt from, of the kinds that were.
        unseen: a trial for each kind of defect, of bad parts of a kind that was not learnt; no weight may miss more of
            all of these than weight 0.
        overkill: share of good parts above the threshold.
    """
    missed = known.missed(overkill)
    worse = sum((trial.missed(overkill) for trial in unseen), np.zeros_like(missed))
    allowed = np.flatnonzero(worse <= worse[0])
    return int(allowed[np.argmin(missed[allowed])])
