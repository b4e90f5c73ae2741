"""Points of records with what people entered about them, on the page and on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import flawline
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.stored_series import FIRST_STAGE, read_stored_series
from flawline.jobs.chart.watch import Watch
from flawline.jobs.chart.watch_settings import WatchSettings
from flawline.records import open_store
from flawline.records.where import Where
from helpers.inspected_records import record

WHEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
BY = {"who": "Kim", "when": WHEN}
COUNT, ODD = 40, 25


@pytest.fixture
def store(tmp_path):
    """Forty inspections whose score goes up and down, with one far away."""
    with open_store(str(tmp_path / "r.db")) as opened:
        opened.add(
            [record(n, score=50.0 if n == ODD else 10 + (n * 7 % 5) / 10) for n in range(COUNT)]
        )
        yield opened


def number_of(store, place):
    return store.columns("score", by=["id"])["id"][place]


def test_each_point_knows_its_inspections(store):
    single = read_stored_series(store, "score", "i-mr", Forming(label="part"), Where())
    assert len(single.ids) == COUNT
    assert single.point_of(number_of(store, ODD)) == ODD
    assert single.point_of(999) is None
    assert single.times[0].startswith("2026-03-01T06:00:00")
    lots = read_stored_series(store, "score", "xbar-r", Forming(by="lot"), Where())
    assert [len(own) for own in lots.ids] == [10, 10, 10, 10]
    assert lots.point_of(number_of(store, ODD)) == ODD // 10
    assert lots.name == "score by lot"


def test_a_point_set_aside_on_the_page_is_set_aside_by_every_chart_of_its_series(store, tmp_path):
    before = flawline.chart("score", store=store)
    entry = store.charts.add(
        "score", "set aside", "dropped", inspection=number_of(store, ODD), **BY
    )
    chart = flawline.chart("score", store=store)
    assert chart.set_aside.nonzero()[0].tolist() == [ODD]
    assert chart.stages[0].limits.points == COUNT - 1
    assert chart.stages[0].limits.sigma < before.stages[0].limits.sigma
    assert any("is set aside by Kim: dropped" in note for note in chart.notes)
    others = (
        flawline.chart("score", store=store, set_aside=["none"]),
        flawline.chart("score", store=store, where={"station": "s1"}),
        flawline.chart("score", store=store, limits=before.stages[0].limits),
    )
    assert not any(chart.set_aside.any() for chart in others)
    learnt = flawline.chart("score", store=store, phase1=30)
    assert learnt.stages[0].limits.points == 29
    assert flawline.chart("score", store=store, phase1=20).stages[0].limits.points == 20
    watch = Watch(WatchSettings("score"), store, tmp_path)
    watch.read()
    assert watch.growing is not None
    assert watch.growing.limits.points == COUNT - 1
    store.charts.undo(entry.id, **BY)
    assert not flawline.chart("score", store=store).set_aside.any()


def test_stages_begun_on_the_page_have_limits_of_their_own(store):
    store.charts.add("score", "stage", "new lamp", inspection=number_of(store, 20), **BY)
    chart = flawline.chart("score", store=store)
    assert [(one.name, one.first, one.last) for one in chart.stages] == [
        (FIRST_STAGE, 0, 19),
        ("new lamp", 20, COUNT - 1),
    ]
    later = flawline.chart("score", store=store, since="2026-03-01T06:00:25Z")
    assert [one.name for one in later.stages] == ["new lamp"]
    assert len(flawline.chart("score", store=store, set_aside=["none"]).stages) == 1
    assert len(flawline.chart("score", store=store, stage="lot").stages) == 4
    assert flawline.chart("score", store=store, phase1=30).series.stages == ("",) * COUNT
