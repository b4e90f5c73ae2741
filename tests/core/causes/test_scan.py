import numpy as np
import pytest

from flawline.core.causes.scan import cells_of, edges_of, hot_spots, once_a_part

EVEN = np.ones((14, 18))


def spread(rng, events, expected=EVEN):
    return (
        rng.multinomial(events, (expected / expected.sum()).ravel())
        .reshape(expected.shape)
        .astype(float)
    )


def test_a_place_with_more_is_found_where_it_is():
    rng = np.random.default_rng(0)
    counts = spread(rng, 200)
    counts[5, 11] += 12
    found = hot_spots(counts, EVEN)[0]
    assert (found.row, found.column) == (5, 11)
    assert found.p < 0.01
    assert found.observed == counts[found.inside].sum()
    assert found.expected == pytest.approx(212 * found.inside.sum() / EVEN.size)


def test_even_events_have_a_p_value_that_is_even():
    p = [hot_spots(spread(np.random.default_rng(k), 150), EVEN, seed=k)[0].p for k in range(24)]
    assert np.mean(np.array(p) < 0.25) == pytest.approx(0.25, abs=0.25)


def test_the_ratio_is_that_of_the_formula_of_kulldorff():
    counts = np.zeros((6, 6))
    counts[2, 2], counts[0, 5], counts[5, 0] = 6, 2, 2
    found = hot_spots(counts, np.ones((6, 6)))[0]
    # 6 of 10 events in 1 of 36 cells: 6 / (10 / 36) over 4 / (350 / 36).
    assert found.ratio == pytest.approx((6 / (10 / 36)) / (4 / (350 / 36)))


def test_what_the_shape_leads_to_expect_is_no_finding():
    rng = np.random.default_rng(5)
    shape = EVEN.copy()
    shape[:, :4] = 8
    counts = spread(rng, 300, shape)
    assert hot_spots(counts, shape)[0].p > 0.05
    assert hot_spots(counts, EVEN)[0].p < 0.01


def test_angles_go_round():
    rng = np.random.default_rng(2)
    counts = spread(rng, 200)
    counts[7, 0] += 7
    counts[7, 17] += 7
    found = hot_spots(counts, EVEN, periodic=True)[0]
    assert found.inside[7, 0]
    assert found.inside[7, 17]


def test_two_places_are_two_findings():
    rng = np.random.default_rng(3)
    counts = spread(rng, 200)
    counts[3, 3] += 14
    counts[11, 14] += 12
    found = hot_spots(counts, EVEN)
    assert {(spot.row, spot.column) for spot in found if spot.p < 0.05} == {(3, 3), (11, 14)}


def test_nothing_and_the_impossible():
    assert hot_spots(np.zeros((4, 4)), np.ones((4, 4))) == []
    with pytest.raises(ValueError, match="where none is expected"):
        hot_spots(np.ones((2, 2)), np.eye(2))
    with pytest.raises(ValueError, match="grids of one shape"):
        hot_spots(np.ones((2, 2)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="whole numbers"):
        hot_spots(np.full((2, 2), 0.5), np.ones((2, 2)))
    assert hot_spots(np.full((1, 1), 3.0), np.ones((1, 1))) == []


def test_values_fall_into_cells_and_parts_count_once():
    edges = edges_of(0, 10, 5)
    assert cells_of(np.array([0.0, 1.9, 2.0, 10.0, 10.1, -1]), edges).tolist() == [
        0,
        0,
        1,
        4,
        -1,
        -1,
    ]
    assert once_a_part(np.array([0, 0, 1]), np.array([3, 3, 3])).tolist() == [0, 2]
