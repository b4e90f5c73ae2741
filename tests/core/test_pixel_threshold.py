import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.class_mask import class_mask_of
from flawline.core.pixel_curves import BINS
from flawline.core.pixel_threshold import WITHOUT_PIXELS, PixelCurves, choose_thresholds
from flawline.core.segmentation_metrics import IGNORE
from flawline.errors import UsageError
from helpers.examples import examples

CLASSES = ("background", "scratch", "stain")


def curves_of(truth, scratch, stain=None):
    """One row of pixels with the probabilities of the two classes."""
    scratch = np.array([scratch], np.float32)
    stain = np.zeros_like(scratch) if stain is None else np.array([stain], np.float32)
    curves = PixelCurves(CLASSES)
    curves.add(np.array([truth], np.uint8), np.stack([1 - scratch - stain, scratch, stain]))
    return curves


def test_the_threshold_of_highest_dice_worked_by_hand():
    curves = curves_of([1, 1, 1, 0, 0, IGNORE], [0.9, 0.8, 0.2, 0.4, 0.1, 1.0])
    scratch, stain = choose_thresholds(curves)
    # From 0.2: 3 right, 1 wrong, Dice 6/7; from 0.8: 2 right, 4/5.
    assert (scratch.rule, scratch.reached, scratch.pixels) == ("dice", True, 3)
    assert scratch.dice == pytest.approx(6 / 7)
    assert 0.1 < scratch.threshold <= 0.2
    assert (scratch.recall, scratch.precision) == (1, 0.75)
    assert "scratch: from" in scratch.message
    assert (stain.threshold, stain.rule, stain.reached) == (WITHOUT_PIXELS, "none", False)
    assert stain.recall is None
    assert "no pixel" in stain.message


def test_the_middle_of_what_is_equally_good():
    (scratch, _) = choose_thresholds(curves_of([1, 0], [0.8, 0.2]))
    assert scratch.threshold == pytest.approx(0.5005, abs=0.001)


def test_a_target_recall_by_the_highest_threshold_that_reaches_it():
    curves = curves_of([1, 1, 1, 1, 0], [0.9, 0.8, 0.5, 0.3, 0.6])
    (half, _) = choose_thresholds(curves, target_recall=0.5)
    assert (half.threshold, half.recall, half.precision) == (0.8, 0.5, 1)
    (most, _) = choose_thresholds(curves, target_recall=0.75)
    assert (most.threshold, most.recall) == (0.5, 0.75)
    assert most.reached


def test_pixels_are_counted_as_they_are_marked():
    probabilities = np.random.default_rng(0).dirichlet((1, 1, 1), (30, 40)).transpose(2, 0, 1)
    probabilities = probabilities.astype(np.float32)
    truth = np.random.default_rng(1).integers(0, 3, (30, 40), dtype=np.uint8)
    curves = PixelCurves(CLASSES)
    curves.add(truth, probabilities)
    # Thresholds that only one class can reach.
    class_mask = class_mask_of(probabilities, (0.55, 0.6))
    for number, (name, place) in enumerate((("scratch", 549), ("stain", 599)), 1):
        rates = curves.precision_recall(name)
        assert rates.missed[place] == ((truth == number) & (class_mask != number)).sum()
        assert rates.false[place] == ((truth != number) & (class_mask == number)).sum()


def test_a_recall_that_cannot_be_had_is_said():
    curves = curves_of([1, 1], [0.7, 0.0])
    (scratch, _) = choose_thresholds(curves, target_recall=0.9)
    assert not scratch.reached
    assert (scratch.threshold, scratch.recall) == (0.7, 0.5)
    assert "a recall of 0.9 cannot be reached, 0.500 is the most" in scratch.message


def test_costs_move_the_threshold():
    curves = curves_of([1, 1, 0, 0], [0.9, 0.2, 0.5, 0.1])
    (careful, _) = choose_thresholds(curves, miss_cost=10, false_cost=1)
    (strict, _) = choose_thresholds(curves, miss_cost=1, false_cost=10)
    assert (careful.recall, careful.precision) == (1, pytest.approx(2 / 3))
    assert (strict.recall, strict.precision) == (0.5, 1)
    assert careful.threshold < strict.threshold
    assert strict.rule == "costs"


