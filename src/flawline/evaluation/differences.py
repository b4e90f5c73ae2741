"""What each recipe reaches on the same pictures, and what it gains over the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.bootstrap import Difference, Metric, paired_difference
from flawline.core.metrics import auroc, average_precision
from flawline.errors import UsageError
from flawline.evaluation.figures import Part, draws_for, parts_of
from flawline.evaluation.result import Evaluation, Judged
from flawline.types import Verdict

Booleans = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Finding = Literal["better", "worse", "not told apart"]


@dataclass(frozen=True, slots=True)
class Costs:
    """What decisions cost, in one money, and the share of bad parts in production.

    `escape`: a bad part accepted. `overkill`: a good part rejected. `review`: a part that a person looks at, who then
    decides rightly. All costs are 0 or more, one of them above 0; `prevalence` is above 0 and below 1.

    Raises:
        UsageError: a value outside.
    """

    escape: float
    overkill: float
    prevalence: float
    review: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        costs = (self.escape, self.overkill, self.review)
        if not all(math.isfinite(cost) and cost >= 0 for cost in costs) or not any(costs):
            raise UsageError(
                f"expected costs of 0 or more, one of them above 0, got {', '.join(map(str, costs))}",
                hint="give --cost-escape and --cost-overkill in the same money",
            )
        if not 0 < self.prevalence < 1:
            raise UsageError(
                f"expected a prevalence above 0 and below 1, got {self.prevalence}",
                hint="write 1 % of bad parts as 0.01",
            )


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of every recipe.

    `values` has one entry per recipe, None where there is none, for the `reason`. `differences` are those to the first
    recipe, one entry per recipe but the first; None where parts are too few to draw from or the metric has no interval.
    """

    name: str
    higher_is_better: bool | None
    values: tuple[float | None, ...]
    differences: tuple[Difference | None, ...]
    reason: str = ""

    def finding(self, place: int) -> Finding | None:
        """Whether recipe `place`, from 1, is better than the first: its interval leaves 0 out, or it is not told."""
        difference = self.differences[place - 1]
        if difference is None or self.higher_is_better is None:
            return None
        if difference.low <= 0 <= difference.high:
            return "not told apart"
        return "better" if (difference.low > 0) == self.higher_is_better else "worse"


def metric_rows(
    found: Sequence[Evaluation],
    judged: Sequence[Sequence[Judged]],
    same: bool,
    costs: Costs | None,
    seed: int,
) -> list[Row]:
    """Every metric.

    Args:
        found: the evaluation of each recipe.
        judged: by recipe, the same pictures in the same order.
        same: whether these are all pictures of each evaluation, so that its pixel figures can be compared.
        costs: what decisions cost, for a cost per part.
        seed: of the draws.
    """
    scores = [np.array([p.score for p in pictures]) for pictures in judged]
    bad = np.array([p.defective for p in judged[0]], bool)
    names = [p.part for p in judged[0]]
    draw = _Draw(seed, draws_for(len(bad)))
    kinds = "" if bad.any() and not bad.all() else "pictures are all good or all bad"
    rows = [
        draw.row("image AUROC", True, auroc, bad, scores, names, kinds),
        draw.row("image average precision", True, average_precision, bad, scores, names, kinds),
        *_pixel_rows(found, same),
        _recall_row(judged, draw),
    ]
    parts = [parts_of(pictures) for pictures in judged]
    rows += _rate_rows(parts, draw)
    if costs is not None:
        rows.append(_cost_row(parts, costs, draw))
    speeds = tuple(one.pictures_per_second for one in found)
    rows.append(Row("pictures per second", None, speeds, (None,) * (len(found) - 1)))
    return rows


@dataclass(frozen=True, slots=True)
class _Draw:
    """How differences are drawn."""

    seed: int
    draws: int

    def row(
        self,
        name: str,
        higher: bool,
        metric: Metric,
        bad: Booleans,
        values: Sequence[Numbers],
        groups: Sequence[str],
        reason: str = "",
    ) -> Row:
        """A metric of the values of every recipe, and its paired differences to the first."""
        if reason:
            nothing = (None,) * len(values)
            return Row(name, higher, nothing, nothing[1:], reason)
        differences = [
            self._difference(metric, bad, values[0], other, groups) for other in values[1:]
        ]
        told = tuple(metric(bad, own) for own in values)
        why = "" if all(differences) else "too few parts for an interval"
        return Row(name, higher, told, tuple(differences), why)

    def _difference(
        self, metric: Metric, bad: Booleans, one: Numbers, other: Numbers, groups: Sequence[str]
    ) -> Difference | None:
        try:
            return paired_difference(
                metric, bad, one, other, groups, draws=self.draws, seed=self.seed
            )
        except UsageError as error:
            if error.code != "groups-too-few":
                raise
            return None


