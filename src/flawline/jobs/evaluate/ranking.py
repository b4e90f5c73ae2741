"""Rank recipes by the cost of their decisions, and those of equal cost by speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flawline.core.bootstrap import Difference
from flawline.jobs.evaluate.costs import Costs
from flawline.jobs.evaluate.draw import Draw
from flawline.jobs.evaluate.evaluation import Evaluation, JudgedPicture
from flawline.jobs.evaluate.figures import draws_for, parts_of
from flawline.jobs.evaluate.part_rows import cost_row, time_row
from flawline.jobs.evaluate.timing import Timed


@dataclass(frozen=True, slots=True)
class Ranked:
    """One recipe: its `cost` per part and `milliseconds` a picture, and the differences to the lowest.

    `as_cheap` tells that it is the cheapest or cannot be distinguished from it; `more` is the additional cost, drawn by
    part, None for the cheapest and where parts are too few to draw from. `as_fast` and `slower` are the same for
    time, among those as cheap; False and None for the others.
    """

    name: str
    cost: float
    more: Difference | None
    as_cheap: bool
    milliseconds: float | None
    slower: Difference | None
    as_fast: bool
    pictures_per_second: float


def ranked(
    names: Sequence[str],
    found: Sequence[Evaluation],
    judged: Sequence[Sequence[JudgedPicture]],
    costs: Costs,
    timed: Sequence[Timed],
    seed: int,
) -> tuple[Ranked, ...]:
    """Rank recipes, the best first; empty where parts are all good or all bad.

    First come the cheapest and all that cannot be distinguished from it: the fastest of these and all that cannot be
    distinguished from it, the cheapest first, then the slower ones by time. Then the others, the cheapest first.
    """
    parts = [parts_of(pictures) for pictures in judged]
    draw = Draw(seed, draws_for(len(judged[0])))
    prices = [p for p in cost_row(parts, costs, draw).values if p is not None]
    if not prices:
        return ()
    more = [
        cost_row([parts[prices.index(min(prices))], own], costs, draw).differences[0]
        for own in parts
    ]
    cheap = [_level(one, price == min(prices)) for one, price in zip(more, prices, strict=True)]
    times = time_row(timed, draw).values
    known = [time for time, level in zip(times, cheap, strict=True) if level and time is not None]
    least = min(known, default=None)
    slower = [
        _slower(timed, times.index(least), k, draw) if least is not None and level else None
        for k, level in enumerate(cheap)
    ]
    rows = [
        Ranked(
            names[k],
            prices[k],
            more[k] if prices[k] > min(prices) else None,
            cheap[k],
            times[k],
            slower[k] if times[k] != least else None,
            cheap[k] and _level(slower[k], times[k] == least),
            found[k].pictures_per_second,
        )
        for k in range(len(names))
    ]
    return tuple(sorted(rows, key=_order))


def _slower(timed: Sequence[Timed], fastest: int, place: int, draw: Draw) -> Difference | None:
    both = [Timed(t.part, (t.milliseconds[fastest], t.milliseconds[place])) for t in timed]
    return time_row(both, draw).differences[0]


def _level(difference: Difference | None, best: bool) -> bool:
    return best or (difference is not None and difference.low <= 0)


def _order(one: Ranked) -> tuple[bool, bool, float]:
    if one.as_cheap and not one.as_fast and one.milliseconds is not None:
        return False, True, one.milliseconds
    return not one.as_cheap, False, one.cost
