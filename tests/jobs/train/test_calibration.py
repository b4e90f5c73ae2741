"""From held-out scores to thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from flawline.errors import UsageError
from flawline.jobs.train.calibration import calibrate
from flawline.jobs.train.calibration_targets import CalibrationTargets, Scores
from flawline.jobs.train.scoring import ScoredPicture, scores_of


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
    assert done.threshold.basis.endswith("; cross-calibrated, so about")
    assert done.metrics["calibration"]["guarantee"].startswith("approximate")
    assert any("takes 59" in line for line in done.messages)


@pytest.mark.parametrize(
    ("count", "asked", "told"),
    [
        (26, None, "26 good parts; 46 good parts separate them, or `review=0.17` does with these"),
        (45, None, "45 good parts; 46 good parts separate them, or `review=0.11` does with these"),
        (46, None, ""),
        (60, 0.05, "60 good parts; 93 good parts separate them, or `review=0.08` does with these"),
        (1, None, "1 good part; 46 good parts separate them"),
    ],
)
def test_why_review_equals_reject(count: int, asked: float | None, told: str) -> None:
    targets = CalibrationTargets(review=asked)
    done = calibrate(scores(count), targets)
    lines = [line for line in done.messages if "review equals reject" in line]
    assert len(lines) == (1 if told else 0)
    assert (done.threshold.review == done.threshold.reject) == bool(told)
    assert not told or lines[0].endswith(f"both are the highest score of {told}")


def test_what_is_offered_separates_review_from_reject() -> None:
    assert calibrate(scores(26), CalibrationTargets(review=0.17)).threshold.review == 25
    assert calibrate(scores(46), CalibrationTargets()).threshold.review == 45


def test_equal_scores_make_review_equal_reject() -> None:
    same = np.ones(300)
    done = calibrate(Scores(same, same, np.zeros(0), False), CalibrationTargets())
    assert "places 279 and 292 of 300 have the same score" in " ".join(done.messages)


def test_a_wished_escape_decides_review() -> None:
    mixed = Scores(np.arange(300.0), np.arange(300.0), np.arange(250.0, 400), False)
    plain = calibrate(mixed, CalibrationTargets())
    assert plain.metrics["defective"]["escape"]["count"] == 29
    offered = [line for line in plain.messages if "`escape=0.02`" in line]
    assert len(offered) == 1
    assert "to miss at most 2 % of such bad parts, accept up to 250: about 17 % (" in offered[0]
    asked = calibrate(mixed, CalibrationTargets(escape=0.02))
    assert asked.threshold.review == np.nextafter(250.0, 0)
    assert asked.threshold.reject == plain.threshold.reject
    assert asked.metrics["defective"]["escape"]["count"] == 0
    assert asked.metrics["calibration"]["escape"] == {
        "at_most": 0.02,
        "confidence": 0.95,
        "n": 150,
        "rank": 1,
    }
    assert asked.metrics["calibration"]["not_accepted"]["count"] == 50
    assert "review: at most 2 % of such bad parts accepted, 95 % confidence" in (
        asked.threshold.basis
    )
    assert not any("`escape=" in line for line in asked.messages)


def test_an_escape_that_rejecting_alone_keeps() -> None:
    done = calibrate(scores(300, bad=60), CalibrationTargets(escape=0.05))
    assert done.threshold.review == done.threshold.reject < 300
    assert any("rejecting alone lets at most 5 %" in line for line in done.messages)


def test_nothing_is_offered_where_it_would_change_nothing() -> None:
    assert not any(
        "`escape" in line for line in calibrate(scores(300, 60), CalibrationTargets()).messages
    )
    # Thirteen bad parts cannot promise one share that is worth offering.
    few = Scores(np.arange(300.0), np.arange(300.0), np.arange(13.0), False)
    assert not any("`escape" in line for line in calibrate(few, CalibrationTargets()).messages)


def test_an_escape_needs_its_bad_parts() -> None:
    with pytest.raises(UsageError, match=r"needs 149 held-out bad parts, got 10"):
        calibrate(scores(300, bad=10), CalibrationTargets(escape=0.02))


def test_a_share_that_was_asked_for_needs_its_pictures() -> None:
    with pytest.raises(UsageError, match=r"needs 299 held-out good parts, got 212") as caught:
        calibrate(scores(212), CalibrationTargets(overkill=0.01))
    assert caught.value.code == "calibration-too-few"
    assert calibrate(scores(299), CalibrationTargets(overkill=0.01)).threshold.reject == 299


def parted(good: np.ndarray, aside: int) -> Scores:
    whole = np.concatenate([good, np.full(aside, 1e6)])
    return Scores(whole, whole, np.zeros(0), True, aside)


def test_parts_set_aside_count_as_rejected() -> None:
    good = np.arange(1.0, 101)
    none, three = (
        calibrate(parted(good, aside), CalibrationTargets(overkill=0.1)) for aside in (0, 3)
    )
    assert three.threshold.reject > none.threshold.reject
    assert three.metrics["calibration"]["reject"]["n"] == 103
    assert three.metrics["calibration"]["set_aside"] == 3
    assert any("count 3 good parts that were set aside" in line for line in three.messages)
    with pytest.raises(UsageError, match="got 103, 3 of them set aside"):
        calibrate(parted(good, 3), CalibrationTargets(overkill=0.05))


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
        {"escape": 0.1, "review": 0.05},
        {"cost_escape": 5, "cost_overkill": 1, "prevalence": 0.1, "escape": 0.05},
    ],
)
def test_targets_that_contradict_each_other(targets: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        CalibrationTargets(**targets)


def test_costs_need_a_defective_part() -> None:
    with pytest.raises(UsageError, match="defective"):
        calibrate(scores(50), CalibrationTargets(cost_escape=5, cost_overkill=1, prevalence=0.1))


def test_one_score_for_each_part_with_those_set_aside() -> None:
    good = {"a1": (1.0, 2.0), "a2": (3.0, 1.0), "b1": (2.0, 5.0), "c1": (0.5, 0.5)}
    aside = {"c2": (2.5, 4.0), "d1": (9.0, 8.0)}
    parts = {name: name[0] for name in (*good, *aside)}
    found = scores_of(
        {name: ScoredPicture(*one) for name, one in good.items()},
        {},
        parts,
        cross_fitted=True,
        set_aside={name: ScoredPicture(*one) for name, one in aside.items()},
    )
    assert found.good.tolist() == [3.0, 2.0, 2.5, 9.0]
    assert found.peaks.tolist() == [2.0, 5.0, 4.0, 8.0]
    # c scores as the others do; d alone is above them.
    assert found.set_aside == 1
