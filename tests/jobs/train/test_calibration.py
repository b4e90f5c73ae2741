"""From held-out scores to thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from flawline.errors import UsageError
from flawline.jobs.train.calibration import CalibrationTargets, Scores, calibrate


def scores(count: int, bad: int = 0, *, cross_fitted: bool = False) -> Scores:
    good = np.arange(1.0, count + 1)
    return Scores(good, good / 2, count + np.arange(1.0, bad + 1), cross_fitted)


def test_usual_shares_where_pictures_suffice() -> None:
    done = calibrate(scores(300), CalibrationTargets())
    limit = done.threshold
    assert limit.review < limit.reject
    assert (np.arange(1.0, 301) > limit.reject).mean() <= 0.05
    assert (np.arange(1.0, 301) > limit.review).mean() <= 0.10
    assert "at most 5 % of good parts, 95 % confidence, n = 300" in limit.basis
    assert limit.region == pytest.approx(limit.review / 2)


def test_few_pictures_promise_what_they_can() -> None:
    done = calibrate(scores(5, cross_fitted=True), CalibrationTargets())
    assert done.threshold.review == done.threshold.reject == 5
    assert "at most 45.1 % of good parts, 95 % confidence, n = 5" in done.threshold.basis
    assert "cross-fitted" in done.threshold.basis
    assert any("takes 59" in line for line in done.messages)


def test_a_share_that_was_asked_for_needs_its_pictures() -> None:
    with pytest.raises(UsageError, match=r"needs 299 held-out good parts, got 212") as caught:
        calibrate(scores(212), CalibrationTargets(overkill=0.01))
    assert caught.value.code == "calibration-too-few"
    assert calibrate(scores(299), CalibrationTargets(overkill=0.01)).threshold.reject == 299


def test_nothing_held_out_accepts_and_rejects_nothing() -> None:
    done = calibrate(scores(0), CalibrationTargets())
    assert done.threshold.review < -1e29
    assert done.threshold.reject > 1e29
    assert "every part goes to review" in done.threshold.basis
    with pytest.raises(UsageError, match="only one part"):
        calibrate(scores(0), CalibrationTargets(overkill=0.05))


def test_escapes_are_told_with_their_interval() -> None:
    done = calibrate(scores(100, bad=10), CalibrationTargets())
    escape = done.metrics["defective"]["escape"]
    assert escape["count"] == 0
    assert escape["of"] == 10
    assert escape["interval"] == pytest.approx([0, 0.3085], abs=1e-4)
    assert done.metrics["defective"]["auroc"] == 1


def test_costs_move_the_threshold() -> None:
    mixed = Scores(np.arange(100.0), np.arange(100.0), np.arange(80.0, 130), False)
    dear = calibrate(
        mixed, CalibrationTargets(cost_escape=1000, cost_overkill=1, prevalence=0.1)
    ).threshold
    cheap = calibrate(
        mixed, CalibrationTargets(cost_escape=1, cost_overkill=1000, prevalence=0.1)
    ).threshold
    assert dear.reject < 80
    assert cheap.reject >= 99
    assert dear.review == dear.reject
    assert "least expected cost" in dear.basis


@pytest.mark.parametrize(
    "targets",
    [
        {"cost_escape": 5},
        {"cost_escape": 5, "cost_overkill": 1, "prevalence": 0.1, "overkill": 0.05},
        {"overkill": 0.1, "review": 0.05},
    ],
)
def test_targets_that_contradict_each_other(targets: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        CalibrationTargets(**targets)


def test_costs_need_a_defective_part() -> None:
    with pytest.raises(UsageError, match="defective"):
        calibrate(scores(50), CalibrationTargets(cost_escape=5, cost_overkill=1, prevalence=0.1))
