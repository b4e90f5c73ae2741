"""Places where less is found: where one is drawn it is seen, and where none is, seldom."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flawline.core.blind_zones import LONGER, BlindMap, find_blind_zones


def blind_map(
    seed: int,
    blind: float,
    count: int = 400,
    *,
    aspect: float = 1.0,
    mean: NDArray[np.uint8] | None = None,
) -> BlindMap:
    """Draw defects of three sizes; in a disc at the upper left, a share `blind` of them is not found."""
    rng = np.random.default_rng(seed)
    places = rng.random((count, 2))
    size = rng.integers(0, 3, count)
    chance = np.array([0.4, 0.7, 0.95])[size]
    inside = np.hypot(places[:, 0] - 0.3, places[:, 1] - 0.3) < 0.18
    found = rng.random(count) < np.where(inside, chance * (1 - blind), chance)
    expected = np.array([found[size == k].mean() for k in range(3)])[size]
    return find_blind_zones(places, found, expected, size.tolist(), aspect, rng, mean)


def test_a_blind_place_is_found_where_it_lies() -> None:
    for seed in range(5):
        found = blind_map(seed, 0.9)
        zone = found.zones[0]
        left, top, width, height = zone.box
        assert abs(left + width / 2 - 0.3) < 0.08
        assert abs(top + height / 2 - 0.3) < 0.08
        assert zone.found < zone.expected / 2
        assert zone.of >= 20
        assert found.relative[round(0.3 * LONGER), round(0.3 * LONGER)] < 0.4
        assert np.nanmedian(found.relative[LONGER // 2 :]) == pytest.approx(1, abs=0.2)


def test_without_a_blind_place_one_is_seldom_named() -> None:
    # 1 in 20 by design; 95 % of such binomials of 40 are at most 5.
    named = sum(bool(blind_map(seed, 0.0, 200).zones) for seed in range(40))
    assert named <= 5


def test_places_without_defects_are_unknown() -> None:
    rng = np.random.default_rng(0)
    places = rng.random((200, 2)) * (1, 0.4)
    found = find_blind_zones(places, rng.random(200) < 0.5, np.full(200, 0.5), [0] * 200, 0.5, rng)
    assert found.relative.shape == (LONGER // 2, LONGER)
    assert np.isnan(found.relative[:, LONGER * 3 // 4 :]).all()
    assert not found.low[:, LONGER * 3 // 4 :].any()
    assert np.isfinite(found.relative[:, : LONGER // 3]).all()


@pytest.mark.parametrize(("level", "look"), [(20, "dark"), (240, "light"), (120, "")])
def test_a_zone_is_told_by_its_look(level: int, look: str) -> None:
    mean = np.full((100, 100, 3), 120, np.uint8)
    mean[:, 60:] = np.linspace(60, 200, 40, dtype=np.uint8)[:, None]
    cv2.circle(mean, (30, 30), 20, (level,) * 3, -1)
    assert blind_map(1, 0.9, mean=mean).zones[0].look == look


def test_the_same_seed_gives_the_same_map() -> None:
    one, again = blind_map(3, 0.5), blind_map(3, 0.5)
    assert np.array_equal(one.relative, again.relative, equal_nan=True)
    assert one.zones == again.zones


def test_defects_that_are_all_found_make_no_zone() -> None:
    rng = np.random.default_rng(0)
    found = find_blind_zones(
        rng.random((50, 2)), np.ones(50, bool), np.full(50, 50.5 / 51), [0] * 50, 1.0, rng
    )
    assert found.zones == ()
    assert not found.low.any()
