"""What became of a part, in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime

from flawline.records.record import Decision, StoredRecord
from flawline.station.part_summary import part_summary
from helpers.inspected_records import record

WHEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def kept(number, *decisions, **changes):
    return StoredRecord(number, record(number, **changes), decisions)


def test_the_last_picture_counts():
    assert (
        part_summary([kept(3)])
        == "1 picture; rejected at last: the score lies above the threshold."
    )
    steps = [kept(3, step="cast"), kept(4, step="coat")]
    assert part_summary(steps) == "2 pictures in 2 steps; accepted at last at coat."
    assert part_summary([kept(4, verdict=None)]) == "1 picture; not judged at last."


def test_a_person_counts_before_the_machine():
    decision = Decision("accept", "Kim", "a hair", WHEN)
    assert part_summary([kept(3, decision)]) == "1 picture; accepted by Kim at last: a hair."
