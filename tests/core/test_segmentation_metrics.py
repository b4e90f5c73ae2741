import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score, precision_score, recall_score

from flawline.core.metrics import Share
from flawline.core.segmentation_metrics import IGNORE, ConfusionMatrix, Detection, shows_defect
from helpers.examples import examples

CLASSES = ("background", "scratch", "stain")


def matrix_of(truth, predicted, classes=3):
    matrix = ConfusionMatrix(classes)
    matrix.add(truth, predicted)
    return matrix


def test_the_figures_of_a_matrix_worked_by_hand():
    truth = np.array([[0, 0, 0, 1], [1, 1, 2, IGNORE]], np.uint8)
    predicted = np.array([[0, 0, 1, 1], [0, 1, 0, 2]], np.uint8)
    matrix = matrix_of(truth, predicted)
    assert matrix.counts.tolist() == [[2, 1, 0], [1, 2, 0], [1, 0, 0]]
    assert matrix.by_true_class() == ((2 / 3, 1 / 3, 0), (1 / 3, 2 / 3, 0), (1, 0, 0))
    assert matrix.accuracy() == 4 / 7
    background, scratch, stain = matrix.figures()
    assert (background.pixels, scratch.pixels, stain.pixels) == (3, 3, 1)
    assert (scratch.iou, scratch.dice) == (2 / 4, 4 / 6)
    assert (scratch.precision, scratch.recall) == (2 / 3, 2 / 3)
    assert (stain.iou, stain.dice, stain.precision, stain.recall) == (0, 0, None, 0)
    assert matrix.mean() == 0.25
    assert matrix.mean("precision") == 2 / 3


def test_a_matrix_of_what_was_counted_before():
    matrix = ConfusionMatrix.of([[5, 1], [2, 3]])
    assert matrix.counts.tolist() == [[5, 1], [2, 3]]
    assert matrix.figures()[1].iou == 3 / 6
    for wrong in ([[1, 2, 3]], [[1, -1], [0, 0]], [1, 2]):
        with pytest.raises(ValueError, match="counts"):
            ConfusionMatrix.of(wrong)


def test_what_does_not_occur_has_no_figure():
    nothing = matrix_of(np.full((2, 2), IGNORE, np.uint8), np.ones((2, 2), np.uint8))
    assert nothing.by_true_class() == (None, None, None)
    assert nothing.accuracy() is None
    assert nothing.mean() is None
    good = matrix_of(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))
    assert good.figures()[1].iou is None
    assert good.figures()[0].iou == 1


maps = arrays(np.uint8, (6, 5), elements=st.sampled_from([0, 1, 2, IGNORE]))
marks = arrays(np.uint8, (6, 5), elements=st.integers(0, 2))


@examples(50)
@given(st.lists(st.tuples(maps, marks), min_size=1, max_size=3))
def test_figures_are_those_of_scikit_learn(pairs):
    matrix = ConfusionMatrix(3)
    for truth, predicted in pairs:
        matrix.add(truth, predicted)
    true = np.concatenate([t[t != IGNORE] for t, _ in pairs])
    mask = np.concatenate([p[t != IGNORE] for t, p in pairs])
    if not len(true):
        assert not matrix.counts.any()
        return
    np.testing.assert_array_equal(matrix.counts, confusion_matrix(true, mask, labels=[0, 1, 2]))
    given = {"labels": [0, 1, 2], "average": None, "zero_division": 0}
    for name, peer in (
        ("iou", jaccard_score),
        ("dice", f1_score),
        ("precision", precision_score),
        ("recall", recall_score),
    ):
        ours = [getattr(one, name) or 0 for one in matrix.figures()]
        np.testing.assert_allclose(ours, peer(true, mask, **given), atol=1e-12)


@examples(30)
@given(maps, marks, marks)
def test_pictures_apart_or_merged_are_the_same_and_dice_follows_from_iou(truth, one, other):
    whole, first = ConfusionMatrix(3), matrix_of(truth, one)
    whole.add(truth, one)
    whole.add(truth, other)
    first.merge(matrix_of(truth, other))
    np.testing.assert_array_equal(whole.counts, first.counts)
    for figures in whole.figures():
        if figures.iou is not None:
            assert figures.dice == pytest.approx(2 * figures.iou / (1 + figures.iou))


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        (np.zeros((2, 2), int), np.zeros((2, 3), int), "one shape"),
        (np.full((2, 2), 3), np.zeros((2, 2), int), "got 3"),
        (np.zeros((2, 2), int), np.full((2, 2), IGNORE), "predicted classes 0 to 2"),
        (np.zeros((2, 2)), np.zeros((2, 2)), "class numbers"),
    ],
)
def test_what_is_no_class_is_refused(truth, predicted, message):
    with pytest.raises(ValueError, match=message):
        matrix_of(truth, predicted)


