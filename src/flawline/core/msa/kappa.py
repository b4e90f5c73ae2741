"""Measure agreement beyond chance: kappa of Cohen and of Fleiss, and Kendall's W and tau, with intervals.

J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 1960, pp.
37-46; J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76, 1971, pp.
378-382. Intervals leave out one part after the other: the trials of one part are not independent, but parts are (J. L.
Fleiss and M. Davies, "Jackknifing functions of multinomial frequencies, with an application to a measure of
concordance", American Journal of Epidemiology 115, 1982, pp. 841-845).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, stdtrit

Numbers = NDArray[np.float64]
_BLOCKS = 200


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient with its interval; None where parts do not differ enough to give one."""

    value: float
    interval: tuple[float, float] | None


def cohen(table: Numbers) -> float | None:
    """Compute Cohen's kappa of a cross table (K, K) of two raters; None where both always say the same one thing."""
    total = table.sum()
    if not total:
        return None
    shares = table / total
    chance = float(shares.sum(axis=0) @ shares.sum(axis=1))
    return None if chance > 1 - 1e-12 else float((np.trace(shares) - chance) / (1 - chance))


def fleiss(counts: Numbers) -> float | None:
    """Compute Fleiss' kappa of counts (P, K), how often each part got each category.

    Parts with one rating do not count. None where all ratings are of one category, or no part has two.
    """
    return fleiss_of(fleiss_sums(counts).sum(axis=0))


def fleiss_sums(counts: Numbers) -> Numbers:
    """Compute what each part adds to Fleiss' kappa, (P, K + 2): its counts, the share of alike pairs, and 1.

    `counts` (P, K) are how often each part got each category; parts with one rating add nothing.
    """
    totals = counts.sum(axis=1)
    several = totals > 1
    pairs = np.where(several, totals * (totals - 1), 1.0)
    alike = ((counts**2).sum(axis=1) - totals) / pairs
    added = np.column_stack([counts, alike, np.ones(len(counts))])
    return np.asarray(added * several[:, None])


def fleiss_of(sums: Numbers) -> float | None:
    """Compute Fleiss' kappa of the sums (K + 2,) of `fleiss_sums` over parts; None as `fleiss`."""
    *counts, alike, parts = sums
    # Blocks are taken from sums of whole numbers, which stay whole.
    if parts < 0.5:
        return None
    shares = np.array(counts) / np.sum(counts)
    chance = float(shares @ shares)
    return None if chance > 1 - 1e-12 else float((alike / parts - chance) / (1 - chance))


def concordance(grades: Numbers) -> float | None:
    """Compute Kendall's W of grades (M, P): M ratings of P parts, corrected for ties; None where all are equal.

    M. G. Kendall and B. Babington Smith, "The problem of m rankings", Annals of Mathematical Statistics 10, 1939, pp.
    275-287.
    """
    from scipy.stats import rankdata

    many, parts = grades.shape
    if many < 2 or parts < 2:
        return None
    ranks = rankdata(grades, axis=1)
    spread = float(((ranks.sum(axis=0) - many * (parts + 1) / 2) ** 2).sum())
    ties = 0.0
    for row in grades:
        _, counts = np.unique(row, return_counts=True)
        ties += float((counts**3 - counts).sum())
    most = many**2 * (parts**3 - parts) - many * ties
    return None if most <= 0 else 12 * spread / most


def concordance_p(w: float, many: int, parts: int) -> float:
    """Compute the chance of W or more where ratings have nothing to do with parts, by chi-square."""
    return float(chdtrc(parts - 1, many * (parts - 1) * w))


def correlation(grades: Sequence[Numbers], standard: Numbers) -> float | None:
    """Average Kendall's tau-b of each rating (P,) with the standard (P,); None where one does not vary."""
    from scipy.stats import kendalltau

    if np.ptp(standard) == 0 or any(np.ptp(row) == 0 for row in grades):
        return None
    return float(np.mean([kendalltau(row, standard).statistic for row in grades]))


def with_interval(
    value: Callable[[NDArray[Any]], float | None],
    parts: NDArray[Any],
    confidence: float = 0.95,
) -> Agreement | None:
    """Add the interval to a coefficient by leaving out one part, or one of 200 blocks of parts, after the other.

    Args:
        value: the coefficient of the sum (...) of `parts`, None where it cannot be computed.
        parts: what each part adds, (P, ...).
        confidence: of the interval.
    """
    total = parts.sum(axis=0)
    whole = value(total)
    if whole is None:
        return None
    many = min(len(parts), _BLOCKS)
    blocks = [parts[block::many].sum(axis=0) for block in range(many)]
    left = [value(total - block) for block in blocks]
    known = np.array([one for one in left if one is not None])
    count = len(known)
    spread = float(np.ptp(known)) if count else 0.0
    if count < len(left) or count < 3 or spread <= 1e-12:
        return Agreement(whole, None)
    pseudo = count * whole - (count - 1) * known
    half = float(pseudo.std(ddof=1) / np.sqrt(count) * stdtrit(count - 1, (1 + confidence) / 2))
    return Agreement(whole, (max(whole - half, -1.0), min(whole + half, 1.0)))
