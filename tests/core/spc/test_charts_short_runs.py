"""Z-MR: several products on one chart, against a computation product by product in plain Python.

No published example gives its data and all values; formulas as Minitab's methods for Z-MR charts and D. J. Wheeler's
"Short Run SPC" give them, computed here without the arrays of the module.
"""

from dataclasses import replace
from itertools import pairwise
from math import exp, log
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.chart_constants import d2
from flawline.core.spc.chart_points import individuals
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.charts_short_runs import measured_limits
from flawline.core.spc.limits import ControlLimits, limits_as_dict, limits_from_dict
from flawline.core.spc.rules import FIRST_ONLY, parse_rules
from flawline.errors import FlawlineError, UsageError
from helpers.examples import examples

VALUES = [10.1, 9.9, 10.2, 40.3, 39.2, 40.9, 10.0, 10.3, 25.0, 24.4, 25.8, 40.0, 41.0, 9.8, 10.1]
NAMES = tuple("AAABBBAACCCBBAA")


def runs(values=VALUES, names=NAMES, gaps=None):
    return replace(individuals(values), products=tuple(names), gaps=gaps)


def own(product_sigma):
    return ControlLimits("z-mr", 0.5, 1.0, product_sigma=product_sigma)


def by_hand(values, names, product_sigma):
    """Mean and sigma of each product, and all standardised values."""
    scale = log if product_sigma == "relative" else float
    x = [scale(value) for value in values]
    ranges = [
        (name, abs(b - a))
        for (a, name), (b, other) in pairwise(zip(x, names, strict=True))
        if name == other
    ]
    levels = {}
    for name in dict.fromkeys(names):
        used = [moved for of, moved in ranges if of == name or product_sigma != "by-product"]
        levels[name] = (
            mean(v for v, of in zip(x, names, strict=True) if of == name),
            mean(used) / 1.1283791670955126,  # d2 of 2 is 2 / sqrt(pi)
        )
    z = [(v - levels[of][0]) / levels[of][1] for v, of in zip(x, names, strict=True)]
    return levels, z


@pytest.mark.parametrize("product_sigma", ["by-product", "constant", "relative"])
def test_each_point_is_judged_by_its_own_product(product_sigma):
    limits = estimate("z-mr", runs(), template=own(product_sigma))
    levels, z = by_hand(VALUES, NAMES, product_sigma)
    assert [level.name for level in limits.products] == ["A", "B", "C"]
    for level in limits.products:
        assert (level.centre, level.sigma) == pytest.approx(levels[level.name])
        assert level.points == NAMES.count(level.name)
    _, (points, moved), _ = advance(State(), limits, FIRST_ONLY, runs())
    np.testing.assert_allclose(points.values, z)
    assert (points.centre[0], points.lower[0], points.upper[0]) == (0, -3, 3)
    same = [k for k in range(1, len(NAMES)) if NAMES[k] == NAMES[k - 1]]
    assert moved.at.tolist() == same
    np.testing.assert_allclose(moved.values, [abs(z[k] - z[k - 1]) for k in same])
    assert moved.centre[0] == pytest.approx(d2(2))
    assert moved.upper[0] == pytest.approx(3.686, abs=5e-4)  # D2 of 2, from the usual tables


def test_limits_are_given_back_on_the_scale_of_the_measure():
    limits = estimate("z-mr", runs(), template=own("relative"))
    levels, _ = by_hand(VALUES, NAMES, "relative")
    middle, sigma = levels["B"]
    found = measured_limits(limits, limits.products[1])
    assert found == pytest.approx((exp(middle - 3 * sigma), exp(middle), exp(middle + 3 * sigma)))


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.floats(1, 100).map(lambda x: round(x, 2))),
        min_size=8,
        max_size=30,
    ),
    st.floats(0.1, 50),
    st.floats(-1000, 1000),
)
@examples(40)
def test_another_unit_and_zero_of_one_product_change_nothing(rows, factor, shift):
    names = ["A", "A", "B", "B", *(name for name, _ in rows)]
    values = [1.0, 2.0, 3.0, 5.0, *(value for _, value in rows)]
    moved = [factor * v + shift if n == "B" else v for v, n in zip(values, names, strict=True)]
    found = []
    for numbers in (values, moved):
        points = runs(numbers, names)
        found.append(advance(State(), estimate("z-mr", points), FIRST_ONLY, points)[1])
    for before, after in zip(*found, strict=True):
        np.testing.assert_allclose(before.values, after.values, rtol=1e-6, atol=1e-8)


