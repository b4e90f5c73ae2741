"""Table of run rules: Nelson's eight tests with their patterns, limits and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = 9
"""The side of a point that completes no pattern."""
_MOST_POINTS = 100

Floats = NDArray[np.float64]
Pattern = Callable[[int, Floats, Floats], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """One of Nelson's tests.

    `k` is the usual K, `least` and `most` its range. `pattern` gives from K, steps (1 up, -1 down, 0 neither) and
    scores the side of the pattern that each point completes, `NONE` where there is none; a rule without one compares
    with the limits of the panel, and its K is a number of sigmas. A rule looks at K + `more` points. `found` describes
    the pattern, with one of the two words in `sides` for above and below; `meaning` and `action` are for the person at
    the process.
    """

    k: float
    least: float
    found: str
    meaning: str
    action: str
    pattern: Pattern | None
    sides: tuple[str, str] = ("above", "below")
    more: int = 0
    most: float = _MOST_POINTS

    def span(self, k: float) -> int:
        """Count the points in a row that the rule looks at."""
        return 1 if self.pattern is None else int(k) + self.more


def _same_side(k: int, steps: Floats, scores: Floats) -> NDArray[np.int64]:
    return _sided(_run(scores > 0) >= k, _run(scores < 0) >= k)


def _trend(k: int, steps: Floats, scores: Floats) -> NDArray[np.int64]:
    return _sided(_run(steps > 0) >= k - 1, _run(steps < 0) >= k - 1)


def _in_turn(k: int, steps: Floats, scores: Floats) -> NDArray[np.int64]:
    return np.where(_alternating(steps) >= k - 1, 0, NONE)


def _beyond_zone(zone: float) -> Pattern:
    """Make the pattern of K of K + 1 points beyond `zone` sigmas, the last point included."""

    def pattern(k: int, steps: Floats, scores: Floats) -> NDArray[np.int64]:
        above, below = scores > zone, scores < -zone
        return _sided(above & (_within(above, k + 1) >= k), below & (_within(below, k + 1) >= k))

    return pattern


def _near(k: int, steps: Floats, scores: Floats) -> NDArray[np.int64]:
    return np.where(_run(np.abs(scores) < 1) >= k, 0, NONE)


def _far(k: int, steps: Floats, scores: Floats) -> NDArray[np.int64]:
    return np.where(_run(np.abs(scores) > 1) >= k, 0, NONE)


def _sided(above: NDArray[np.bool_], below: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(above, 1, np.where(below, -1, NONE))


def _run(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the points in a row that hold, up to and including each."""
    places = np.arange(1, len(holds) + 1)
    return np.asarray(places - np.maximum.accumulate(np.where(holds, 0, places)))


def _within(holds: NDArray[np.bool_], window: int) -> NDArray[np.int64]:
    """Count how many of the last `window` points hold."""
    total = np.cumsum(holds)
    return np.asarray(
        total - np.concatenate([np.zeros(window, dtype=np.int64), total])[: len(total)]
    )


def _alternating(steps: Floats) -> NDArray[np.int64]:
    """Count the steps in a row, up to each point, that reverse the one before; the first step counts."""
    turns = np.concatenate([[False], steps[1:] * steps[:-1] < 0])[: len(steps)]
    return np.where(steps != 0, _run(turns) + 1, 0)


# K: Minitab's defaults. L. S. Nelson, "The Shewhart control chart - tests for special causes", Journal of Quality
# Technology 16, 1984, pp. 237-239.
RULES = {
    1: RuleDefinition(
        k=3.0,
        least=0.5,
        found="beyond the {side} limit",
        meaning="Something happened to this part or lot alone: a damaged tool, wrong material, a mistake in measuring.",
        action="Hold the parts made since the last point inside the limits and look for what changed at this one.",
        pattern=None,
        sides=("upper", "lower"),
        most=6.0,
    ),
    2: RuleDefinition(
        k=9,
        least=3,
        found="{k} points in a row lie {side} {where}",
        meaning="The process has moved to another level and stays there: other material, another setting or operator.",
        action="Ask what was changed at the first point of the run; hold nothing unless specifications are at risk.",
        pattern=_same_side,
    ),
    3: RuleDefinition(
        k=6,
        least=3,
        found="{k} points in a row {side} steadily",
        meaning="Something wears, warms up, clogs or runs empty little by little.",
        action="Look at what wears or drifts and mend it before the trend reaches the limit.",
        pattern=_trend,
        sides=("rise", "fall"),
    ),
    4: RuleDefinition(
        k=14,
        least=4,
        found="{k} points in a row go up and down in turn",
        meaning="Two sources take turns: two cavities, two stations, two shifts, or corrections that go too far.",
        action="Chart the sources apart; stop adjusting the process after each single result.",
        pattern=_in_turn,
    ),
    5: RuleDefinition(
        k=2,
        least=2,
        found="{k} of {all} points in a row lie more than 2 sigma {side} {where}",
        meaning="The process has probably just moved by a good deal; an early form of a point beyond the limits.",
        action="Measure a few more parts at once; be ready to hold the lot.",
        pattern=_beyond_zone(2.0),
        more=1,
    ),
    6: RuleDefinition(
        k=4,
        least=2,
        found="{k} of {all} points in a row lie more than 1 sigma {side} {where}",
        meaning="The process has moved a little to one side.",
        action="Check the setting and the latest change of material or tool within the shift.",
        pattern=_beyond_zone(1.0),
        more=1,
    ),
    7: RuleDefinition(
        k=15,
        least=3,
        found="{k} points in a row lie within 1 sigma of {where}",
        meaning="The limits are wider than the process: they come from mixed sources, "
        "or the process has become better.",
        action="Estimate the limits anew from one source, and ask whether the measure still resolves the parts.",
        pattern=_near,
    ),
    8: RuleDefinition(
        k=8,
        least=3,
        found="{k} points in a row lie more than 1 sigma from {where}",
        meaning="Two or more processes are mixed in one chart, each with its own level.",
        action="Chart stations, cavities or suppliers apart.",
        pattern=_far,
    ),
}
ALL_RULES = frozenset(RULES)
STEPPING = frozenset({3, 4})
"""Rules about the steps from point to point."""
LONGEST_SPAN = max(one.span(one.most) for one in RULES.values())
"""How many points in a row decide at most, whichever rules are wanted."""
