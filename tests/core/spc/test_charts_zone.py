"""Zone charts: Jaehn's scores 0, 2, 4 and 8, which add up on one side of the centre and signal at 8."""

import numpy as np
import pytest

from flawline.core.spc.chart_points import individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.charts_zone import added_scores
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY
from flawline.core.spc.signal_texts import text_of

LIMITS = ControlLimits("zone", 10.0, 1.0)


def sums_of(values, limits=LIMITS):
    return advance(State(), limits, FIRST_ONLY, individuals(values))[1][1].values.tolist()


@pytest.mark.parametrize(
    ("value", "score"),
    [(10.5, 0), (11.5, 2), (12.5, 4), (13.5, 8), (9.5, 0), (8.5, -2), (7.5, -4), (6.5, -8)],
)
def test_a_point_scores_by_its_zone(value, score):
    # A. H. Jaehn, Quality Progress 24 (7), 1991: 0, 2, 4 and 8.
    assert sums_of([value]) == [score]


def test_scores_add_up_until_a_point_crosses_the_centre():
    assert sums_of([11.5, 10.5, 12.5, 9.5, 8.5, 7.5, 11.5]) == [2, 2, 6, 0, -2, -6, 2]


def test_points_on_a_border_belong_to_the_inner_zone_and_on_the_centre_change_nothing():
    assert sums_of([11.0, 12.0, 13.0, 10.0, 12.5]) == [0, 2, 6, 6, 10]
    # 0.1 + 0.2 is not 0.3 in floating-point arithmetic, and lies on the border all the same.
    assert sums_of([0.1 + 0.2], ControlLimits("zone", 0.0, 0.3)) == [0]


def test_a_score_of_8_is_a_signal_and_one_of_6_is_none():
    _, _, signals = advance(
        State(), LIMITS, FIRST_ONLY, individuals([12.5, 11.5, 11.5, 9.5, 7.5, 7.5])
    )
    assert [(one.panel, one.at, one.side) for one in signals] == [
        ("zone score", 2, 1),
        ("zone score", 5, -1),
    ]
    assert "above the centre" in text_of(1, "zone score", 1).meaning


def test_other_limits_move_the_zones():
    assert sums_of([11.5, 11.5], ControlLimits("zone", 10.0, 1.0, k=2.0)) == [4, 8]


def test_the_means_of_subgroups_are_judged_by_their_own_errors():
    points = subgroups([[10.6, 10.6, 10.6, 10.6], [10.6]])
    assert advance(State(), LIMITS, FIRST_ONLY, points)[1][1].values.tolist() == [2, 2]


def test_added_scores_go_on_from_where_they_were():
    steps = np.array([0.5, 0.8, -0.1, -0.9])
    whole, score, side = added_scores(steps, np.zeros(4))
    first, *so_far = added_scores(steps[:2], np.zeros(2))
    rest, *end = added_scores(steps[2:], np.zeros(2), tuple(so_far))
    assert [*first, *rest] == [*whole]
    assert (score, side) == tuple(end)


def test_sigma_comes_from_the_moving_range():
    values = np.random.default_rng(4).normal(5, 2, 60)
    limits = estimate("zone", individuals(values))
    assert limits.sigma == pytest.approx(np.abs(np.diff(values)).mean() / 1.128379, rel=1e-6)