def test_point_by_point_gives_the_same_as_all_at_once():
    limits = estimate("z-mr", runs())
    whole = advance(State(), limits, parse_rules("nelson"), runs())
    state, z, moved, at = State(), [], [], []
    for place, (value, name) in enumerate(zip(VALUES, NAMES, strict=True)):
        state, (points, ranges), _ = advance(
            state, limits, parse_rules("nelson"), runs([value], name)
        )
        z += points.values.tolist()
        moved += ranges.values.tolist()
        at += [place] * len(ranges.at)
    np.testing.assert_allclose(z, whole[1][0].values)
    np.testing.assert_allclose(moved, whole[1][1].values)
    assert at == whole[1][1].at.tolist()


def test_runs_go_on_over_a_change_of_product():
    names = tuple("AABB" * 6)
    limits = ControlLimits("z-mr", 0, 1, products=estimate("z-mr", runs()).products)
    above = [10.2 if name == "A" else 41.0 for name in names]
    _, _, signals = advance(State(), limits, parse_rules("2"), runs(above, names))
    assert signals[0].at == 8


def test_no_moving_range_spans_a_gap():
    gaps = np.array([False, False, True] + [False] * 12)
    _, (_, moved), _ = advance(State(), estimate("z-mr", runs()), FIRST_ONLY, runs(gaps=gaps))
    assert 2 not in moved.at
    assert 1 in moved.at


def test_frozen_limits_keep_the_products():
    for product_sigma in ("by-product", "relative"):
        limits = estimate("z-mr", runs(), template=own(product_sigma))
        assert limits_from_dict(limits_as_dict(limits)) == limits


@pytest.mark.parametrize(
    "wrong",
    [
        {"products": None},
        {"products": [{"name": "A", "centre": 1, "sigma": 0, "points": 1}]},
        {"products": [{"name": "A", "centre": "x", "sigma": 1, "points": 1}]},
        {"products": [{"name": "A", "centre": 1, "sigma": 1, "points": 1}] * 2},
        {"product_sigma": "mean"},
    ],
)
def test_frozen_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        limits_from_dict({**limits_as_dict(estimate("z-mr", runs())), **wrong})


def test_a_product_that_is_not_known_is_refused():
    with pytest.raises(FlawlineError, match="'D'") as caught:
        advance(State(), estimate("z-mr", runs()), FIRST_ONLY, runs([1.0], "D"))
    assert caught.value.code == "chart-product"


@pytest.mark.parametrize(
    ("points", "product_sigma", "told"),
    [
        (runs([1.0, 2.0, 5.0, 1.5, 2.5], "AABAA"), "by-product", "of the product B"),
        (runs([1.0, 2.0, 5.0], "ABA"), "constant", "of one product"),
        (runs([1.0, 1.0, 5.0, 6.0], "AABB"), "by-product", "product A"),
        (runs([1.0, -2.0, 5.0, 6.0], "AABB"), "relative", "above zero"),
        (individuals([1.0, 2.0]), "by-product", "product of each point"),
    ],
)
def test_what_gives_no_sigma_is_refused(points, product_sigma, told):
    with pytest.raises((FlawlineError, UsageError), match=told):
        estimate("z-mr", points, template=own(product_sigma))


def test_one_sigma_for_all_takes_a_product_with_a_single_point():
    limits = estimate("z-mr", runs([1.0, 2.0, 5.0, 1.5, 2.5], "AABAA"), template=own("constant"))
    assert [level.sigma for level in limits.products] == [pytest.approx(1 / d2(2))] * 2


def test_a_product_of_which_all_points_are_set_aside_is_refused():
    with pytest.raises(FlawlineError, match="product C is set aside"):
        estimate("z-mr", runs(), set_aside=[name == "C" for name in NAMES])