chances = st.one_of(
    st.floats(0, 1, width=32),
    # What lies on an edge of a bin, and its neighbours, is where counting can slip.
    st.tuples(st.integers(0, BINS), st.sampled_from([-1.0, 0.0, 1.0])).map(
        lambda edge: (
            float(np.nextafter(np.float32(edge[0] / BINS), np.float32(edge[1])))
            if edge[1] != 0
            else float(np.float32(edge[0] / BINS))
        )
    ),
).map(lambda value: min(max(value, 0.0), 1.0))
truths = arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, IGNORE]))
probabilities = arrays(np.float32, (3, 4, 5), elements=chances)


@examples(60)
@given(truths, probabilities, st.integers(1, BINS - 1))
def test_counts_are_exact_at_every_threshold(truth, given_probabilities, cut):
    curves = PixelCurves(CLASSES)
    curves.add(truth, given_probabilities)
    known = truth != IGNORE
    for number, name in enumerate(CLASSES[1:], 1):
        true = (truth == number)[known]
        predicted = (given_probabilities[number] >= np.float32(cut / BINS))[known]
        rates = curves.precision_recall(name)
        assert curves.pixels(name) == true.sum()
        if not true.any():
            assert rates is None
            continue
        assert rates.thresholds[cut - 1] == cut / BINS
        assert rates.missed[cut - 1] == (true & ~predicted).sum()
        assert rates.false[cut - 1] == (predicted & ~true).sum()
        assert rates.recall[cut - 1] == pytest.approx((true & predicted).sum() / true.sum())
        if predicted.any():
            assert rates.precision[cut - 1] == pytest.approx(
                (true & predicted).sum() / predicted.sum()
            )


@examples(50)
@given(truths, probabilities, st.floats(0.01, 1), st.floats(0.1, 10), st.floats(0.1, 10))
def test_no_other_threshold_is_better(truth, given_probabilities, target, miss, false):
    curves = PixelCurves(CLASSES)
    curves.add(truth, given_probabilities)
    ways = (
        choose_thresholds(curves),
        choose_thresholds(curves, target_recall=target),
        choose_thresholds(curves, miss_cost=miss, false_cost=false),
    )
    for name, best, found, cheap in zip(CLASSES[1:], *ways, strict=True):
        rates = curves.precision_recall(name)
        if rates is None:
            assert {one.rule for one in (best, found, cheap)} == {"none"}
            continue
        place = {one: round(one.threshold * BINS) - 1 for one in (best, found, cheap)}
        assert rates.dice[place[best]] == best.dice == rates.dice.max()
        assert found.recall == rates.recall[place[found]]
        assert found.reached == (found.recall >= target)
        assert (rates.recall[place[found] + 1 :] < min(target, rates.recall.max())).all()
        spent = miss * rates.missed + false * rates.false
        assert spent[place[cheap]] == spent.min()
        assert (np.diff(rates.recall) <= 0).all()


@examples(20)
@given(st.lists(st.tuples(truths, probabilities), min_size=2, max_size=4))
def test_neither_order_nor_halves_matter(pairs):
    forth, back, first, rest = (PixelCurves(CLASSES) for _ in range(4))
    for truth, given_probabilities in pairs:
        forth.add(truth, given_probabilities)
    for truth, given_probabilities in reversed(pairs):
        back.add(truth, given_probabilities)
    first.add(*pairs[0])
    for pair in pairs[1:]:
        rest.add(*pair)
    first.merge(rest)
    assert choose_thresholds(forth) == choose_thresholds(back) == choose_thresholds(first)


@pytest.mark.parametrize(
    "wishes",
    [
        {"target_recall": 0},
        {"target_recall": 1.1},
        {"target_recall": float("nan")},
        {"miss_cost": 1},
        {"false_cost": 1},
        {"target_recall": 0.5, "miss_cost": 1, "false_cost": 1},
        {"miss_cost": 0, "false_cost": 1},
        {"miss_cost": float("inf"), "false_cost": 1},
    ],
)
def test_wishes_that_mean_nothing_are_refused(wishes):
    with pytest.raises(UsageError):
        choose_thresholds(curves_of([1], [0.5]), **wishes)


def test_what_does_not_belong_together_is_refused():
    curves = PixelCurves(CLASSES)
    good = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="probabilities"):
        curves.add(good, np.zeros((2, 2, 2), np.float32))
    with pytest.raises(ValueError, match="from 0 to 1"):
        curves.add(good, np.full((3, 2, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="true classes"):
        curves.add(good + 3, np.zeros((3, 2, 2), np.float32))
    with pytest.raises(ValueError, match="different names"):
        PixelCurves(("background",))
    with pytest.raises(ValueError, match="a class of"):
        curves.precision_recall("background")
    with pytest.raises(ValueError, match="the classes"):
        curves.merge(PixelCurves(("background", "other")))
