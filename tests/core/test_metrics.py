import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from flawline.core.metrics import Share, auroc, average_precision, found_within

labelled_scores = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=60
).filter(lambda rows: len({bad for bad, _ in rows}) == 2)


@given(labelled_scores)
def test_areas_agree_with_scikit_learn_also_with_ties(rows):
    bad, scores = zip(*rows, strict=True)
    assert auroc(bad, scores) == pytest.approx(roc_auc_score(bad, scores))
    assert average_precision(bad, scores) == pytest.approx(average_precision_score(bad, scores))


@given(labelled_scores)
def test_auroc_only_sees_the_order(rows):
    bad, scores = map(np.array, zip(*rows, strict=True))
    assert auroc(bad, np.exp(scores / 3)) == pytest.approx(auroc(bad, scores))
    assert auroc(bad, -scores) == pytest.approx(1 - auroc(bad, scores))


def test_auroc_of_hanley_and_mcneil_table_1():
    """109 CT images rated 1 to 5 by one reader: area 0.893 (Hanley and McNeil 1982, tables I and II)."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    scores = np.repeat([1, 2, 3, 4, 5] * 2, normal + abnormal)
    bad = np.repeat([False, True], [sum(normal), sum(abnormal)])
    assert round(auroc(bad, scores), 3) == 0.893


@pytest.mark.parametrize(
    ("bad", "scores", "message"),
    [
        ([True, True], [1, 2], "only one kind"),
        ([True, False], [1, np.nan], "finite"),
        ([True, False], [1, 2, 3], "equal length"),
    ],
)
def test_auroc_refuses_what_has_no_area(bad, scores, message):
    with pytest.raises(ValueError, match=message):
        auroc(bad, scores)


def test_found_within_counts_down_the_ranking():
    assert found_within([True, False, True, True]).tolist() == [1, 1, 2, 3]


def test_a_share_knows_its_interval():
    """81 of 263: 0.2527 to 0.3676 (Newcombe 1998, table I)."""
    share = Share(81, 263)
    assert share.value == pytest.approx(81 / 263)
    assert share.interval == pytest.approx((0.2527, 0.3676), abs=5e-5)
    wider = Share(81, 263, confidence=0.99).interval
    assert wider[0] < share.interval[0] < share.interval[1] < wider[1]


@pytest.mark.parametrize("case", [(0, 0), (2, 1), (-1, 3), (1, 2, 1.0)])
def test_shares_of_nothing_are_refused(case):
    with pytest.raises(ValueError, match="hits of at least one trial"):
        Share(*case)
