"""Study how well people, machines and a standard agree on parts.

AIAG, "Measurement Systems Analysis", 4th ed. 2010, chapter III section C (cross tables, effectiveness, miss and false
alarm rates); ISO 14468:2010 (assessed agreement within, between and against the standard).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from flawline.core.intervals import clopper_pearson
from flawline.core.msa.kappa import (
    Agreement,
    cohen,
    concordance,
    correlation,
    fleiss_of,
    fleiss_sums,
    with_interval,
)
from flawline.errors import FlawlineError

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the exact interval; 0 to 1."""

    count: int
    of: int
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        """Share, 0 to 1."""
        return self.count / self.of


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """What raters said of parts: `given[rater][part]` lists the numbers of categories, one a trial.

    `standard` (P,) are the right ones, None where they are not known. `bad` says which categories (K,) mean a bad part,
    None where that is not known. `ordered` says that categories are grades, from the least to the most.
    """

    parts: tuple[str, ...]
    raters: tuple[str, ...]
    categories: tuple[str, ...]
    given: tuple[tuple[tuple[int, ...], ...], ...]
    standard: NDArray[np.int64] | None
    bad: Flags | None
    ordered: bool

    def counts(self, raters: Sequence[int]) -> NDArray[np.float64]:
        """Count how often each part got each category from some raters: (P, K)."""
        size = len(self.parts), len(self.categories)
        places = [self.answers(rater) for rater in raters]
        flat = np.concatenate([part * size[1] + category for part, category in places])
        return np.bincount(flat, minlength=size[0] * size[1]).reshape(size).astype(np.float64)

    def answers(self, rater: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List the part and the category of every answer of a rater, (A,) each, by part and trial."""
        given = self.given[rater]
        many = np.fromiter(map(len, given), np.int64, len(given))
        said = np.fromiter(chain.from_iterable(given), np.int64, int(many.sum()))
        return np.repeat(np.arange(len(given)), many), said

    def trials(self, rater: int) -> list[NDArray[np.int64]]:
        """List the trials (P,) of a rater that rated every part; those that some part lacks are left out."""
        count = min(len(trials) for trials in self.given[rater])
        return [np.array([part[trial] for part in self.given[rater]]) for trial in range(count)]


@dataclass(frozen=True, slots=True)
class RaterResult:
    """How one rater agrees with himself and with the standard.

    `within` are parts on which all his trials agree, `right` those on which they also are the standard. `effectiveness`
    is the latter as AIAG calls it; `missed` are ratings of bad parts as good, `alarmed` of good parts as bad. Without
    a standard, repeats or grades, those are None.
    """

    name: str
    within: Share | None
    within_kappa: Agreement | None
    within_w: float | None
    right: Share | None
    right_kappa: Agreement | None
    right_cohen: Agreement | None
    right_tau: float | None
    missed: Share | None
    alarmed: Share | None


@dataclass(frozen=True, slots=True)
class AgreementResult:
    """How raters agree; `pairs` is Cohen's kappa of each two by matching trials, `tables` their cross tables (K, K).

    `together` are parts on which all trials of all raters agree, `right` those on which they also are the standard.
    """

    raters: tuple[RaterResult, ...]
    together: Share | None
    together_kappa: Agreement | None
    together_w: float | None
    right: Share | None
    right_kappa: Agreement | None
    right_cohen: Agreement | None
    pairs: Mapping[tuple[str, str], Agreement | None]
    tables: Mapping[tuple[str, str], NDArray[np.int64]]


def study_agreement(ratings: Ratings, confidence: float = 0.95) -> AgreementResult:
    """Compute the agreement within raters, between them, and with the standard.

    Raises:
        FlawlineError: ("agreement-few") nothing to compare: one rater without repeats or standard, or one part.
    """
    _check(ratings)
    each = tuple(_rater(ratings, n, confidence) for n in range(len(ratings.raters)))
    everyone = range(len(ratings.raters))
    several = len(ratings.raters) > 1
    together = _all_agree(ratings, everyone) if several else None
    pairs, tables = _pairs(ratings, confidence) if several else ({}, {})
    right, right_kappa, right_cohen = None, None, None
    if ratings.standard is not None and several:
        assert together is not None
        known, agreed = together
        right = _share(agreed & (_first(ratings, everyone) == ratings.standard), known, confidence)
        each_codes = [_trial_codes(ratings, n) for n in everyone]
        each_sums = [_standard_sums(ratings, codes) for codes in each_codes]
        ends = np.cumsum([sums.shape[1] for sums in each_sums])[:-1]
        right_kappa = with_interval(
            lambda sums: _mean([_fleiss_standard(own) for own in np.split(sums, ends)]),
            np.concatenate(each_sums, axis=1),
            confidence,
        )
        right_cohen = _pooled_cohen(ratings, everyone, confidence)
    counts = ratings.counts(everyone)
    return AgreementResult(
        each,
        None if together is None else _share(together[1], together[0], confidence),
        with_interval(fleiss_of, fleiss_sums(counts), confidence) if several else None,
        _concordance(ratings, everyone) if several else None,
        right,
        right_kappa,
        right_cohen,
        pairs,
        tables,
    )


def cross_table(ratings: Ratings, one: int, other: int) -> NDArray[np.int64]:
    """Count (P, K, K) what two raters said of each part in matching trials."""
    size = len(ratings.categories)
    table = np.zeros((len(ratings.parts), size, size), np.int64)
    parts = np.arange(len(ratings.parts))
    trials = zip(_trial_codes(ratings, one), _trial_codes(ratings, other), strict=False)
    for first, second in trials:
        both = (first >= 0) & (second >= 0)
        table[parts[both], first[both], second[both]] += 1
    return table


def standard_table(ratings: Ratings, rater: int) -> NDArray[np.int64]:
    """Count (P, K, K) what a rater said of each part, by row, against the standard, by column."""
    assert ratings.standard is not None
    table = np.zeros((len(ratings.parts), *[len(ratings.categories)] * 2), np.int64)
    parts, said = ratings.answers(rater)
    np.add.at(table, (parts, said, ratings.standard[parts]), 1)
    return table


def _check(ratings: Ratings) -> None:
    repeats = any(len(trials) > 1 for rater in ratings.given for trials in rater)
    if len(ratings.raters) < 2 and ratings.standard is None and not repeats:
        raise FlawlineError(
            "one rater without repeats and without a standard gives nothing to compare",
            hint="name the column of raters with `rater`, or of right answers with `reference`",
            code="agreement-few",
        )
    if len(ratings.parts) < 2:
        raise FlawlineError(
            "one part says nothing about agreement",
            hint="20 to 50 parts, a quarter of them near the limit between good and bad, are usual",
            code="agreement-few",
        )
    if len(ratings.categories) < 2:
        raise FlawlineError(
            f"every rating is {ratings.categories[0]!r}: agreement on that alone says nothing",
            hint="add parts of the other kind",
            code="agreement-constant",
        )


def _rater(ratings: Ratings, number: int, confidence: float) -> RaterResult:
    given = ratings.given[number]
    repeated = any(len(trials) > 1 for trials in given)
    known, agreed = _all_agree(ratings, [number])
    counts = ratings.counts([number])
    right, right_kappa, right_cohen, tau, missed, alarmed = None, None, None, None, None, None
    standard = ratings.standard
    if standard is not None:
        right = _share(agreed & (_first(ratings, [number]) == standard), known, confidence)
        codes = _trial_codes(ratings, number)
        right_kappa = with_interval(_fleiss_standard, _standard_sums(ratings, codes), confidence)
        right_cohen = _pooled_cohen(ratings, [number], confidence)
        if ratings.ordered:
            rows = [trial.astype(np.float64) for trial in ratings.trials(number)]
            tau = correlation(rows, standard.astype(np.float64))
        if ratings.bad is not None:
            missed, alarmed = _errors(ratings, number, confidence)
    return RaterResult(
        ratings.raters[number],
        _share(agreed, known, confidence) if repeated else None,
        with_interval(fleiss_of, fleiss_sums(counts), confidence) if repeated else None,
        _concordance(ratings, [number]) if repeated else None,
        right,
        right_kappa,
        right_cohen,
        tau,
        missed,
        alarmed,
    )


def _all_agree(ratings: Ratings, raters: Sequence[int]) -> tuple[Flags, Flags]:
    """Tell which parts (P,) all of these raters rated, and on which of them all trials agree."""
    count = len(ratings.parts)
    known = np.ones(count, dtype=bool)
    for n in raters:
        known &= np.bincount(ratings.answers(n)[0], minlength=count) > 0
    return known, known & ((ratings.counts(raters) > 0).sum(axis=1) == 1)


def _first(ratings: Ratings, raters: Sequence[int]) -> NDArray[np.int64]:
    """Return the category (P,) that these raters gave most; of a part on which they agree, the one."""
    return np.asarray(ratings.counts(raters).argmax(axis=1))


def _share(of_these: Flags, known: Flags, confidence: float) -> Share | None:
    count, of = int(of_these.sum()), int(known.sum())
    return None if not of else Share(count, of, clopper_pearson(count, of, confidence))


def _errors(ratings: Ratings, number: int, confidence: float) -> tuple[Share | None, Share | None]:
    """Count ratings of bad parts as good, and of good parts as bad."""
    assert ratings.bad is not None
    table = standard_table(ratings, number).sum(axis=0)
    bad = ratings.bad
    of_bad, of_good = int(table[:, bad].sum()), int(table[:, ~bad].sum())
    missed, alarmed = int(table[np.ix_(~bad, bad)].sum()), int(table[np.ix_(bad, ~bad)].sum())
    return (
        Share(missed, of_bad, clopper_pearson(missed, of_bad, confidence)) if of_bad else None,
        Share(alarmed, of_good, clopper_pearson(alarmed, of_good, confidence)) if of_good else None,
    )


def _trial_codes(ratings: Ratings, number: int) -> NDArray[np.int64]:
    """Gather the categories (T, P) of each trial of a rater, -1 where a part has fewer trials."""
    part, said = ratings.answers(number)
    many = np.bincount(part, minlength=len(ratings.parts))
    trial = np.arange(len(part)) - np.repeat(np.cumsum(many) - many, many)
    codes = np.full((int(many.max()), len(many)), -1, np.int64)
    codes[trial, part] = said
    return codes


def _standard_sums(ratings: Ratings, codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute what each part adds to Fleiss' kappa of each trial (T, P) with the standard, (P, T, K + 2)."""
    assert ratings.standard is not None
    # The last row stands for a trial that a part does not have, and adds nothing.
    one_of = np.vstack([np.eye(len(ratings.categories)), np.zeros(len(ratings.categories))])
    right = one_of[ratings.standard]
    sums = [
        fleiss_sums(np.where((trial >= 0)[:, None], one_of[trial] + right, 0)) for trial in codes
    ]
    return np.stack(sums, axis=1)


def _fleiss_standard(sums: NDArray[np.float64]) -> float | None:
    """Average Fleiss' kappa with the standard over trials, of sums (T, K + 2), as Minitab does."""
    return _mean([fleiss_of(trial) for trial in sums if trial[-1] > 0.5])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _pooled_cohen(ratings: Ratings, raters: Sequence[int], confidence: float) -> Agreement | None:
    table = sum(standard_table(ratings, n) for n in raters)
    return with_interval(cohen, np.asarray(table), confidence)


def _pairs(
    ratings: Ratings, confidence: float
) -> tuple[dict[tuple[str, str], Agreement | None], dict[tuple[str, str], NDArray[np.int64]]]:
    pairs, tables = {}, {}
    for one, other in combinations(range(len(ratings.raters)), 2):
        names = ratings.raters[one], ratings.raters[other]
        table = cross_table(ratings, one, other)
        if not table.sum():
            continue
        tables[names] = table.sum(axis=0)
        pairs[names] = with_interval(cohen, table, confidence)
    return pairs, tables


def _concordance(ratings: Ratings, raters: Sequence[int]) -> float | None:
    if not ratings.ordered:
        return None
    rows = [trial for n in raters for trial in ratings.trials(n)]
    return concordance(np.array(rows, np.float64)) if len(rows) > 1 else None
