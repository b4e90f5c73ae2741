import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.intervals import clopper_pearson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 5 (Clopper-Pearson).
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_published_intervals(hits, of, low, high):
    found = clopper_pearson(hits, of)
    assert found == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_mirrors(case):
    hits, of = case
    low, high = clopper_pearson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    assert clopper_pearson(of - hits, of) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("case", [(-1, 3), (4, 3), (0, 0), (1, 2, 1.0)])
def test_impossible_counts_are_refused(case):
    with pytest.raises(ValueError, match="expected"):
        clopper_pearson(*case)
