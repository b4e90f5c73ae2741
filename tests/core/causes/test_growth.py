import numpy as np
import pytest
import statsmodels.api as sm

from flawline.core.causes.growth import common_scale, first_alarm, fit_growth

ONE = np.zeros(30, int)


def test_the_rate_and_its_interval_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    days = np.sort(rng.uniform(0, 10, 30))
    areas = 5 + 40 * days + rng.normal(0, 6, 30)
    peer = sm.OLS(areas, sm.add_constant(days)).fit()
    found = fit_growth(days, areas, ONE)
    assert found.rate == pytest.approx((peer.params[1], *peer.conf_int()[1]))
    assert found.spread == pytest.approx(np.sqrt(peer.mse_resid))


def test_the_limit_is_reached_where_the_prediction_band_meets_it():
    rng = np.random.default_rng(1)
    days = np.arange(30.0)
    areas = 10 * days + rng.normal(0, 5, 30)
    found = fit_growth(days, areas, ONE, limit=400)
    value, low, high = found.reaches
    assert low < value < high
    assert value == pytest.approx(11, abs=1.5)
    peer = sm.OLS(areas, sm.add_constant(days)).fit()
    band = peer.get_prediction([[1, 29 + low]]).conf_int(obs=True)[0]
    assert band[1] == pytest.approx(400, abs=1)


def test_a_camera_that_moves_makes_no_growth():
    rng = np.random.default_rng(2)
    days, framing = np.arange(30.0), (np.arange(30) >= 20).astype(int)
    series = []
    for slope in (8.0, 20.0, 0.5):
        areas = 100 + slope * days + rng.normal(0, 2, 30)
        series.append((days, np.where(framing == 1, 1.8 * areas, areas), framing))
    scale = common_scale(series)
    assert scale == pytest.approx(1.8, rel=0.03)
    found = fit_growth(*series[0], scale=scale)
    assert found.rate[0] == pytest.approx(1.8 * 8, rel=0.1)
    assert common_scale([(days, days, np.zeros(30, int))]) is None


def test_the_first_alarm_is_the_first_of_two_above_what_is_usual():
    rng = np.random.default_rng(3)
    areas = np.r_[rng.uniform(0, 4, 20), 60.0, 2.0, 70, 80, 90]
    shot, limit = first_alarm(areas)
    assert shot == 22
    assert 4 < limit < 20


def test_without_shots_before_the_rise_every_area_counts():
    assert first_alarm(np.array([0.0, 0, 5, 6])) == (2, 0.0)
    assert first_alarm(np.r_[np.full(14, 5.0), 80, 90], from_the_start=False) == (0, 0.0)
    assert first_alarm(np.zeros(5)) == (None, 0.0)


def test_few_shots_or_one_time_have_no_growth():
    assert fit_growth(np.arange(4.0), np.arange(4.0), np.zeros(4, int)) is None
    assert fit_growth(np.ones(9), np.arange(9.0), np.zeros(9, int)) is None


def test_what_does_not_grow_never_reaches_a_limit():
    found = fit_growth(np.arange(30.0), np.r_[np.full(15, 9.0), np.full(15, 7.0)], ONE, limit=50)
    assert not found.grows
    assert np.isinf(found.reaches[0])
