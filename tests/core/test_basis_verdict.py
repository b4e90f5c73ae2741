"""What a segmenter, an audit of labels and a study of capability rest on, in plain words."""

import pytest

from flawline.core.basis_verdict import audit_verdict, capability_verdict, segmenter_verdict
from flawline.core.class_learning import ClassLearning
from flawline.core.metrics import Share

MANY = {"stain": 40, "scratch": 30}


ALL = {"stain": 0.6, "scratch": 0.4}


@pytest.mark.parametrize(
    ("learnt", "marked", "epochs", "usable", "text"),
    [
        (ALL, MANY, 40, "yes", "5 % overkill (4 of 80 good parts): usable"),
        ({"stain": 0.0, "scratch": 0.01}, MANY, 40, "no", "Learnt nothing: not usable"),
        ({"stain": 0.0, "scratch": 0.0}, MANY, 1, "no", "after 1 epoch"),
        ({"stain": 0.6, "scratch": 0.01}, MANY, 40, "no", "did not learn scratch"),
        (ALL, MANY, 1, "not alone", "trained for 1 epoch only"),
        ({"stain": 0.6, "scratch": None}, MANY, 40, "not alone", "picture shows scratch"),
        (ALL, {"stain": 40, "scratch": 3}, 40, "not alone", "3 with scratch"),
        ({"stain": None, "scratch": None}, MANY, 40, "unknown", "No validation picture"),
    ],
)
def test_a_segmenter(learnt, marked, epochs, usable, text):
    found = segmenter_verdict(learnt, marked, epochs, Share(0, 60), Share(4, 80))
    assert found.usable == usable
    assert text in found.text


@pytest.mark.parametrize(
    ("missed", "overkill", "usable"),
    [
        (Share(20, 60), Share(4, 80), "no"),
        (Share(2, 60), Share(4, 80), "not alone"),
        (Share(0, 60), Share(70, 80), "no"),
        (Share(0, 9), None, "not alone"),
        (Share(1, 170), None, "not alone"),
    ],
)
def test_a_segmenter_is_judged_by_the_parts_that_it_misses_and_rejects(missed, overkill, usable):
    found = segmenter_verdict(ALL, MANY, 40, missed, overkill)
    assert found.usable == usable
    assert found.text.startswith(f"Misses {missed.hits} of {missed.of} validation parts")


def test_a_segmenter_of_weak_labels_is_not_usable_alone():
    weak = "outlines were estimated in boxes"
    found = segmenter_verdict(ALL, MANY, 40, Share(0, 60), Share(4, 80), weak=weak)
    assert found.usable == "not alone"
    assert found.text.endswith(f"; {weak}")
    worse = segmenter_verdict(ALL, MANY, 40, Share(20, 60), Share(4, 80), weak=weak)
    assert worse.usable == "no"


SEEN, UNSEEN = ClassLearning(0.6, 0.02), ClassLearning(0.03, 0.02)


@pytest.mark.parametrize(
    ("learning", "epochs", "pictures", "usable", "text"),
    [
        ({"stain": SEEN}, 20, 100, "yes", "from 100 masks"),
        ({"stain": SEEN}, None, 100, "yes", "learnt every class"),
        ({"stain": UNSEEN}, 20, 100, "no", "Not audited: the segmenters learnt nothing"),
        ({"stain": UNSEEN, "dent": None}, 1, 12, "no", "more than 12 masks and 1 epoch"),
        ({"stain": UNSEEN}, None, 12, "no", "stain 0.03 (a guess 0.02)"),
        ({"stain": SEEN, "scratch": UNSEEN}, 20, 100, "no", "Masks of scratch not audited"),
        ({"stain": SEEN}, 1, 100, "not alone", "1 epoch only"),
        ({"stain": SEEN}, 20, 12, "not alone", "Only 12 masks"),
        ({"stain": None}, 20, 100, "unknown", "nothing to learn"),
    ],
)
def test_an_audit(learning, epochs, pictures, usable, text):
    found = audit_verdict(learning, epochs, pictures)
    assert found.usable == usable
    assert text in found.text


@pytest.mark.parametrize(
    ("reasons", "count", "fits", "usable"),
    [
        ((), 125, True, "yes"),
        (("a point lies beyond",), 125, True, "no"),
        ((), 125, False, "not alone"),
        ((), 12, True, "not alone"),
    ],
)
def test_a_study_of_capability(reasons, count, fits, usable):
    assert capability_verdict(reasons, count, fits=fits).usable == usable
