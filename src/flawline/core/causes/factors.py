"""Which tool, lot, shift or other factor goes with more or larger defects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, fdtrc, ndtri

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Scale = Literal["counts", "sizes"]
DRAWS = 999
# More cells of all drawn tables than this take seconds, and the F distribution is then as good.
_MOST = 50_000_000
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class FactorEffect:
    """How much a measure differs between the levels of a factor.

    `parts` (L,) and `means` (L,) are of each level: the mean count a part, or the geometric mean of sizes; `low` and
    `high` their intervals. `worst` is the level with the surest rise above all other parts, whose ratio is `ratio`
    (value, low, high), with an interval that allows for the choice among levels. `p` is that of no difference at all.
    """

    parts: Numbers
    means: Floats
    low: Floats
    high: Floats
    worst: int
    ratio: tuple[float, float, float]
    p: float


def factor_effect(
    values: Floats, levels: Numbers, scale: Scale, *, confidence: float = 0.95, seed: int = 0
) -> FactorEffect | None:
    """Compare the values of parts between the levels of a factor; None where there is nothing to compare.

    Counts are taken as negative binomial with one dispersion for all levels (by moments: J. F. Lawless, "Negative
    binomial and mixed Poisson regression", Canadian Journal of Statistics 15, 1987, equation 2.6), whose maximum
    likelihood estimate of a level's mean is its mean; p is that of a permutation of the parts (of the F distribution
    with very many). Sizes are taken as lognormal, with B. L. Welch's test of unequal variances ("On the comparison of
    several mean values", Biometrika 38, 1951, pp. 330-336).

    Args:
        values: (N,) counts of 0 or more, or sizes above 0, one per part.
        levels: (N,) number of each part's level, from 0; every level has a part.
        scale: which of the two they are.
        confidence: of the intervals.
        seed: of the permutations.
    """
    count = int(levels.max()) + 1 if len(levels) else 0
    parts = np.bincount(levels, minlength=count)
    if count < 2 or (parts >= _FEWEST).sum() < 2:
        return None
    if scale == "sizes":
        return _sizes(np.log(values), levels, parts, confidence)
    return _counts(values, levels, parts, confidence, seed)


def _counts(
    values: Floats, levels: Numbers, parts: Numbers, confidence: float, seed: int
) -> FactorEffect:
    totals = np.bincount(levels, values).astype(np.float64)
    means = totals / parts
    extra = extra_dispersion(values, means[levels])
    within = dispersion_of(means, extra)
    tail = (1 - confidence) / 2
    low = np.where(totals > 0, chdtri(2 * totals / within, 1 - tail), 0.0) / 2 * within / parts
    high = chdtri(2 * (totals / within + 1), tail) / 2 * within / parts
    ratios, errors = _log_ratios(totals, parts, extra)
    worst, ratio = _worst(ratios, errors, parts, confidence)
    return FactorEffect(parts, means, low, high, worst, ratio, _permuted(values, levels, seed))


def dispersion_of(means: Floats, extra: float) -> Floats:
    """Compute the variance over the mean of negative binomial counts, (L,)."""
    return 1 + extra * means


def extra_dispersion(values: Floats, fitted: Floats) -> float:
    """Estimate a of the variance m + a m² of counts about their fitted means, by moments; 0 for none."""
    squares = float((fitted**2).sum())
    if not squares:
        return 0.0
    return max(0.0, float(((values - fitted) ** 2 - fitted).sum() / squares))


def _log_ratios(totals: Floats, parts: Numbers, extra: float) -> tuple[Floats, Floats]:
    """Return the log of each level's mean over that of all other parts, with its standard error."""
    rest, others = totals.sum() - totals, parts.sum() - parts
    # Half a defect on either side, so that none has a ratio too.
    mine, theirs = totals + 0.5, rest + 0.5
    errors = np.sqrt(1 / mine + 1 / theirs + extra * (1 / parts + 1 / np.maximum(others, 1)))
    return np.log(mine / (parts + 0.5)) - np.log(theirs / (others + 0.5)), errors


def _worst(
    ratios: Floats, errors: Floats, parts: Numbers, confidence: float
) -> tuple[int, tuple[float, float, float]]:
    """Choose the level whose ratio is surest above 1, with an interval for the choice (Bonferroni)."""
    usable = parts >= _FEWEST
    away = float(ndtri(1 - (1 - confidence) / 2 / usable.sum()))
    low = np.where(usable, ratios - away * errors, -np.inf)
    worst = int(np.argmax(low))
    value, error = float(ratios[worst]), float(errors[worst])
    return worst, (
        float(np.exp(value)),
        float(np.exp(value - away * error)),
        float(np.exp(value + away * error)),
    )


def _permuted(values: Floats, levels: Numbers, seed: int) -> float:
    """Compute the p-value of the variance between levels by permuting parts."""
    from scipy.stats import random_table

    distinct, place = np.unique(values, return_inverse=True)
    rows, columns = np.bincount(place), np.bincount(levels)
    centred = distinct - values.mean()
    if len(distinct) < 2:
        return 1.0
    if len(distinct) * len(columns) * DRAWS > _MOST:
        return f_test(values, levels)
    found = float((np.bincount(levels, centred[place]) ** 2 / columns).sum())
    draws = random_table(rows, columns).rvs(DRAWS, random_state=np.random.default_rng(seed))
    sums = np.einsum("drc,r->dc", draws, centred)
    beyond = int(((sums**2 / columns).sum(axis=1) >= found * (1 - 1e-9)).sum())
    return (beyond + 1) / (DRAWS + 1)