def test_the_number_of_classes_is_checked():
    with pytest.raises(ValueError, match="2 to 254"):
        ConfusionMatrix(1)
    with pytest.raises(ValueError, match="expected 3 classes, got 2"):
        ConfusionMatrix(3).merge(ConfusionMatrix(2))


def drawn():
    truth, predicted = np.zeros((2, 12, 12), np.uint8)
    truth[1:3, 1:3] = 1  # found by one pixel
    truth[3, 3] = 1  # touches the first at a corner: one region
    truth[8:11, 8:11] = 2  # predicted as the other class: not found
    truth[0, 11] = 2  # found
    truth[6, :] = IGNORE
    predicted[3, 3] = 1
    predicted[9, 9] = 1
    predicted[0, 11] = 2
    predicted[6, 4] = 2  # where nobody knows
    return truth, predicted


def test_regions_are_found_where_their_class_overlaps():
    detection = Detection(CLASSES)
    detection.add(*drawn(), part="a")
    assert detection.by_class() == {"scratch": Share(1, 1), "stain": Share(1, 2)}
    assert detection.false_regions() == {"scratch": 1, "stain": 0}
    sizes = detection.by_size([4], label="stain")
    assert [(one.smallest, one.limit, one.found.value) for one in sizes] == [
        (0, 4, 1),
        (4, None, 0),
    ]
    assert [one.found for one in detection.by_size([6])] == [Share(2, 2), Share(0, 1)]


def test_a_part_is_called_by_all_of_its_pictures():
    detection = Detection(CLASSES)
    truth, predicted = drawn()
    blank = np.zeros_like(truth)
    detection.add(truth, blank, part="a")
    assert detection.escapes() == Share(1, 1)
    assert detection.overkill() is None
    detection.add(blank, predicted, part="a")
    detection.add(blank, blank, part="b")
    detection.add(blank, np.eye(12, dtype=np.uint8), part="c")
    assert detection.escapes() == Share(0, 1)
    assert detection.overkill() == Share(1, 2)
    low, high = detection.overkill().interval
    assert low < 0.5 < high


def test_nothing_seen_has_no_shares():
    detection = Detection(CLASSES)
    assert detection.by_class() == {}
    assert detection.by_size() == ()
    assert detection.escapes() is None


def strokes():
    """A stroke of class 1 and one of the background; the rest is unknown."""
    truth = np.full((20, 20), IGNORE, np.uint8)
    truth[5, 3:8] = 1
    truth[15, 3:17] = 0
    return truth


def test_a_defect_that_is_marked_beside_its_stroke_is_not_missed():
    predicted = np.zeros((20, 20), np.uint8)
    # On unknown pixels alone: the part is stopped all the same.
    predicted[7:9, 3:8] = 1
    detection = Detection(CLASSES)
    detection.add(strokes(), predicted, "a")
    assert (detection.escapes().hits, detection.escapes().of) == (0, 1)
    assert detection.false_regions()[CLASSES[1]] == 0
    detection.add(strokes(), np.zeros((20, 20), np.uint8), "b")
    assert (detection.escapes().hits, detection.escapes().of) == (1, 2)


def test_a_region_over_a_stroke_and_beyond_it_is_one_right_region():
    predicted = np.zeros((20, 20), np.uint8)
    predicted[4:17, 4:6] = 1
    detection = Detection(CLASSES)
    detection.add(strokes(), predicted, "a")
    assert detection.by_class()[CLASSES[1]].hits == 1
    assert detection.false_regions()[CLASSES[1]] == 0
    predicted[:] = 0
    predicted[14:17, 10:12] = 1
    detection.add(strokes(), predicted, "a")
    assert detection.false_regions()[CLASSES[1]] == 1


def test_a_part_of_which_little_is_known_is_neither_good_nor_bad():
    truth = np.full((10, 10), IGNORE, np.uint8)
    truth[0] = 0
    predicted = np.ones((10, 10), np.uint8)
    detection = Detection(CLASSES)
    detection.add(truth, predicted, "a")
    assert shows_defect(truth) is None
    assert detection.escapes() is None
    assert detection.overkill() is None
    truth[:5] = 0
    detection.add(truth, np.zeros((10, 10), np.uint8), "b")
    # A part is known to be good where all of its pictures are.
    detection.add(truth, predicted, "c")
    detection.add(np.full((10, 10), IGNORE, np.uint8), predicted, "c")
    assert shows_defect(truth) is False
    assert (detection.overkill().hits, detection.overkill().of) == (0, 1)
    # What lies on unknown pixels of a good part counts nowhere.
    predicted[:5] = 0
    detection.add(truth, predicted, "d")
    assert (detection.overkill().hits, detection.overkill().of) == (0, 2)
