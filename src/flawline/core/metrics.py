"""Metrics of scores that separate bad parts from good ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of` independent trials; `of` is at least 1.

    Raises:
        ValueError: not 0 <= hits <= of, no trials, or a confidence outside 0 to 1.
    """

    hits: int
    of: int
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse counts and confidences outside their ranges."""
        if not 0 <= self.hits <= self.of or self.of < 1 or not 0 < self.confidence < 1:
            raise ValueError(f"expected hits of at least one trial, got {self}")

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The interval (low, high) of Clopper and Pearson at `confidence`."""
        # Imported here: scipy.special takes long to import, and many callers need no interval.
        from flawline.core.intervals import clopper_pearson

        return clopper_pearson(self.hits, self.of, self.confidence)


def auroc(defective: ArrayLike, scores: ArrayLike) -> float:
    """Compute the area under the ROC curve: the chance that a bad part scores above a good one, ties counting half.

    Args:
        defective: (N,) booleans, True for bad; both kinds must be present.
        scores: (N,) numbers, higher is more anomalous.

    Raises:
        ValueError: one kind is missing, or a score is not finite.

    Computed from the Mann-Whitney statistic (J. A. Hanley and B. J. McNeil, Radiology 143, 1982, pp. 29-36).
    """
    bad, values = _checked(defective, scores)
    positives = int(bad.sum())
    negatives = len(bad) - positives
    ranks = _mean_ranks(values)
    excess = ranks[bad].sum() - positives * (positives + 1) / 2
    return float(excess / (positives * negatives))


def average_precision(defective: ArrayLike, scores: ArrayLike) -> float:
    """Compute the mean precision at each bad part of the ranking, without interpolation; equal scores enter together.

    M. Zhu, "Recall, Precision and Average Precision", University of Waterloo, 2004.

    Raises:
        ValueError: one kind is missing, or a score is not finite.
    """
    bad, values = _checked(defective, scores)
    order = np.argsort(-values, kind="stable")
    found = np.cumsum(bad[order])
    last_of_tie = np.append(np.diff(values[order]) != 0, True)
    found, inspected = found[last_of_tie], (np.arange(len(bad)) + 1)[last_of_tie]
    gained = np.diff(found, prepend=0)
    return float((gained * found / inspected).sum() / bad.sum())


def found_within(defective_in_order: ArrayLike) -> NDArray[np.int64]:
    """Count bad parts within the first 1, 2, ... N places of a ranking: (N,), from (N,) booleans in rank order."""
    return np.cumsum(np.asarray(defective_in_order, dtype=bool), dtype=np.int64)


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank values from 1, equal values by their mean rank.

    Not by scipy.stats: it takes longer to import than a hundred pictures take to rank.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return means


def _checked(
    defective: ArrayLike, scores: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    bad = np.asarray(defective, dtype=bool)
    values = np.asarray(scores, dtype=np.float64)
    if bad.shape != values.shape or bad.ndim != 1:
        raise ValueError(f"expected two lists of equal length, got {bad.shape} and {values.shape}")
    if not bad.any() or bad.all():
        raise ValueError("expected good and bad parts, got only one kind")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    return bad, values