def f_test(values: Floats, levels: Numbers) -> float:
    """Compute the p-value of R. A. Fisher's test of equal means."""
    parts = np.bincount(levels)
    means = np.bincount(levels, values) / parts
    between = float((parts * (means - values.mean()) ** 2).sum())
    within = float(((values - means[levels]) ** 2).sum())
    return _tail(between, len(parts) - 1, within, len(values) - len(parts))


def _tail(between: float, first: int, within: float, second: int) -> float:
    if second < 1 or first < 1:
        return 1.0
    if within <= 1e-12 * max(between, 1e-300):
        return 0.0 if between > 1e-12 else 1.0
    return float(fdtrc(first, second, between / first / (within / second)))


def _sizes(logs: Floats, levels: Numbers, parts: Numbers, confidence: float) -> FactorEffect:
    means = np.bincount(levels, logs) / parts
    squares = np.bincount(levels, (logs - means[levels]) ** 2)
    pooled = squares.sum() / max(len(logs) - len(parts), 1)
    errors = np.sqrt(pooled / parts)
    away = float(ndtri((1 + confidence) / 2))
    rest = np.bincount(levels, logs).sum() - means * parts
    others = np.maximum(len(logs) - parts, 1)
    ratios = means - rest / others
    worst, ratio = _worst(ratios, np.sqrt(pooled / parts + pooled / others), parts, confidence)
    return FactorEffect(
        parts,
        np.exp(means),
        np.exp(means - away * errors),
        np.exp(means + away * errors),
        worst,
        ratio,
        welch(logs, levels),
    )


def welch(values: Floats, levels: Numbers) -> float:
    """Compute the p-value of Welch's test of equal means; levels with fewer than 2 values are left out."""
    parts = np.bincount(levels)
    keep = parts[levels] > 1
    values, levels = values[keep], np.unique(levels[keep], return_inverse=True)[1]
    parts = np.bincount(levels)
    count = len(parts)
    if count < 2:
        return 1.0
    means = np.bincount(levels, values) / parts
    variances = np.bincount(levels, (values - means[levels]) ** 2) / (parts - 1)
    if not (variances > 0).all():
        return f_test(values, levels)
    weights = parts / variances
    share = weights / weights.sum()
    centre = float((share * means).sum())
    uneven = float(((1 - share) ** 2 / (parts - 1)).sum())
    top = float((weights * (means - centre) ** 2).sum()) / (count - 1)
    below = 1 + 2 * (count - 2) / (count**2 - 1) * uneven
    return float(fdtrc(count - 1, (count**2 - 1) / (3 * uneven), top / below))


def own_effect(values: Floats, factor: Numbers, other: Numbers) -> float | None:
    """Compute the p-value of a factor where another one is allowed for; None where they cannot be told apart.

    The F test of the factor's levels in addition to those of the other one, least squares without interaction
    (H. Scheffé, "The Analysis of Variance", 1959, section 4.4).
    """
    both = factor * (int(other.max()) + 1) + other
    cells, place = np.unique(both, return_inverse=True)
    parts = np.bincount(place).astype(np.float64)
    means = np.bincount(place, values) / parts
    within = float(((values - means[place]) ** 2).sum())
    small = _dummies(cells % (int(other.max()) + 1))
    whole = np.hstack([small, _dummies(cells // (int(other.max()) + 1))])
    ranks = [int(np.linalg.matrix_rank(each)) for each in (small, whole)]
    if ranks[1] == ranks[0]:
        return None
    left = [_left(each, means, parts) for each in (small, whole)]
    return _tail(left[0] - left[1], ranks[1] - ranks[0], left[1] + within, len(values) - ranks[1])


def _dummies(codes: Numbers) -> Floats:
    return np.equal.outer(codes, np.unique(codes)).astype(np.float64)


def _left(columns: Floats, means: Floats, weights: Floats) -> float:
    root = np.sqrt(weights)
    fitted = np.linalg.lstsq(columns * root[:, None], means * root, rcond=None)[0]
    return float((weights * (means - columns @ fitted) ** 2).sum())


def overlap(factor: Numbers, other: Numbers) -> float:
    """Measure how far two factors go together, 0 to 1: Cramér's V with the correction of its bias.

    W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society 42,
    2013, pp. 323-328.
    """
    table = np.zeros((int(factor.max()) + 1, int(other.max()) + 1))
    np.add.at(table, (factor, other), 1)
    count = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / count
    phi = float(((table - expected) ** 2 / expected).sum()) / count
    rows, columns = table.shape
    if count < 3 or min(rows, columns) < 2:
        return 0.0
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (count - 1))
    sides = [side - (side - 1) ** 2 / (count - 1) for side in (rows, columns)]
    least = min(sides) - 1
    return float(min(1.0, np.sqrt(phi / least))) if least > 0 else 0.0


def only_with(factor: Numbers, level: int, other: Numbers) -> int | None:
    """Name the level of another factor with which nearly all parts of a level go (95 %), None for several."""
    beside = np.bincount(other[factor == level], minlength=int(other.max()) + 1)
    most = int(np.argmax(beside))
    return most if beside[most] >= 0.95 * beside.sum() else None
