"""Scores placed in a chart, second looks and disagreements, and the sentence of a line with alerts."""

from datetime import UTC, datetime

from flawline.records.alerts import RaisedAlert
from flawline.records.record import Decision, DefectRecord, StoredRecord
from flawline.station.line_chart import line_chart
from flawline.station.line_summary import line_summary
from flawline.station.second_looks import disagreements, second_looks
from helpers.inspected_records import record

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def kept(number, *decisions, **changes):
    made = tuple(Decision(verdict, who, "seen", NOW) for who, verdict in decisions)
    return StoredRecord(number, record(number, **changes), made)


def test_the_newest_score_is_at_the_right_and_far_ones_at_the_edge():
    newest_first = [kept(1, score=90.0), kept(2, score=5.0), kept(3, score=0.0)]
    chart = line_chart(newest_first, {"review": 8.0, "reject": 10.0})
    assert chart is not None
    assert [point.kept.id for point in chart.points] == [3, 2, 1]
    assert [point.y for point in chart.points] == [1.0, 0.75, 0.0]
    assert [point.above for point in chart.points] == [False, False, True]
    assert chart.limits == {"review": (8.0, 0.6), "reject": (10.0, 0.5)}


def test_without_scores_there_is_no_chart():
    assert line_chart([kept(1, score=None)], {}) is None
    flat = line_chart([kept(1, score=0.0)], {})
    assert flat is not None
    assert flat.points[0].y == 1.0


def test_second_looks_are_at_what_one_other_person_decided():
    parts = [
        kept(1, ("eva", "accept")),
        kept(2, ("eva", "accept"), ("adam", "reject")),
        kept(3, ("adam", "reject"), ("adam", "accept")),
        kept(4, ("eva", "reject"), ("adam", "accept"), ("adam", "reject")),
    ]
    assert [one.id for one in second_looks(parts, "adam")] == [1]
    assert [one.id for one in second_looks(parts, "eva")] == [3]
    assert [(one.kept.id, one.verdicts) for one in disagreements(parts)] == [
        (2, {"eva": "accept", "adam": "reject"})
    ]


def test_the_sentence_names_the_class_and_the_newest_alert():
    stain = DefectRecord("stain")
    last = [kept(1, verdict="reject", defects=(stain, stain)), kept(2, verdict="accept")]
    alert = RaisedAlert(
        "k", "score", "individuals", 1, "above", 1, "P1", "P1", "the level rises", "", "", NOW
    )
    assert line_summary(last).sentence == "1 of the last 2 pictures rejected, 1 for stain."
    assert (
        line_summary(last, [alert, alert]).sentence
        == "1 of the last 2 pictures rejected, 1 for stain; the level rises, and 1 more alert."
    )
