"""Apply run rules: Nelson's eight tests and the Western Electric rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel
from flawline.core.spc.rounding import steps
from flawline.core.spc.rule_table import NONE, RULES, STEPPING
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
        """Refuse an unknown rule or a K out of range.

        Raises:
            UsageError: an unknown number, or a K out of its range.
        """
        if self.number not in RULES:
            raise UsageError(
                f"expected a rule of 1 to {max(RULES)}, got {self.number}",
                hint="nelson and we name whole sets",
            )
        rule = RULES[self.number]
        whole = rule.pattern is not None
        if not rule.least <= self.k <= rule.most or (whole and self.k != int(self.k)):
            raise UsageError(
                f"the K of rule {self.number} must be {'a whole number ' if whole else ''}from "
                f"{rule.least:g} to {rule.most:g}, got {self.k:g}"
            )

    @property
    def span(self) -> int:
        """Number of points in a row that the rule looks at."""
        return RULES[self.number].span(self.k)


@dataclass(frozen=True, slots=True)
class RuleSignal:
    """A rule's pattern that one point completes; points are counted from 0.

    `first` is the earliest point of the pattern that ends at `at`; `side` is 1 above the centre (or rising), -1 below
    (or falling), 0 neither.
    """

    panel: str
    rule: Rule
    at: int
    first: int
    side: int


FIRST_ONLY = (Rule(1, 3.0),)
NELSON = tuple(Rule(number, rule.k) for number, rule in RULES.items())
# Western Electric, Statistical Quality Control Handbook, 1956, pp. 25-28: four rules, with runs of 8 instead of 9.
WESTERN_ELECTRIC = (Rule(1, 3.0), Rule(5, 2), Rule(6, 4), Rule(2, 8))


def parse_rules(text: str, *, count_steps: bool = False) -> tuple[Rule, ...]:
    """Parse rules: "nelson", "we", or numbers with or without a K, as in "1,2,5" or "1=2.5,2=7".

    With `count_steps` the K of rules 3 and 4 counts the steps between points, as Minitab counts: one more point each.

    Raises:
        UsageError: anything else, or a rule named twice.
    """
    rules = _parse(text)
    if not count_steps:
        return rules
    return tuple(replace(rule, k=rule.k + 1) if rule.number in STEPPING else rule for rule in rules)


def _parse(text: str) -> tuple[Rule, ...]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == ["nelson"]:
        return NELSON
    if words in (["we"], ["western-electric"]):
        return WESTERN_ELECTRIC
    rules = tuple(_parse_one(word) for word in words)
    if not rules or len({rule.number for rule in rules}) < len(rules):
        raise UsageError(
            f"expected nelson, we, or different rules from 1 to {max(RULES)}, got {text!r}",
            hint="for example 1,2,5 or, with another K, 1,2=7",
        )
    return tuple(sorted(rules, key=lambda rule: rule.number))


def _parse_one(word: str) -> Rule:
    number, _, k = word.partition("=")
    try:
        place = int(number)
        usual = RULES[place].k if place in RULES else 0
        return Rule(place, float(k) if k else usual)
    except ValueError:
        raise UsageError(
            f"expected a rule such as 2 or 2=7, got {word!r}", hint="nelson and we name whole sets"
        ) from None


@dataclass(frozen=True, slots=True)
class Tail:
    """The last points of a panel, as many as the longest rule looks back on: their places, values, scores, rounding."""

    at: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()
    rounding: tuple[float, ...] = ()


def find_signals(
    panel: Panel, rules: Sequence[Rule], offset: int = 0, tail: Tail | None = None
) -> tuple[tuple[RuleSignal, ...], Tail]:
    """Find the points of a panel that complete rules, in order of points, and the tail to continue from.

    Args:
        panel: the panel; its own limits decide on rule 1.
        rules: the rules to apply; those that the panel does not allow are skipped.
        offset: the number of points before the panel's point 0.
        tail: the tail of the points just before, whose last point is the neighbour of the panel's first.
    """
    tail = tail or Tail()
    behind = len(tail.values)
    places = np.concatenate([np.asarray(tail.at, dtype=np.int64), panel.at + offset])
    values = np.concatenate([np.asarray(tail.values), panel.values])
    scores = np.concatenate([np.asarray(tail.scores), panel.scores])
    rounding = np.concatenate([np.asarray(tail.rounding), panel.rounding])
    moved = steps(values, rounding)
    signals: list[RuleSignal] = []
    for rule in rules:
        if rule.number not in panel.rules or len(panel.values) == 0:
            continue
        pattern = RULES[rule.number].pattern
        side = pattern(int(rule.k), moved, scores)[behind:] if pattern else _beyond(panel)
        for place in np.flatnonzero(side != NONE).tolist():
            last = place + behind
            # Rules 5 and 6 can be complete before there are K + 1 points.
            first = int(places[max(last - rule.span + 1, 0)])
            signals.append(RuleSignal(panel.name, rule, int(places[last]), first, int(side[place])))
    signals.sort(key=lambda signal: (signal.at, signal.rule.number))
    keep = max((rule.span for rule in rules), default=1) - 1
    start = max(len(values) - keep, 0)
    ends = (places[start:], values[start:], scores[start:], rounding[start:])
    return tuple(signals), Tail(*(tuple(end.tolist()) for end in ends))


def _beyond(panel: Panel) -> NDArray[np.int64]:
    side = np.full(len(panel.values), NONE)
    if panel.upper is not None:
        side[panel.values > panel.upper + panel.rounding] = 1
    if panel.lower is not None:
        side[panel.values < panel.lower - panel.rounding] = -1
    return side


def describe(rule: Rule, side: int, where: str = "the centre") -> str:
    """Describe a rule's signal as a clause; for rule 1 as the end of one: "beyond the upper limit"."""
    definition, k = RULES[rule.number], int(rule.k)
    word = definition.sides[0 if side > 0 else 1]
    return definition.found.format(k=k, all=k + definition.more, side=word, where=where)
