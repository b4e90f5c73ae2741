"""Inspections by the hour and verdict."""

from datetime import UTC, datetime, timedelta

from flawline.records import open_store
from helpers.inspected_records import record

SIX = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def test_hours_count_verdicts_and_decisions_replace_them(tmp_path):
    with open_store(str(tmp_path / "r.db")) as store:
        times = [0, 59, 60, 61, 62, 119, 120]
        verdicts = ["accept", "reject", "accept", "accept", "review", None, "accept"]
        made = [
            record(n, captured=SIX + timedelta(minutes=at), verdict=verdict, defects=())
            for n, (at, verdict) in enumerate(zip(times, verdicts, strict=True))
        ]
        store.add(made)
        hours = store.hours(SIX + timedelta(minutes=70), count=2)
        assert [one.begin for one in hours] == [SIX, SIX + timedelta(hours=1)]
        assert hours[0].counts == {"accept": 1, "reject": 1}
        assert hours[1].counts == {"accept": 2, "review": 1, "unjudged": 1}
        number = next(one.id for one in store.page(count=9).items if one.record.verdict == "review")
        for verdict in ("accept", "reject"):
            store.decide(number, verdict, who="eva", why="seen", when=SIX)
        assert store.hours(SIX + timedelta(hours=1), count=1)[0].counts == {
            "accept": 2,
            "reject": 1,
            "unjudged": 1,
        }
        # An hour without parts is there, empty.
        assert [dict(one.counts) for one in store.hours(SIX - timedelta(hours=1), count=2)] == [
            {},
            {},
        ]
