import numpy as np
import pytest

from flawline.core.spc.chart_constants import d2, range_exceeds
from flawline.core.spc.chart_points import individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.stability import judge_stability


def judged(points, kind):
    limits = estimate(kind, points)
    _, panels, _ = advance(State(), limits, (), points)
    return judge_stability(points, panels, limits.sigma, lambda point: f"part {point + 1}")


def test_the_chance_of_a_range_by_simulation_and_for_two():
    from scipy.special import ndtr

    # The range of two is sqrt(2) times half a normal number.
    exact = 2 * ndtr(-np.array([1.0, 3.0]) / np.sqrt(2))
    assert range_exceeds(np.array([1.0, 3.0]), np.array([2, 2])) == pytest.approx(exact, rel=1e-9)
    drawn = np.ptp(np.random.default_rng(0).normal(size=(200_000, 5)), axis=1)
    for width in (d2(5), 4.0, 5.0):
        chance = float(range_exceeds(np.array([width]), np.array([5]))[0])
        assert (drawn > width).mean() == pytest.approx(chance, abs=0.004)


@pytest.mark.parametrize(
    ("kind", "shape"), [("i-mr", 100), ("xbar-r", (25, 5)), ("xbar-s", (25, 12))]
)
def test_a_stable_process_fails_in_few_studies(kind, shape):
    make = individuals if kind == "i-mr" else subgroups
    stable = [
        judged(make(np.random.default_rng(seed).normal(size=shape)), kind).stable
        for seed in range(100)
    ]
    assert sum(stable) >= 90


def test_a_subgroup_that_varies_more_is_named():
    for kind, size in (("xbar-r", 5), ("xbar-s", 12)):
        x = np.random.default_rng(1).normal(size=(25, size))
        x[9] *= 4
        reasons = judged(subgroups(x), kind).reasons
        name = "range" if kind == "xbar-r" else "standard deviation"
        assert len(reasons) == 1
        assert reasons[0].startswith("part 10 lies ")
        assert reasons[0].endswith(f" sigma from the centre of the {name}")


def test_many_small_signals_and_long_runs():
    x = np.random.default_rng(2).normal(size=200)
    x[::40] = 3.8
    reasons = " ".join(judged(individuals(x), "i-mr").reasons)
    assert "5 of 200 points lie beyond the limits: part 1, part 41, part 81 and others" in reasons
    run = np.random.default_rng(3).permutation(np.linspace(-1, 1, 100))
    run[40:60] = np.abs(run[40:60]) + 0.2
    assert "points in a row" in " ".join(judged(individuals(run), "i-mr").reasons)
