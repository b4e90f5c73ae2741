"""What every chart keeps, whatever the numbers: streaming is batch, limits are frozen, nothing is NaN."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.chart_points import Counts, counts, individuals, select, subgroups
from flawline.core.spc.charts import State, advance, estimate, phase_one
from flawline.core.spc.charts_attributes import false_signal_share, overdispersion
from flawline.core.spc.limits import KINDS, ControlLimits, limits_as_dict, limits_from_dict
from flawline.core.spc.rules import NELSON, parse_rules
from flawline.core.spc.transform_fits import fit_transform
from flawline.core.spc.transforms import Transform
from flawline.errors import FlawlineError, UsageError
from helpers.examples import examples

GROUPED = ["xbar-r", "xbar-s", "median", "i-mr-r", "i-mr-s"]
MEASURED = [*GROUPED, "i-mr", "ma", "ewma", "cusum", "zone", "run"]
COUNTED = ["p", "np", "c", "u", "laney-p", "laney-u"]

numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 3))
# In the middle of the zones about `some_limits`, so that every rule is met often.
near = st.sampled_from(
    [1.5 + 40 * z for z in (-3.5, -2.5, -1.5, -0.5, 0, 0.25, 0.5, 1.5, 2.5, 3.5)]
)
SHORT = parse_rules("1,2=4,3=4,4=5,5=2,6=3,7=4,8=4")
cuts = st.lists(st.integers(1, 7), min_size=1, max_size=60)


def some_limits(kind):
    centre = {"p": 0.1, "np": 0.1, "laney-p": 0.1, "c": 4.0, "u": 0.3, "laney-u": 0.3}.get(
        kind, 1.5
    )
    if kind == "t":
        return ControlLimits("t", 0.0, 1.0, transform=Transform("weibull", (1.5, 40.0)))
    return ControlLimits(
        kind, centre, 1.7 if kind in ("laney-p", "laney-u") else 1.0 if centre != 1.5 else 40.0
    )


def points_of(kind, values, sizes):
    if kind in COUNTED:
        units = 20 if kind == "c" else np.resize(sizes, len(values)) * 10
        return counts(np.minimum(np.abs(np.round(values)), 10), units)
    if kind == "g":
        return individuals(np.abs(np.round(values)))
    if kind == "t":
        return individuals(np.abs(values) + 0.001)
    if kind in GROUPED:
        cut = np.resize(sizes, len(values))
        kept = np.cumsum(cut) <= len(values)
        cut = cut[kept] if kept.any() else np.array([len(values)])
        return subgroups(values[: cut.sum()], cut)
    return individuals(values)


def in_chunks(points, lengths):
    start = 0
    place = np.arange(len(points))
    for length in [*lengths, len(points)]:
        keep = (place >= start) & (place < start + length)
        if keep.any():
            yield start, select(points, keep)
        start += length


def rows_of(panel, start):
    limits = [None if x is None else x.tolist() for x in (panel.lower, panel.upper)]
    return [
        (panel.name, at + start, v, c, *(None if x is None else x[i] for x in limits))
        for i, (at, v, c) in enumerate(
            zip(panel.at.tolist(), panel.values.tolist(), panel.centre.tolist(), strict=True)
        )
    ]


@given(
    st.sampled_from(KINDS),
    st.lists(near, min_size=2, max_size=80) | st.lists(numbers, min_size=2, max_size=80),
    cuts,
    cuts,
    st.sampled_from([NELSON, SHORT, SHORT[:4]]),
)
@examples(250)
def test_adding_points_one_by_one_gives_the_same_signals_as_all_at_once(
    kind, values, sizes, lengths, rules
):
    points = points_of(kind, np.array(values), np.array(sizes))
    limits = some_limits(kind)
    _, panels, signals = advance(State(), limits, rules, points)
    whole = sorted(row for panel in panels for row in rows_of(panel, 0))
    for chunks in ([1] * len(points), lengths):
        state, found, rows = State(), [], []
        for start, chunk in in_chunks(points, chunks):
            state, parts, new = advance(state, limits, rules, chunk)
            found += new
            rows += [row for panel in parts for row in rows_of(panel, start)]
        assert sorted(rows) == whole
        assert set(found) == set(signals)
        assert state.seen == len(points)
        # However many points were judged, the state holds what the longest rule looks back on.
        assert all(len(tail.values) <= 14 for tail in state.tails)


@given(st.sampled_from(KINDS), st.lists(numbers, min_size=25, max_size=80), cuts)
@examples(100)
def test_estimated_limits_are_finite_and_survive_a_file_or_the_error_says_why(kind, values, sizes):
    points = points_of(kind, np.array(values), np.array(sizes))
    try:
        limits = estimate(kind, points)
    except FlawlineError:
        return  # what they say is tested below
    _, panels, _ = advance(State(), limits, NELSON, points)
    for panel in panels:
        for part in (panel.values, panel.centre, panel.lower, panel.upper, panel.scores):
            assert part is None or np.isfinite(part).all()
        if panel.lower is not None and panel.upper is not None:
            assert (panel.lower <= panel.centre + 1e-9).all()
            assert (panel.centre <= panel.upper + 1e-9).all()
    text = json.dumps(limits_as_dict(limits), allow_nan=False)
    assert (
        advance(State(), limits_from_dict(json.loads(text)), NELSON, points)[2]
        == advance(State(), limits, NELSON, points)[2]
    )


@given(st.lists(numbers, min_size=30, max_size=60))
@examples(50)
def test_a_change_of_unit_changes_no_signal(values):
    if np.abs(np.diff(values)).sum() == 0:
        return
    # Powers of two change no rounding.
    one, other = individuals(values), individuals(np.array(values) * 2.0**8)
    found = [advance(State(), estimate("i-mr", x), NELSON, x)[2] for x in (one, other)]
    assert found[0] == found[1]


def test_phase_two_judges_by_given_limits_alone():
    limits = ControlLimits("i-mr", 10, 1)
    wild = individuals([100.0, 200.0, 300.0])
    _, panels, signals = advance(State(), limits, parse_rules("1"), wild)
    assert panels[0].upper.tolist() == [13, 13, 13]
    assert [signal.at for signal in signals if signal.panel == "individuals"] == [0, 1, 2]


def test_a_point_set_aside_touches_neither_mean_nor_moving_range():
    calm = [10.0, 11, 10, 11, 10, 11, 10, 11]
    spoiled = [*calm[:4], 500.0, *calm[4:]]
    aside = np.arange(9) == 4
    limits = estimate("i-mr", individuals(spoiled), set_aside=aside)
    assert limits.centre == pytest.approx(10.5)
    assert limits.sigma == pytest.approx(estimate("i-mr", individuals(calm)).sigma)
    assert limits.points == 8


def test_automatic_setting_aside_stops_before_it_eats_the_process():
    x = np.random.default_rng(1).normal(0, 1, 60)
    x[7] = 9
    found = phase_one("i-mr", individuals(x), automatic=True)
    assert found.set_aside[7]
    assert found.rounds >= 1
    _, _, signals = advance(State(), found.limits, parse_rules("1"), individuals(x))
    assert {signal.at for signal in signals} <= set(np.flatnonzero(found.set_aside))
    mixed = subgroups(np.repeat([0.0, 50.0], 60).reshape(20, 6) + np.arange(6) / 100)
    with pytest.raises(FlawlineError, match="not in control"):
        phase_one("xbar-r", mixed, automatic=True)


@pytest.mark.parametrize(
    ("kind", "points", "words"),
    [
        ("i-mr", individuals([3.0]), "two neighbouring points"),
        ("i-mr", individuals([3.0] * 30), "do not vary"),
        ("xbar-r", subgroups([[1.0], [2.0]]), "only single ones"),
        ("xbar-s", subgroups([[1.0, 1.0], [2.0, 2.0]]), "do not vary"),
        ("i-mr", subgroups([[1.0, 2.0], [2.0, 3.0]]), "one measurement for each point"),
        ("p", counts([0, 0, 0], 10), "no defect"),
        ("p", counts([10, 10], 10), "nothing but defects"),
        ("p", counts([3, 11], 10), "11 defective of 10 units"),
        ("c", counts([3, 4], [10, 20]), "equal units"),
        ("laney-p", counts([3, 3, 3], 10), "differ"),
        ("u", individuals([1.0, 2.0]), "takes counts"),
        ("i-mr", counts([1, 2]), "takes measurements"),
        ("bar", individuals([1.0, 2.0]), "expected a chart of"),
    ],
)
def test_what_cannot_be_charted_says_why(kind, points, words):
    with pytest.raises(FlawlineError, match=words):
        estimate(kind, points)


def test_points_that_are_none():
    for make in (
        lambda: individuals([]),
        lambda: individuals([1.0, np.nan]),
        lambda: counts([1.5]),
    ):
        with pytest.raises(FlawlineError):
            make()
    with pytest.raises(FlawlineError, match="0 or more"):
        counts([-1])
    with pytest.raises(FlawlineError, match="above 0"):
        counts([1], [0])
    with pytest.raises(FlawlineError, match="subgroups of at least one"):
        subgroups([1.0, 2.0], [3])
    with pytest.raises(FlawlineError, match="nothing is left"):
        estimate("i-mr", individuals([1.0, 2.0]), set_aside=[True, True])


def test_a_constant_series_can_be_judged_by_given_limits():
    _, _, signals = advance(State(), ControlLimits("i-mr", 5, 1), NELSON, individuals([5.5] * 20))
    assert {signal.rule.number for signal in signals} == {2, 7}


def test_laney_is_p_when_chance_alone_is_at_work_and_wider_when_not():
    random = np.random.default_rng(0)
    even = counts(random.binomial(200, 0.1, 400), 200)
    assert estimate("laney-p", even).sigma == pytest.approx(1, abs=0.1)
    shares = np.clip(random.normal(0.1, 0.03, 400), 0.01, 0.5)
    uneven = counts(random.binomial(2000, shares), 2000)
    wide = estimate("laney-p", uneven)
    expected = np.hypot(1, 0.03 / np.sqrt(0.1 * 0.9 / 2000))
    assert wide.sigma == pytest.approx(expected, rel=0.15)
    assert overdispersion(estimate("p", uneven), uneven) == pytest.approx(wide.sigma, rel=0.01)
    # D. B. Laney, Quality Engineering 14, 2002: sigma z is the moving range of the z scores over 1.128.
    z = (uneven.counts / 2000 - wide.centre) / np.sqrt(wide.centre * (1 - wide.centre) / 2000)
    assert wide.sigma == pytest.approx(np.abs(np.diff(z)).mean() / 1.128379, rel=1e-6)


def test_the_share_of_false_signals_is_exact():
    # Poisson of mean 4: P(X > 10) = 0.00284; nothing lies below zero.
    assert false_signal_share(ControlLimits("c", 4, 1), 1) == pytest.approx(0.0028398, abs=1e-6)
    # Binomial of 50 and 0.02: the upper limit is 0.0794, and 4 of 50 lie above it: P(X >= 4) = 0.0178.
    assert false_signal_share(ControlLimits("p", 0.02, 1), 50) == pytest.approx(0.01776, abs=1e-4)
    assert false_signal_share(ControlLimits("np", 0.02, 1), 50) == pytest.approx(0.01776, abs=1e-4)
    assert false_signal_share(ControlLimits("u", 0.08, 1), 50) == pytest.approx(
        false_signal_share(ControlLimits("c", 4, 1), 1)
    )


def test_zeros_and_sizes_keep_the_chance_of_a_false_signal():
    random = np.random.default_rng(2)
    x = np.where(random.random(4000) < 0.6, 0.0, random.lognormal(-1, 0.7, 4000))
    transform = fit_transform(x[:1000], "log")
    assert transform.zeros == pytest.approx(0.6, abs=0.05)
    limits = estimate("i-mr", individuals(x[:1000]), transform=transform)
    _, (level,), signals = advance(State(), limits, parse_rules("1"), individuals(x[1000:]))
    assert level.lower is None
    assert 7 not in level.rules
    assert len(signals) / 3000 == pytest.approx(0.00135, abs=0.0015)
    # Without the distribution, an ordinary I chart signals ten times as often.
    plain = estimate("i-mr", individuals(x[:1000]))
    _, _, signals = advance(State(), plain, parse_rules("1"), individuals(x[1000:]))
    assert sum(signal.panel == "individuals" for signal in signals) / 3000 > 0.015


def test_limits_that_make_no_sense_are_refused():
    for wrong in (
        {"chart": "bar"},
        {"sigma": 0.0},
        {"sigma": float("nan")},
        {"k": 0.0},
        {"weight": 1.5},
        {"head_start": 5.0},
        {"chart": "p", "centre": 0.0},
        {"chart": "np", "centre": 1.0},
    ):
        with pytest.raises(UsageError):
            ControlLimits(**{"chart": "i-mr", "centre": 1.0, "sigma": 1.0, **wrong})
    good = limits_as_dict(ControlLimits("ewma", 1, 2, weight=0.3))
    assert good["weight"] == 0.3
    for key, value in (
        ("format", "x"),
        ("version", 2),
        ("centre", "1"),
        ("sigma", None),
        ("weight", True),
    ):
        with pytest.raises(UsageError):
            limits_from_dict({**good, key: value})
    with pytest.raises(UsageError, match="transform"):
        limits_from_dict({**good, "transform": {"name": "weibull", "shape": -1.0, "scale": 1.0}})


def test_transforms_go_with_individuals_alone():
    log = fit_transform(np.arange(1.0, 30), "log")
    with pytest.raises(UsageError, match="single measurements"):
        estimate("ewma", subgroups([[1.0, 2], [3, 4]]), transform=log)
    with pytest.raises(UsageError, match="goes with the charts"):
        estimate("xbar-r", subgroups([[1.0, 2], [3, 4]]), transform=log)
    assert isinstance(counts([1]), Counts)
