import math

import numpy as np
import pytest

from flawline.core.spc.chart_constants import c4, c5, d2, d3, per_size

# ASTM E2587 and the AIAG manual Statistical Process Control, appendix E: n, d2, d3, c4, A2, A3, D3, D4, B3, B4.
TABLE = """
2 1.128 0.853 0.7979 1.880 2.659 0 3.267 0 3.267
3 1.693 0.888 0.8862 1.023 1.954 0 2.575 0 2.568
4 2.059 0.880 0.9213 0.729 1.628 0 2.282 0 2.266
5 2.326 0.864 0.9400 0.577 1.427 0 2.114 0 2.089
6 2.534 0.848 0.9515 0.483 1.287 0 2.004 0.030 1.970
7 2.704 0.833 0.9594 0.419 1.182 0.076 1.924 0.118 1.882
8 2.847 0.820 0.9650 0.373 1.099 0.136 1.864 0.185 1.815
9 2.970 0.808 0.9693 0.337 1.032 0.184 1.816 0.239 1.761
10 3.078 0.797 0.9727 0.308 0.975 0.223 1.777 0.284 1.716
15 3.472 0.756 0.9823 0.223 0.789 0.347 1.653 0.428 1.572
20 3.735 0.729 0.9869 0.180 0.680 0.415 1.585 0.510 1.490
25 3.931 0.708 0.9896 0.153 0.606 0.459 1.541 0.565 1.435
"""
ROWS = [tuple(map(float, line.split())) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"n{row[0]:.0f}")
def test_the_published_table(row):
    n = int(row[0])
    root = math.sqrt(n)
    computed = (
        d2(n),
        d3(n),
        c4(n),
        3 / (d2(n) * root),
        3 / (c4(n) * root),
        max(0, 1 - 3 * d3(n) / d2(n)),
        1 + 3 * d3(n) / d2(n),
        max(0, 1 - 3 * c5(n) / c4(n)),
        1 + 3 * c5(n) / c4(n),
    )
    # The tables were worked out from rounded d2 and d3, so that their last digit may be off by one.
    assert computed == pytest.approx(row[1:], abs=1.1e-3)
    assert computed[2] == pytest.approx(row[3], abs=5.1e-5)


def test_closed_forms_of_small_samples():
    # H. Leon Harter, Order Statistics and Their Use in Testing and Estimation, vol. 1, 1970: exact for n = 2 to 5.
    root = math.sqrt(math.pi)
    assert d2(2) == pytest.approx(2 / root, abs=1e-12)
    assert d2(3) == pytest.approx(3 / root, abs=1e-12)
    assert d2(4) == pytest.approx(12 / math.pi**1.5 * math.atan(math.sqrt(2)), abs=1e-12)
    assert d2(5) == pytest.approx(30 / math.pi**1.5 * math.atan(math.sqrt(2)) - 5 / root, abs=1e-12)
    assert d3(2) == pytest.approx(math.sqrt(2 - 4 / math.pi), abs=1e-12)
    exact = math.sqrt((2 * math.pi + 3 * math.sqrt(3) - 9) / math.pi)
    assert d3(3) == pytest.approx(exact, abs=1e-12)
    assert c4(2) == pytest.approx(math.sqrt(2 / math.pi), abs=1e-14)


def test_constants_are_those_of_simulated_samples():
    x = np.random.default_rng(4).standard_normal((200_000, 7))
    ranges = np.ptp(x, axis=1)
    assert d2(7) == pytest.approx(ranges.mean(), abs=0.01)
    assert d3(7) == pytest.approx(ranges.std(), abs=0.01)
    assert c4(7) == pytest.approx(x.std(axis=1, ddof=1).mean(), abs=0.003)


def test_large_and_impossible_sizes():
    assert d2(1000) == pytest.approx(6.4829, abs=1e-4)
    assert 0 < d3(1000) < d3(25)
    assert per_size(d2, np.array([2, 5, 2])).tolist() == [d2(2), d2(5), d2(2)]
    for constant in (d2, d3, c4):
        with pytest.raises(ValueError, match="at least 2"):
            constant(1)
