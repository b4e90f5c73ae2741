import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.errors import UsageError
from flawline.jobs.classify.classifier_folds import check_folds, split
from helpers.examples import examples


@examples(30)
@given(st.integers(0, 1000), st.integers(2, 4), st.integers(3, 5))
def test_no_group_is_torn_and_every_class_is_learned(seed, classes, folds):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 60, 240)
    truth = (groups % classes).astype(np.int64)
    tested = []
    for train, test in split(truth, groups, folds, seed, fewest=2):
        assert not set(groups[train]) & set(groups[test])
        assert set(truth[train]) == set(truth)
        tested += test.tolist()
    assert sorted(tested) == list(range(240))


def test_too_few_are_refused_with_the_number_needed():
    truth = np.array([0] * 10 + [1] * 4)
    with pytest.raises(UsageError, match="at least 5 pictures of every class, 'crack' has 4") as e:
        check_folds(["free", "crack"], truth, np.arange(14), 5)
    assert "`folds=4`" in e.value.hint
    groups = np.array([*range(10), 20, 20, 21, 21])
    with pytest.raises(UsageError, match="3 groups of every class, 'crack' has 2"):
        check_folds(["free", "crack"], truth, groups, 3)


def test_groups_that_cannot_be_divided_are_refused():
    # One group holds the second class but for one picture.
    truth = np.array([0] * 9 + [1] * 4)
    groups = np.array([*range(9), 50, 50, 50, 51])
    with pytest.raises(UsageError, match="cannot be divided into 3 folds"):
        split(truth, groups, 3, 0, fewest=2)
