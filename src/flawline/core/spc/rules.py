"""Rules that find what chance alone rarely makes: Nelson's eight tests and the Western Electric rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel
from flawline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Rule:
    """One of Nelson's tests by its number, 1 to 8, and its K.

    K is the number of points of the pattern. For rule 1 it is the number of sigmas to the limits, which a chart
    takes from its limits; for rules 5 and 6, K of K + 1 points in a row.
    """

    number: int
    k: float

    def __post_init__(self) -> None:
        """Refuse a rule that cannot be applied.

        Raises:
            UsageError: an unknown number, or a K out of its range.
        """
        if self.number not in _FEWEST:
            raise UsageError(
                f"expected a rule of 1 to 8, got {self.number}",
                hint="nelson and we name whole sets",
            )
        least, most = (0.5, 6.0) if self.number == 1 else (_FEWEST[self.number], 100)
        if not least <= self.k <= most or (self.number > 1 and self.k != int(self.k)):
            raise UsageError(
                f"the K of rule {self.number} must be {'' if self.number == 1 else 'a whole number '}from "
                f"{least:g} to {most:g}, got {self.k:g}"
            )

    @property
    def span(self) -> int:
        """How many points in a row decide on the last of them."""
        if self.number == 1:
            return 1
        return int(self.k) + (1 if self.number in (5, 6) else 0)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that a point completes: points are counted from 0.

    `first` is the earliest point of the pattern that ends at `at`; `side` is 1 above the centre (or rising), -1 below
    (or falling), 0 neither.
    """

    panel: str
    rule: Rule
    at: int
    first: int
    side: int


# Minitab's defaults; L. S. Nelson, "The Shewhart control chart - tests for special causes", Journal of Quality
# Technology 16, 1984, pp. 237-239.
DEFAULT_K = {1: 3.0, 2: 9, 3: 6, 4: 14, 5: 2, 6: 4, 7: 15, 8: 8}
_FEWEST = {1: 0.5, 2: 3, 3: 3, 4: 4, 5: 2, 6: 2, 7: 3, 8: 3}
FIRST_ONLY = (Rule(1, 3.0),)
NELSON = tuple(Rule(number, k) for number, k in DEFAULT_K.items())
# Western Electric, Statistical Quality Control Handbook, 1956, pp. 25-28: four rules, with runs of 8 instead of 9.
WESTERN_ELECTRIC = (Rule(1, 3.0), Rule(5, 2), Rule(6, 4), Rule(2, 8))


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Rules from words: "nelson", "we", or numbers with or without a K, as in "1,2,5" or "1=2.5,2=7".

    Raises:
        UsageError: anything else, or a rule named twice.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == ["nelson"]:
        return NELSON
    if words in (["we"], ["western-electric"]):
        return WESTERN_ELECTRIC
    rules = tuple(_parse_one(word) for word in words)
    if not rules or len({rule.number for rule in rules}) < len(rules):
        raise UsageError(
            f"expected nelson, we, or different rules from 1 to 8, got {text!r}",
            hint="for example 1,2,5 or, with another K, 1,2=7",
        )
    return tuple(sorted(rules, key=lambda rule: rule.number))


def _parse_one(word: str) -> Rule:
    number, _, k = word.partition("=")
    try:
        place = int(number)
        return Rule(place, float(k) if k else DEFAULT_K.get(place, 0))
    except ValueError:
        raise UsageError(
            f"expected a rule such as 2 or 2=7, got {word!r}", hint="nelson and we name whole sets"
        ) from None


@dataclass(frozen=True, slots=True)
class Tail:
    """The last points of a panel, as many as the longest rule looks back on: their places, values and scores."""

    at: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()


def find_hits(
    panel: Panel, rules: Sequence[Rule], offset: int = 0, tail: Tail | None = None
) -> tuple[tuple[Hit, ...], Tail]:
    """Which points of a panel complete which rules, in order of points, and the tail to go on from.

    Args:
        panel: the panel; its own limits decide on rule 1.
        rules: those wanted; the ones that the panel does not allow are passed over.
        offset: the number of points before the panel's point 0.
        tail: the tail of the points just before, whose last point is the neighbour of the panel's first.
    """
    tail = tail or Tail()
    behind = len(tail.values)
    places = np.concatenate([np.asarray(tail.at, dtype=np.int64), panel.at + offset])
    values = np.concatenate([np.asarray(tail.values), panel.values])
    scores = np.concatenate([np.asarray(tail.scores), panel.scores])
    found: list[Hit] = []
    for rule in rules:
        if rule.number not in panel.rules or len(panel.values) == 0:
            continue
        side = _beyond(panel) if rule.number == 1 else _pattern(rule, values, scores)[behind:]
        for place in np.flatnonzero(side != _NONE).tolist():
            last = place + behind
            # Rules 5 and 6 are sure before K + 1 points are there.
            first = int(places[max(last - rule.span + 1, 0)])
            found.append(Hit(panel.name, rule, int(places[last]), first, int(side[place])))
    found.sort(key=lambda hit: (hit.at, hit.rule.number))
    keep = max((rule.span for rule in rules), default=1) - 1
    start = max(len(values) - keep, 0)
    ends = (places[start:], values[start:], scores[start:])
    return tuple(found), Tail(*(tuple(end.tolist()) for end in ends))


