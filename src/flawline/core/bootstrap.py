"""Bootstrap intervals of a metric of scores, and of the difference between two sets of scores of the same pictures.

Whole groups (the pictures of one part) are drawn with replacement: scores of one part are correlated, so drawing single
pictures would make intervals too narrow. Draws are stratified by what groups contain (good only, bad only, both), so
every draw has as many groups of each kind as the data. B. Efron and R. J. Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13 (percentile intervals); C. A. Field and A. H. Welsh, "Bootstrapping clustered data",
Journal of the Royal Statistical Society B 69, 2007, pp. 369-390; P. J. Bickel and D. A. Freedman, "Asymptotic normality
and the bootstrap in stratified sampling", Annals of Statistics 12, 1984, pp. 470-482.

Percentile intervals are somewhat too narrow where groups are few: below about twenty of a kind, read them as rough.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.errors import UsageError

Metric = Callable[[NDArray[np.bool_], NDArray[np.float64]], float]
"""A number from (N,) booleans, True for bad, and (N,) scores, such as `flawline.core.metrics.auroc`."""

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Measured value of a metric, and its interval over draws of groups."""

    value: float
    low: float
    high: float
    confidence: float
    groups: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Metric of the second scores minus that of the first, and its interval over draws of groups.

    `p` is the two-sided p-value: the level at which the interval would just reach 0.
    """

    value: float
    low: float
    high: float
    confidence: float
    groups: int
    p: float


def metric_interval(
    metric: Metric,
    defective: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Compute a metric and its percentile interval.

    Args:
        metric: called once on everything and once per draw.
        defective: (N,) booleans, True for bad; good and bad groups, at least two of each.
        scores: (N,) finite numbers, higher is more anomalous.
        groups: the part of each picture; by default every picture is a part of its own.
        draws: at least 100.
        seed: the same seed gives the same interval.
        confidence: above 0 and below 1.

    Raises:
        UsageError: too few groups to draw from (code "groups-too-few"), too few draws, or a confidence outside 0 to 1.
        ValueError: the lengths differ, or a score is not finite.
    """
    bad, values = _checked(defective, scores)
    names = _numbered(groups, len(bad))
    drawn = [metric(bad[rows], values[rows]) for rows in _resamples(bad, names, draws, seed)]
    low, high = _percentiles(np.array(drawn), confidence)
    return Estimate(metric(bad, values), low, high, confidence, int(names.max()) + 1)


def paired_difference(
    metric: Metric,
    defective: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = 0.95,
) -> Difference:
    """Compute the gain of a metric from the first to the second scores of the same pictures, with its interval.

    Both are measured on the same draws, which cancels the difficulty of a draw. The p-value inverts the percentile
    interval (Efron and Tibshirani 1993, section 15.4): twice the smaller of the shares of draws at or below and at or
    above 0, counting the measured value as one more draw (A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
    Application", 1997, section 4.2), so it is never below 2 / (draws + 1). Further arguments and errors as for
    `metric_interval`.
    """
    bad, one = _checked(defective, first)
    _, other = _checked(defective, second)
    names = _numbered(groups, len(bad))
    drawn = np.array(
        [
            metric(bad[rows], other[rows]) - metric(bad[rows], one[rows])
            for rows in _resamples(bad, names, draws, seed)
        ]
    )
    low, high = _percentiles(drawn, confidence)
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return Difference(
        metric(bad, other) - metric(bad, one),
        low,
        high,
        confidence,
        int(names.max()) + 1,
        min(1.0, 2 * (tail + 1) / (len(drawn) + 1)),
    )


def _resamples(
    bad: NDArray[np.bool_], names: NDArray[np.intp], draws: int, seed: int
) -> Iterator[NDArray[np.intp]]:
    """Draw the rows of each resample: groups with replacement, as many of each kind as there are."""
    if draws < 100:
        raise UsageError(f"expected at least 100 draws, got {draws}", hint="2000 are usual")
    rows = np.argsort(names, kind="stable")
    sizes = np.bincount(names)
    starts = np.cumsum(sizes) - sizes
    bad_share = np.bincount(names, weights=bad) / sizes
    kinds = [
        np.flatnonzero(is_kind)
        for is_kind in (bad_share == 0, bad_share == 1, (bad_share > 0) & (bad_share < 1))
    ]
    good_only, bad_only, both = map(len, kinds)
    for kind, most in (("good", max(good_only, both)), ("bad", max(bad_only, both))):
        if most < 2:
            raise UsageError(
                f"expected at least two groups with {kind} parts to draw from, got {most}",
                hint="give more parts, or no interval",
                code="groups-too-few",
            )
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        chosen = np.concatenate([kind[rng.integers(len(kind), size=len(kind))] for kind in kinds])
        length = sizes[chosen]
        within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        yield rows[np.repeat(starts[chosen], length) + within]


def _percentiles(drawn: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    if not 0 < confidence < 1:
        raise UsageError(f"expected a confidence above 0 and below 1, got {confidence}")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _numbered(groups: Sequence[Hashable] | None, count: int) -> NDArray[np.intp]:
    """Number groups from 0 in order of first appearance."""
    if groups is None:
        return np.arange(count)
    if len(groups) != count:
        raise ValueError(f"expected a group for each of {count} pictures, got {len(groups)}")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)


def _checked(
    defective: ArrayLike, scores: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    bad = np.asarray(defective, dtype=bool)
    values = np.asarray(scores, dtype=np.float64)
    if bad.shape != values.shape or bad.ndim != 1 or not len(bad):
        raise ValueError(f"expected two lists of equal length, got {bad.shape} and {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    return bad, values
