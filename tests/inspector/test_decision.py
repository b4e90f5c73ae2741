"""Reasons of a detector's verdicts."""

from flawline.inspector.decision import decide_by_score
from flawline.recipe import NO_THRESHOLD, ThresholdSettings


def decided(score, review, reject, p_value=None, held_out=0):
    threshold = ThresholdSettings(review=review, reject=reject, region=NO_THRESHOLD)
    return decide_by_score(score, threshold, p_value, (), held_out)


def test_scores_are_held_against_thresholds():
    assert decided(1.0, 2.0, 3.0, 0.5, 9).reasons[0] == (
        "score 1 is not above 2 (review); p = 0.5 among 9 held-out good parts"
    )
    assert decided(2.5, 2.0, 3.0, 0.1, 9).reasons[0].startswith("score 2.5 is above 2 (review); ")
    assert decided(4.0, 2.0, 3.0, 0.1, 9).reasons[0].startswith("score 4 is above 3 (reject); ")


def test_one_part_sets_no_threshold():
    decision = decided(72.54, -NO_THRESHOLD, NO_THRESHOLD)
    assert decision.verdict == "review"
    assert decision.reasons == (
        "score 72.54: no threshold for review could be set, so the part goes to review; "
        "no good part was held out to compare with",
    )


def test_a_reject_threshold_set_by_hand_counts():
    assert decided(90.0, -NO_THRESHOLD, 80.0).reasons[0].startswith("score 90 is above 80 (reject)")
    assert "could be set" in decided(70.0, -NO_THRESHOLD, 80.0).reasons[0]
