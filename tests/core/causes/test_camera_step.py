import numpy as np
import pytest

from flawline.core.causes.camera_step import camera_step

DAYS = np.arange(24.0)


def places(count=4, *, factor=1.0, seed=0, noise=0.06):
    """Places that grow at rates of their own from one day on, their areas times `factor` from day 15 on."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(count):
        areas = 20 + rng.uniform(10, 60) * np.maximum(DAYS - 5, 0)
        areas *= np.exp(rng.normal(0, noise, len(DAYS))) * np.where(DAYS > 14.5, factor, 1)
        found.append((DAYS + 0.002 * k, areas))
    return found


def test_a_step_of_all_places_by_one_factor_is_the_camera():
    found = camera_step(places(factor=1.8))
    assert 14.5 < found.at < 15
    assert found.factor == pytest.approx(1.8, rel=0.1)
    assert found.places == 4
    assert found.surely(0.05)
    assert camera_step(places(factor=0.5)).factor == pytest.approx(0.5, rel=0.2)


def test_places_that_grow_from_one_day_on_are_not_the_camera():
    sure = [camera_step(places(seed=seed)) for seed in range(4)]
    assert sum(one is not None and one.surely(0.05) for one in sure) <= 1


def test_a_step_of_one_place_is_not_the_camera():
    series = places()
    times, areas = series[0]
    series[0] = times, np.where(DAYS > 14.5, 3 * areas, areas)
    assert not camera_step(series).surely(0.05)


def test_steps_by_different_factors_are_not_the_camera():
    series = places(noise=0.02)
    for k, factor in enumerate((1.0, 1.4, 3.0, 8.0)):
        series[k] = series[k][0], np.where(DAYS > 14.5, factor, 1) * series[k][1]
    assert not camera_step(series).surely(0.05)


def test_few_places_shots_or_areas_cannot_be_compared():
    assert camera_step(places(2)) is None
    assert camera_step([(DAYS[:5], np.ones(5))] * 4) is None
    assert camera_step([(DAYS, np.zeros(24))] * 4) is None
    assert camera_step([]) is None


def test_the_same_shots_give_the_same_step():
    assert camera_step(places(factor=1.5)) == camera_step(places(factor=1.5))
