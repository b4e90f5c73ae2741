import numpy as np
import pytest

from flawline.core.causes.bends import fit_bends

DAYS = np.arange(30.0)


def drawn(values, seed=0, noise=4.0):
    return values + np.random.default_rng(seed).normal(0, noise, len(values))


def test_the_time_growth_begins_is_found_with_its_interval():
    alone = covered = 0
    for seed in range(20):
        bends = fit_bends(DAYS, drawn(20 * np.maximum(DAYS - 12.4, 0), seed)).bends
        assert any(bend.rises for bend in bends)
        alone += len(bends) == 1
        covered += any(bend.day[1] <= 12.4 <= bend.day[2] for bend in bends)
    assert alone >= 16
    assert covered >= 17


def test_a_bend_has_the_slopes_on_either_side():
    (bend,) = fit_bends(DAYS, drawn(20 * np.maximum(DAYS - 12.4, 0), 1)).bends
    assert bend.day[0] == pytest.approx(12.4, abs=1)
    assert bend.before == pytest.approx(0, abs=2)
    assert bend.after == pytest.approx(20, abs=2)
    assert bend.p == pytest.approx(1 / 400)


def test_growth_that_begins_and_slows_has_two_bends():
    values = 30 * np.clip(DAYS - 8, 0, 10) + 3 * np.maximum(DAYS - 18, 0)
    begins, slows = fit_bends(DAYS, drawn(values)).bends
    assert begins.day[0] == pytest.approx(8, abs=1)
    assert slows.day[0] == pytest.approx(18, abs=1)
    assert begins.rises
    assert not slows.rises
    assert slows.before == begins.after == pytest.approx(30, rel=0.1)


def test_a_straight_line_seldom_bends():
    bent = sum(bool(fit_bends(DAYS, drawn(7 * DAYS, seed)).bends) for seed in range(40))
    assert bent <= 6


def test_a_line_without_scatter_and_short_or_still_series_do_not_bend():
    exact = fit_bends(DAYS, 7 * DAYS)
    assert not exact.bends
    assert exact.fitted == pytest.approx(7 * DAYS)
    assert not fit_bends(DAYS[:4], np.array([0.0, 0, 5, 10])).bends
    assert not fit_bends(DAYS, np.zeros(30)).bends


def test_a_hinge_without_scatter_is_found_exactly():
    (bend,) = fit_bends(DAYS, 5 * np.maximum(DAYS - 10, 0)).bends
    assert bend.day[0] == 10
    assert (bend.before, bend.after) == (pytest.approx(0, abs=1e-9), pytest.approx(5))


def test_the_fit_of_a_bend_is_that_of_least_squares():
    values = drawn(20 * np.maximum(DAYS - 12, 0), 3)
    found = fit_bends(DAYS, values)
    design = np.column_stack([np.ones(30), DAYS, np.maximum(DAYS - found.bends[0].day[0], 0)])
    peer = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    assert found.fitted == pytest.approx(peer)
    assert fit_bends(DAYS, values).bends == found.bends