_NONE = 9


def _beyond(panel: Panel) -> NDArray[np.int64]:
    side = np.full(len(panel.values), _NONE)
    if panel.upper is not None:
        side[panel.values > panel.upper] = 1
    if panel.lower is not None:
        side[panel.values < panel.lower] = -1
    return side


def _pattern(
    rule: Rule, values: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The side of the pattern that each point completes, `_NONE` where there is none."""
    k = int(rule.k)
    match rule.number:
        case 2:
            return _sided(_run(scores > 0) >= k, _run(scores < 0) >= k)
        case 3:
            return _sided(_run(_rises(values)) >= k - 1, _run(_rises(-values)) >= k - 1)
        case 4:
            return np.where(_alternating(values) >= k - 1, 0, _NONE)
        case 5 | 6:
            zone = 2.0 if rule.number == 5 else 1.0
            above, below = scores > zone, scores < -zone
            return _sided(
                above & (_within(above, k + 1) >= k), below & (_within(below, k + 1) >= k)
            )
        case 7:
            return np.where(_run(np.abs(scores) < 1) >= k, 0, _NONE)
        case _:
            return np.where(_run(np.abs(scores) > 1) >= k, 0, _NONE)


def _sided(above: NDArray[np.bool_], below: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(above, 1, np.where(below, -1, _NONE))


def _run(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many points in a row hold, up to and including each."""
    places = np.arange(1, len(holds) + 1)
    return np.asarray(places - np.maximum.accumulate(np.where(holds, 0, places)))


def _within(holds: NDArray[np.bool_], window: int) -> NDArray[np.int64]:
    """How many of the last `window` points hold."""
    total = np.cumsum(holds)
    return np.asarray(
        total - np.concatenate([np.zeros(window, dtype=np.int64), total])[: len(total)]
    )


def _rises(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.concatenate([[False], np.diff(values) > 0])


def _alternating(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many steps in a row, up to each point, go the other way than the one before; the first step counts."""
    step = np.sign(np.diff(values))
    turns = np.concatenate([[False], step[1:] * step[:-1] < 0])[: len(step)]
    steps = np.where(step != 0, _run(turns) + 1, 0)
    return np.concatenate([[0], steps])


def describe(rule: Rule, side: int, where: str = "the centre") -> str:
    """What a rule found, as a clause; for rule 1 the end of one: "beyond the upper limit"."""
    k = int(rule.k)
    above = "above" if side > 0 else "below"
    match rule.number:
        case 1:
            return f"beyond the {'upper' if side > 0 else 'lower'} limit"
        case 2:
            return f"{k} points in a row lie {above} {where}"
        case 3:
            return f"{k} points in a row {'rise' if side > 0 else 'fall'} steadily"
        case 4:
            return f"{k} points in a row go up and down in turn"
        case 5:
            return f"{k} of {k + 1} points in a row lie more than 2 sigma {above} {where}"
        case 6:
            return f"{k} of {k + 1} points in a row lie more than 1 sigma {above} {where}"
        case 7:
            return f"{k} points in a row lie within 1 sigma of {where}"
        case _:
            return f"{k} points in a row lie more than 1 sigma from {where}"


MEANINGS = {
    1: "Something happened to this part or lot alone: a damaged tool, wrong material, a mistake in measuring.",
    2: "The process has moved to another level and stays there: other material, another setting or operator.",
    3: "Something wears, warms up, clogs or runs empty little by little.",
    4: "Two sources take turns: two cavities, two stations, two shifts, or corrections that go too far.",
    5: "The process has probably just moved by a good deal; an early form of a point beyond the limits.",
    6: "The process has moved a little to one side.",
    7: "The limits are wider than the process: they come from mixed sources, or the process has become better.",
    8: "Two or more processes are mixed in one chart, each with its own level.",
}
ESCALATIONS = {
    1: "Hold the parts made since the last point inside the limits and look for what changed at this one.",
    2: "Ask what was changed at the first point of the run; hold nothing unless specifications are at risk.",
    3: "Look at what wears or drifts and mend it before the trend reaches the limit.",
    4: "Chart the sources apart; stop adjusting the process after each single result.",
    5: "Measure a few more parts at once; be ready to hold the lot.",
    6: "Check the setting and the latest change of material or tool within the shift.",
    7: "Estimate the limits anew from one source, and ask whether the measure still resolves the parts.",
    8: "Chart stations, cavities or suppliers apart.",
}
