import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score

from flawline.jobs.classify.class_confusion import evaluate, reliability


def stated(rows=200, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    probabilities = rng.dirichlet(np.ones(classes), rows)
    return truth, probabilities


def test_figures_are_those_of_scikit_learn():
    truth, p = stated()
    found = evaluate(["bad", "good"], truth, p, p, positive=0)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, p.argmax(1)))
    assert found.auroc == pytest.approx(roc_auc_score(truth == 0, p[:, 0]))
    assert found.positive == "bad"
    assert found.after.brier == pytest.approx(2 * brier_score_loss(truth, p[:, 1]))


def test_the_table_counts_true_lines_and_predicted_columns():
    truth = np.array([0, 0, 0, 1])
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    found = evaluate(["a", "b"], truth, p, p)
    assert found.confusion == ((2, 1), (0, 1))
    assert (found.scores[0].recall.hits, found.scores[0].recall.of) == (2, 3)
    assert (found.scores[1].precision.hits, found.scores[1].precision.of) == (1, 2)
    assert found.accuracy == 0.75


def test_what_has_no_picture_has_no_share():
    truth = np.array([0, 0])
    p = np.array([[0.8, 0.2, 0.0], [0.7, 0.3, 0.0]])
    found = evaluate(["a", "b", "c"], truth, p, p)
    assert found.scores[2].recall is None
    assert found.scores[2].precision is None
    assert found.balanced_accuracy == 1
    assert found.auroc is None


def test_probabilities_that_keep_their_word_have_no_error():
    p = np.array([[0.8, 0.2]] * 10)
    truth = np.array([0] * 8 + [1] * 2)
    found = reliability(truth, p)
    assert found.error == pytest.approx(0)
    assert found.stated == pytest.approx((0.8,))
    assert found.brier == pytest.approx(0.32)
