import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.pareto import pareto
from flawline.core.spc.run_chart import runs_about_median
from flawline.errors import FlawlineError


@pytest.mark.parametrize(
    ("useful", "longest", "crossings"),
    # J. Anhoej, PLoS ONE 10, 2015, e0121349, table 1: limits for the longest run and the number of crossings.
    [
        (10, 6, 2),
        (12, 7, 3),
        (16, 7, 4),
        (20, 7, 6),
        (24, 8, 8),
        (30, 8, 10),
        (40, 8, 14),
    ],
)
def test_published_limits(useful, longest, crossings):
    x = np.random.default_rng(useful).permutation(useful).astype(float)
    runs = runs_about_median(x)
    assert runs.useful == useful
    assert (runs.longest_allowed, runs.fewest_allowed) == (longest, crossings)


def test_a_shift_is_unusual_and_chance_seldom_is():
    random = np.random.default_rng(0)
    shifted = np.concatenate([random.normal(0, 1, 20), random.normal(3, 1, 20)])
    runs = runs_about_median(shifted)
    assert runs.unusual
    assert runs.longest >= 10
    calm = [runs_about_median(random.normal(size=24)).unusual for _ in range(1000)]
    # Anhoej and Olesen 2014: some 8 % of series of 24 points.
    assert 0.03 < np.mean(calm) < 0.12


def test_few_or_equal_points_say_nothing():
    assert runs_about_median(np.ones(50)) is None
    assert runs_about_median(np.arange(9.0)) is None


def test_pareto_orders_and_adds_up():
    found = pareto({"dent": 9, "stain": 40, "scratch": 22, "burr": 9})
    assert found.names == ("stain", "scratch", "burr", "dent")
    assert found.cumulative == pytest.approx((0.5, 0.775, 0.8875, 1.0))
    assert found.shares == pytest.approx((0.5, 0.275, 0.1125, 0.1125))


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 1000), min_size=1, max_size=20))
def test_pareto_keeps_everything(counts):
    if not any(counts.values()):
        with pytest.raises(FlawlineError):
            pareto(counts)
        return
    found = pareto(counts)
    assert dict(zip(found.names, found.counts, strict=True)) == counts
    assert list(found.counts) == sorted(counts.values(), reverse=True)
    assert found.cumulative[-1] == pytest.approx(1)


def test_pareto_of_nonsense():
    for wrong in ({}, {"a": -1.0, "b": 3.0}, {"a": float("nan")}, {"a": float("inf")}):
        with pytest.raises(FlawlineError):
            pareto(wrong)
