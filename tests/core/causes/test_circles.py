"""Sums over circles, and their ratios, are those of the plain formulas."""

import numpy as np
import pytest
from scipy.signal import correlate2d
from scipy.special import xlogy

from flawline.core.causes.circles import LARGEST, circles_of


def disc(half):
    reach = len(half) // 2
    across = np.abs(np.arange(-reach, reach + 1))
    return np.array([across <= width for width in half]).astype(np.int64)


def plain_ratios(circles, counts):
    """Each formula as Kulldorff writes it, circle by circle."""
    total, found = counts.sum(), []
    for half, share, usable in zip(circles.halves, circles.share, circles.usable, strict=True):
        reach = len(half) // 2
        room = np.pad(counts, ((reach, reach), (0, 0)))
        room = np.pad(
            room, ((0, 0), (reach, reach)), mode="wrap" if circles.periodic else "constant"
        )
        inside = correlate2d(room, disc(half), mode="valid")
        s = np.clip(share, 1e-9, 1 - 1e-9)
        ratio = xlogy(inside, inside / (total * s)) + xlogy(
            total - inside, (total - inside) / (total * (1 - s))
        )
        found.append(np.where(usable & (inside > total * share + 0.5), ratio, 0))
    return np.array(found)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(9, 14), (1, 12), (14, 5)])
def test_ratios_are_those_of_the_formula(shape, periodic):
    rng = np.random.default_rng(4)
    expected = rng.uniform(0.5, 2, shape) * (rng.random(shape) > 0.2)
    circles = circles_of(expected / expected.sum(), periodic=periodic)
    assert len(circles.areas) >= 2
    assert circles.areas == tuple(disc(half).sum() for half in circles.halves)
    grids = rng.multinomial(60, (expected / expected.sum()).ravel(), 7).reshape(7, *shape)
    plain = np.array([plain_ratios(circles, counts) for counts in grids])
    ratios = np.array([circles.ratios(counts, 60) for counts in grids])
    assert ratios == pytest.approx(plain, abs=1e-8)
    batches = [grids[:4], grids[4:]]
    assert circles.largest(batches, 60) == pytest.approx(plain.max(axis=(1, 2, 3)), abs=1e-8)


def test_circles_are_discs_that_hold_a_quarter_at_most():
    circles = circles_of(np.full((12, 12), 1 / 144), periodic=False)
    row, column = np.mgrid[:12, :12]
    for size, half in enumerate(circles.halves):
        cells = circles.cells(size, 5, 6)
        reach = len(half) // 2
        assert cells.sum() == circles.areas[size]
        assert np.hypot(row - 5, column - 6)[cells].max() <= reach + 0.5
    assert circles.share[circles.usable].max() <= LARGEST
    touched = circles.touching(cells)
    assert touched[0].sum() == cells.sum()
    assert touched[-1].sum() > cells.sum()


def test_circles_go_round_where_columns_do():
    circles = circles_of(np.full((6, 12), 1 / 72), periodic=True)
    cells = circles.cells(1, 3, 0)
    assert cells[3, 11]
    assert cells[3, 1]
    assert cells.sum() == 5