def _pixel_rows(found: Sequence[Evaluation], same: bool) -> list[Row]:
    none: tuple[Difference | None, ...] = (None,) * (len(found) - 1)
    given = [one.pixels for one in found]
    if not same or any(one is None for one in given):
        reason = found[0].missing.get("pixels") or "the recipes did not judge the same pictures"
        return [Row("pixel AUROC", True, (None,) * len(found), none, reason)]
    pixels = [one for one in given if one is not None]
    reason = "over pixels, without an interval"
    return [
        Row("pixel AUROC", True, tuple(one.auroc.value for one in pixels), none, reason),
        Row("AUPRO up to 0.3", True, tuple(one.aupro.value for one in pixels), none, reason),
        Row(
            "AUPRO up to 0.05", True, tuple(one.aupro_strict.value for one in pixels), none, reason
        ),
    ]


def _recall_row(judged: Sequence[Sequence[Judged]], draw: _Draw) -> Row:
    """Share of the regions of masks that were found, drawn by part."""
    found = [[d.found for p in pictures for d in p.defects or ()] for pictures in judged]
    parts = [p.part for p in judged[0] for _ in p.defects or ()]
    # Draws want good parts too; the share does not look at them.
    good = [f"{k} of none" for k in range(2)]
    bad = np.array([True] * len(parts) + [False] * len(good), bool)
    values = [np.array([*own, *(0.0 for _ in good)], np.float64) for own in found]
    reason = "" if parts else "no bad picture has a mask that can be used"
    return draw.row(
        "defect regions found",
        True,
        lambda b, v: float(v[b].mean()),
        bad,
        values,
        [*parts, *good],
        reason,
    )


def _rate_rows(parts: Sequence[Sequence[Part]], draw: _Draw) -> list[Row]:
    """Shares of bad and of good parts with a verdict."""
    wanted: tuple[tuple[str, bool, Verdict, bool | None], ...] = (
        ("escape: bad parts accepted", True, "accept", False),
        ("bad parts to review", True, "review", None),
        ("overkill: good parts rejected", False, "reject", False),
        ("good parts to review", False, "review", False),
    )
    return [_rate_row(parts, *one, draw) for one in wanted]


def _rate_row(
    parts: Sequence[Sequence[Part]],
    name: str,
    defective: bool,
    verdict: Verdict,
    higher: bool | None,
    draw: _Draw,
) -> Row:
    bad = np.array([part.defective for part in parts[0]], bool)
    values = [np.array([part.verdict == verdict for part in own], np.float64) for own in parts]
    metric: Callable[[Booleans, Numbers], float] = lambda b, v: float(v[b == defective].mean())  # noqa: E731
    reason = "" if (bad == defective).any() else f"no part is {'bad' if defective else 'good'}"
    row = draw.row(name, bool(higher), metric, bad, values, [p.name for p in parts[0]], reason)
    return replace(row, higher_is_better=higher)


def _cost_row(parts: Sequence[Sequence[Part]], costs: Costs, draw: _Draw) -> Row:
    """Expected cost of a decision per part: what each verdict costs, weighted to the prevalence of production."""
    price = {
        (True, "accept"): costs.escape,
        (False, "reject"): costs.overkill,
        (True, "review"): costs.review,
        (False, "review"): costs.review,
    }
    bad = np.array([part.defective for part in parts[0]], bool)
    values = [
        np.array([price.get((p.defective, p.verdict), 0.0) for p in own], np.float64)
        for own in parts
    ]
    share = costs.prevalence

    def metric(flags: Booleans, paid: Numbers) -> float:
        return float(share * paid[flags].mean() + (1 - share) * paid[~flags].mean())

    reason = "" if bad.any() and not bad.all() else "parts are all good or all bad"
    names = [part.name for part in parts[0]]
    return draw.row("cost per part", False, metric, bad, values, names, reason)
