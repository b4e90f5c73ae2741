from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.chart_points import individuals
from flawline.core.spc.charts import State, advance
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rule_table import LONGEST_SPAN, RULES
from flawline.core.spc.rules import (
    FIRST_ONLY,
    NELSON,
    WESTERN_ELECTRIC,
    Rule,
    describe,
    parse_rules,
)
from flawline.core.spc.signals import merge_signals
from flawline.errors import UsageError
from helpers.examples import examples

STANDARD = ControlLimits("i-mr", 0, 1)
scores = st.lists(
    st.sampled_from([-3.5, -2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 3.5, 0.25, -0.25]),
    max_size=45,
    min_size=1,
)


def level_signals(values, rules):
    _, _, signals = advance(State(), STANDARD, rules, individuals(values))
    return [signal for signal in signals if signal.panel == "individuals"]


def plainly(rule, x, i):
    """The rule at point i, spelled out: the side, or None."""
    k = int(rule.k)

    def last(count):
        return x[i - count + 1 : i + 1] if i + 1 >= count else []

    if rule.number == 1:
        return 1 if x[i] > rule.k else -1 if x[i] < -rule.k else None
    if rule.number in (5, 6):
        zone = 2 if rule.number == 5 else 1
        window = x[max(i - k, 0) : i + 1]
        for side in (1, -1):
            if side * x[i] > zone and sum(side * v > zone for v in window) >= k:
                return side
        return None
    window = last(k)
    if not window:
        return None
    steps = [b - a for a, b in pairwise(window)]
    match rule.number:
        case 2:
            found = 1 if all(v > 0 for v in window) else -1 if all(v < 0 for v in window) else None
        case 3:
            found = 1 if all(s > 0 for s in steps) else -1 if all(s < 0 for s in steps) else None
        case 4:
            turns = [a * b < 0 for a, b in pairwise(steps)]
            found = 0 if all(turns) and all(steps) else None
        case 7:
            found = 0 if all(abs(v) < 1 for v in window) else None
        case _:
            found = 0 if all(abs(v) > 1 for v in window) else None
    return found


@given(scores, st.sampled_from([4, 5, 6]))
@examples(300)
def test_every_rule_is_what_it_says(values, k):
    rules = [Rule(1, 3.0), *(Rule(n, k) for n in (2, 3, 4, 7, 8)), Rule(5, 2), Rule(6, k)]
    found = {
        (signal.rule.number, signal.at): signal.side for signal in level_signals(values, rules)
    }
    expected = {}
    for rule in rules:
        for i in range(len(values)):
            side = plainly(rule, values, i)
            if side is not None:
                expected[rule.number, i] = side
    assert found == expected


def test_only_the_first_rule_is_on_by_default():
    assert parse_rules("1") == FIRST_ONLY
    assert [(rule.number, rule.k) for rule in FIRST_ONLY] == [(1, 3)]


def test_sets_and_own_numbers():
    assert parse_rules("Nelson") == NELSON
    assert parse_rules("we") == parse_rules("western-electric") == WESTERN_ELECTRIC
    assert parse_rules("2=7, 1") == (Rule(1, 3.0), Rule(2, 7))
    assert parse_rules("1=2.5") == (Rule(1, 2.5),)
    assert [rule.k for rule in NELSON] == [3, 9, 6, 14, 2, 4, 15, 8]


def test_steps_are_one_fewer_than_points():
    assert [rule.k for rule in parse_rules("nelson", count_steps=True)] == [
        3,
        9,
        7,
        15,
        2,
        4,
        15,
        8,
    ]
    assert parse_rules("3=7,2=7", count_steps=True) == (Rule(2, 7), Rule(3, 8))
    rising = [*range(7), 0]
    assert [one.at for one in level_signals(rising, parse_rules("3"))] == [5, 6]
    assert [one.at for one in level_signals(rising, parse_rules("3", count_steps=True))] == [6]


@pytest.mark.parametrize(
    "text", ["", "9", "0", "x", "1,1", "2=2.5", "2=1", "1=9", "nelson,1", "3=200"]
)
def test_rules_that_do_not_exist(text):
    with pytest.raises(UsageError):
        parse_rules(text)


def test_a_run_is_one_signal_that_knows_where_it_began():
    x = [-0.5, *([0.5] * 14), -0.5]
    (signal,) = merge_signals(level_signals(x, parse_rules("2")))
    assert (signal.first, signal.triggered, signal.last) == (1, 9, 14)
    assert signal.points == tuple(range(9, 15))
    assert signal.side == 1


def test_a_point_exactly_one_sigma_away_is_not_within_one_sigma():
    rules = parse_rules("7")
    assert level_signals([0.5] * 15, rules)
    assert not level_signals([*([0.5] * 7), 1.0, *([0.5] * 7)], rules)


def test_points_beyond_a_limit_are_a_signal_each():
    found = merge_signals(level_signals([0, 4, 4, 0, -4], FIRST_ONLY))
    assert [(s.triggered, s.side) for s in found] == [(1, 1), (2, 1), (4, -1)]


def test_neighbours_beyond_the_limit_of_an_ewma_are_one_signal():
    limits = ControlLimits("ewma", 0, 1)
    _, _, signals = advance(
        State(), limits, FIRST_ONLY, individuals([0.0] * 5 + [4.0] * 6 + [0.0] * 30 + [4.0] * 3)
    )
    found = merge_signals(signals)
    assert len(found) == 2
    assert found[0].points == tuple(range(found[0].triggered, found[0].last + 1))


def test_every_rule_has_words():
    for rule in NELSON:
        for side in (-1, 0, 1):
            assert describe(rule, side)
        assert RULES[rule.number].meaning.endswith(".")
        assert RULES[rule.number].action.endswith(".")
    assert describe(Rule(2, 9), 1) == "9 points in a row lie above the centre"
    assert (
        describe(Rule(5, 2), -1) == "2 of 3 points in a row lie more than 2 sigma below the centre"
    )
    assert describe(Rule(1, 3.0), -1) == "beyond the lower limit"


def test_no_rule_looks_back_further_than_the_longest_span():
    spans = [Rule(number, rule.most).span for number, rule in RULES.items()]
    assert max(spans) == LONGEST_SPAN == 101
    assert spans[0] == 1


def test_rules_are_kept_from_panels_that_they_say_nothing_about():
    x = np.random.default_rng(0).normal(size=400).cumsum()
    _, panels, signals = advance(State(), STANDARD, NELSON, individuals(x))
    assert {signal.rule.number for signal in signals if signal.panel == "moving range"} <= {1}
    assert panels[1].rules == {1}
