"""Compare recipes by their verdicts on parts, the cost of these, and the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from flawline.jobs.evaluate.comparison_row import Row
from flawline.jobs.evaluate.costs import Costs
from flawline.jobs.evaluate.draw import Booleans, Draw, Numbers
from flawline.jobs.evaluate.figures import EvaluatedPart
from flawline.jobs.evaluate.timing import Timed
from flawline.types import Verdict

MILLISECONDS = "milliseconds a picture, median"


def rate_rows(parts: Sequence[Sequence[EvaluatedPart]], draw: Draw) -> list[Row]:
    """Compute the shares of bad and of good parts with a verdict."""
    wanted: tuple[tuple[str, bool, Verdict, bool | None], ...] = (
        ("escape: bad parts accepted", True, "accept", False),
        ("bad parts to review", True, "review", None),
        ("overkill: good parts rejected", False, "reject", False),
        ("good parts to review", False, "review", False),
    )
    return [_rate_row(parts, *one, draw) for one in wanted]


def _rate_row(
    parts: Sequence[Sequence[EvaluatedPart]],
    name: str,
    defective: bool,
    verdict: Verdict,
    higher: bool | None,
    draw: Draw,
) -> Row:
    bad = np.array([part.defective for part in parts[0]], bool)
    values = [np.array([part.verdict == verdict for part in own], np.float64) for own in parts]

    def metric(drawn: Booleans, verdicts: Numbers) -> float:
        return float(verdicts[drawn == defective].mean())

    reason = "" if (bad == defective).any() else f"no part is {'bad' if defective else 'good'}"
    names = [part.name for part in parts[0]]
    row = draw.row(name, bool(higher), metric, bad, values, names, reason, only=defective)
    return replace(row, higher_is_better=higher)


def cost_row(parts: Sequence[Sequence[EvaluatedPart]], costs: Costs, draw: Draw) -> Row:
    """Compute the expected cost of a decision per part, weighted to the prevalence in production."""
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


def time_row(timed: Sequence[Timed], draw: Draw) -> Row:
    """Compute the median time of a picture, inspected by all recipes in turn."""
    values = [np.array(times) for times in zip(*(t.milliseconds for t in timed), strict=True)]
    kinds = np.ones(len(timed), bool)
    return draw.row(MILLISECONDS, False, _median, kinds, values, [t.part for t in timed], only=True)


def _median(kinds: Booleans, values: Numbers) -> float:
    return float(np.median(values[kinds]))
