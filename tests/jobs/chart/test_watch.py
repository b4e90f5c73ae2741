"""A watch judges each new point once, rings once, and goes on after a kill at any moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import NELSON, parse_rules
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.checkpoint import read_checkpoint, write_checkpoint
from flawline.jobs.chart.follow import follow
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.phases import chart_in_phases
from flawline.jobs.chart.series import form_series
from flawline.jobs.chart.watch import CHECKPOINT, Watch
from flawline.jobs.chart.watch_settings import WatchSettings
from flawline.outputs import Dispatch, Failure
from flawline.records import StoreError, open_store
from flawline.records.where import Where
from helpers.inspected_records import record
from helpers.places import Place, until

AREA = "LargestStainArea"
LIMITS = ControlLimits("i-mr", 10.0, 1.0)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "records.db")) as opened:
        yield opened


@pytest.fixture
def line(store, tmp_path):
    """A line that makes parts, and a watch of them that can be killed."""
    made = Line(store, tmp_path)
    yield made
    made.end()


class Line:
    def __init__(self, store, folder):
        self.store, self.folder, self.arrived, self.made = store, folder, Place(), 0
        self.outputs = {}

    def make(self, *areas, **changes):
        records = []
        for area in areas:
            changed = {"measures": {AREA: float(area)}, **changes}
            records.append(record(self.made, **changed))
            self.made += 1
        self.store.add(records)

    def watch(self, **changes):
        given = {"measure": AREA, "limits": LIMITS, "how": Forming(label="part"), **changes}
        return Watch(
            WatchSettings(**given), self.store, self.folder, self.dispatch(), clock=lambda: NOW
        )

    def dispatch(self):
        """What sends the alerts of the folder, in place of that of an earlier watch."""
        if self.folder in self.outputs:
            self.outputs[self.folder].close()
        owner = str(self.folder)
        self.outputs[self.folder] = Dispatch([self.arrived], self.store.deliveries, owner=owner)
        return self.outputs[self.folder]

    def end(self):
        for outputs in self.outputs.values():
            outputs.close()

    @property
    def place(self):
        """The output, once it has all that is owed."""
        for outputs in self.outputs.values():
            for address in outputs.addresses:
                until(lambda name=address: self.store.deliveries.waiting(name) == 0)
        return self.arrived

    @property
    def rang(self):
        return [(message["point"], message["rule"], message["level"]) for message in self.place.got]


def calm(count, seed=0):
    return np.random.default_rng(seed).normal(10, 1, count).clip(7.5, 12.5)


def test_each_new_point_is_judged_once_and_rings_once(line):
    line.make(*calm(20))
    watch = line.watch()
    assert watch.read().points == 20
    assert line.rang == []
    line.make(10, 20)
    progress = watch.read()
    assert (progress.points, len(progress.messages)) == (2, 1)
    assert line.rang == [("P000021", 1, 1)]
    assert watch.read().points == 0
    line.make(20, 20, 20, 20)
    watch.read()
    assert line.rang == [("P000021", 1, 1), ("P000021", 1, 2)], "one episode, escalated once"
    message = line.place.got[0]
    assert message["text"] == f"{AREA}, individuals: beyond the upper limit at P000021"
    assert (message["value"], message["upper"], message["inspection"]) == (20.0, 13.0, 22)
    assert line.store.get(22).record.part == "P000021"
    assert message["key"] == f"{AREA}/individuals/rule-1/above/22"
    assert line.place.got[1]["key"] == message["key"]
    assert "it goes on to P000024" in line.place.got[1]["text"]
    (kept,) = line.store.alerts.list()
    assert (kept.alert.key, kept.alert.point, kept.escalated) == (message["key"], "P000021", NOW)


@pytest.mark.parametrize("kind", ["i-mr", "ewma", "cusum"])
@pytest.mark.parametrize("steps", [[240], [1] * 60 + [6] * 30, [13] * 18 + [6]])
def test_in_one_reading_or_in_many_is_what_the_whole_chart_says(line, kind, steps):
    limits = ControlLimits(kind, 10.0, 1.0)
    values = np.concatenate([calm(100), calm(60, 1) + 0.7, calm(80, 2)])
    watch = line.watch(kind=kind, limits=limits, rules=NELSON)
    start = 0
    for step in steps:
        line.make(*values[start : start + step])
        watch.read()
        start += step
    series = form_series({"a": values.tolist()}, "a", kind, Forming())
    whole = chart_series(series, kind, rules=NELSON, limits=limits)
    chart = watch.chart
    assert [s.points for s in chart.signals] == [s.points for s in whole.signals]
    for mine, theirs in zip(chart.stages[0].panels, whole.stages[0].panels, strict=True):
        np.testing.assert_array_equal(mine.at, theirs.at)
        # A window of panels is the same numbers, whatever they came in.
        np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-12)
    told = {(m["panel"], m["rule"], m["side"]) for m in line.place.got}
    sides = {1: "above", -1: "below", 0: "both"}
    rang = {(s.panel, s.rule.number, sides[s.side]) for s in whole.signals}
    assert told <= rang
    assert {panel for panel, _, _ in rang - told} <= {"moving range"}


def test_a_later_watch_goes_on_and_does_not_ring_again(line):
    line.make(*calm(30), 20)
    line.watch().read()
    line.make(10, 20, *calm(10))
    watch = line.watch()
    assert watch.resumed
    assert watch.read().points == 12
    line.make(20)
    line.watch().read()
    assert line.rang == [("P000030", 1, 1), ("P000043", 1, 1)]
    assert len(watch.chart.series.labels) == 43


@pytest.mark.parametrize("moment", ["before", "store", "checkpoint"])
def test_a_kill_at_any_moment_loses_nothing_and_doubles_nothing(line, moment, monkeypatch):
    """The process ends before the alert is in the store, when it is there, or before the checkpoint is written."""
    import flawline.jobs.chart.watch as watching

    line.make(*calm(30))
    line.watch().read()
    line.make(20, 20, 20, 20)
    dying = line.watch()

    def die(*_, **__):
        raise KeyboardInterrupt

    if moment == "before":
        monkeypatch.setattr(line.store.alerts, "add", die)
    elif moment == "store":
        real = line.store.alerts.add

        def add_and_die(*arguments, **more):
            real(*arguments, **more)
            raise KeyboardInterrupt

        monkeypatch.setattr(line.store.alerts, "add", add_and_die)
    else:
        monkeypatch.setattr(watching, "write_checkpoint", die)
    with pytest.raises(KeyboardInterrupt):
        dying.read()
    monkeypatch.undo()
    watch = line.watch()
    assert watch.read().points == 4
    assert line.rang == [("P000030", 1, 1), ("P000030", 1, 2)]
    (kept,) = line.store.alerts.list()
    assert kept.escalated
    assert watch.growing.state.seen == 34


def test_a_store_that_goes_away_in_the_middle_costs_nothing(line, monkeypatch):
    line.make(*calm(30), 20, *calm(5))
    watch = line.watch()

    def away(*_, **__):
        raise StoreError("gone", code="store-away", transient=True)

    monkeypatch.setattr(line.store.alerts, "add", away)
    for _ in range(2):
        with pytest.raises(StoreError):
            watch.read()
    monkeypatch.undo()
    assert watch.read().points == 36
    assert line.rang == [("P000030", 1, 1)]
    assert len(line.store.alerts.list()) == 1


def test_who_acknowledges_is_not_rung_again(line):
    line.make(*calm(20), 20)
    watch = line.watch()
    watch.read()
    (alert,) = watch.open_alerts()
    line.store.alerts.acknowledge(alert.alert.key, who="Kim", note="coil", when=NOW)
    line.make(20, 20, 20, 20, 20)
    watch.read()
    assert line.rang == [("P000020", 1, 1)], "not escalated"
    assert watch.open_alerts() == ()
    line.make(*calm(10), 20)
    watch.read()
    assert line.rang[1:] == [("P000036", 1, 1)], "another episode rings again"


def test_what_comes_late_is_judged_when_it_comes(line):
    line.make(*calm(20))
    watch = line.watch()
    watch.read()
    early = record(1000, captured=record(0).captured, measures={AREA: 30.0}, part="late")
    line.store.add([early])
    assert watch.read().points == 1
    assert line.rang == [("late", 1, 1)]


def test_limits_come_from_the_first_points_and_are_frozen(line):
    line.make(*calm(25))
    watch = line.watch(limits=None, learn=30)
    assert watch.read().lacking == 5
    assert watch.chart is None
    line.make(*calm(10, 1), 25)
    assert watch.read().points == 36
    assert line.rang == [("P000035", 1, 1)]
    frozen = watch.growing.limits
    assert frozen.points == 30
    line.make(*calm(50, 2) + 3)
    later = line.watch(limits=None, learn=30)
    later.read()
    assert later.growing.limits == frozen
    values = [kept.record.measures[AREA] for kept in line.store.page(count=500, newest=False).items]
    series = form_series({"a": values}, "a", "i-mr", Forming())
    whole = chart_in_phases(series, "i-mr", 30)
    assert [s.points for s in later.chart.signals] == [s.points for s in whole.signals]
    assert [(s.name, s.first, s.last) for s in later.chart.stages] == [
        ("Phase I", 0, 29),
        ("Phase II", 30, 85),
    ]


def test_without_limits_all_that_is_there_is_phase_one(line):
    line.make(*calm(30), 16)
    watch = line.watch(limits=None)
    assert watch.read().points == 31
    assert line.rang == [], "nothing of Phase I rings"
    assert any("signals themselves" in note for note in watch.chart.notes)
    line.make(30)
    watch.read()
    assert line.rang == [("P000031", 1, 1)]


def test_few_points_are_no_limits(line):
    line.make(*calm(19))
    with pytest.raises(UsageError, match="got 19"):
        line.watch(limits=None).read()


def test_a_group_is_judged_when_the_next_one_begins(line):
    how = Forming(by="lot", summary="max")
    watch = line.watch(how=how)
    line.make(9, 9, 9, lot="A")
    line.make(10, 30, lot="B")
    assert watch.read().points == 1
    watch = line.watch(how=how)
    line.make(11, lot="B")
    assert watch.read().points == 0
    line.make(9, lot="C")
    assert watch.read().points == 1
    assert line.rang == [("B", 1, 1)]
    (message,) = line.place.got
    assert (message["value"], message["inspection"]) == (30.0, 4)
    assert message["series"] == f"{AREA} by lot"


def test_subgroups_of_a_number_and_counts(line):
    watch = line.watch(
        how=Forming(every=4), kind="xbar-r", limits=ControlLimits("xbar-r", 10.0, 1.0)
    )
    line.make(*[10, 11] * 5)
    assert watch.read().points == 2
    line.make(*[20] * 6)
    assert watch.read().points == 2
    assert watch.chart.series.labels == ("1", "2", "3", "4")
    # The third subgroup is two calm values and two others.
    assert {point for point, rule, _ in line.rang if rule == 1} == {"3"}


def test_conditions_make_another_series(line):
    watch = line.watch(where=Where(names={"station": "s1"}))
    line.make(*calm(5), station="s2")
    line.make(30, station="s2")
    line.make(30, station="s1")
    assert watch.read().points == 1
    assert line.place.got[0]["series"] == f"{AREA} station=s1"
    assert line.place.got[0]["key"] == f"{AREA}-station=s1/individuals/rule-1/above/7"


def test_a_folder_belongs_to_one_watch(line):
    line.make(*calm(5))
    line.watch().read()
    with pytest.raises(UsageError, match=r"other settings \(rules\)"):
        line.watch(rules=NELSON)
    (line.folder / CHECKPOINT).write_text("{")
    with pytest.raises(UsageError, match="cannot resume") as caught:
        line.watch()
    assert "remove" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "run", "limits": None},
        {"how": Forming(stage="tool")},
        {"learn": 30},
        {"limits": None, "learn": 1},
        {"drawn": 10},
        {"kind": "ewma"},
        {"rules": parse_rules("1=2.5")},
        {"estimation": Estimation(automatic=True)},
    ],
)
def test_what_cannot_be_watched_is_refused(line, changes):
    with pytest.raises(UsageError):
        line.watch(**changes)


def test_the_checkpoint_holds_all_of_it_and_does_not_grow(line):
    line.make(*calm(300), 20)
    watch = line.watch(rules=NELSON, drawn=200)
    watch.read()
    path = line.folder / CHECKPOINT
    size = path.stat().st_size
    task = json.loads(path.read_text(encoding="utf-8"))["task"]
    again = read_checkpoint(path, task)
    assert again.growing.state == watch.growing.state
    assert again.growing.signals == watch.growing.signals
    assert set() < set(again.episodes) <= {one.alert.key for one in watch.open_alerts()}
    write_checkpoint(line.folder / "again", again, task)
    assert (line.folder / "again").read_bytes() == path.read_bytes()
    line.make(*calm(600, 3))
    watch.read()
    assert path.stat().st_size < 1.2 * size
    assert len(watch.chart.series.labels) == 200
    assert "the last 200 of 901 points are drawn" in watch.chart.notes
    assert watch.chart.signals
    assert all(signal.first >= 0 for signal in watch.chart.signals)


def test_following_says_once_what_is_amiss_and_tries_on(line):
    line.make(*calm(5))
    watch, said, drawn = line.watch(), [], []
    troubles = [None, "away", "away", OSError(28, "No space left on device"), None, None]

    def draw(progress):
        trouble = troubles[len(drawn)]
        drawn.append(progress)
        if trouble == "away":
            raise StoreError("the records are away", code="store-away", transient=True)
        if trouble:
            raise trouble

    def sleep(seconds):
        assert seconds == 3.0
        if len(drawn) == len(troubles):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(watch, draw, every=3.0, say=said.append, sleep=sleep)
    assert len(drawn) == 6
    assert said[0] == "the records are away; trying again"
    assert "No space" in said[1]
    assert said[2:] == ["going on"]


def test_a_store_that_refuses_ends_it(line):
    def draw(_):
        raise StoreError("wrong password", code="store-refused")

    line.make(10)
    with pytest.raises(FlawlineError, match="wrong password"):
        follow(line.watch(), draw, every=1, say=print, sleep=lambda seconds: None)


def test_an_output_that_is_gone_gets_it_later(line):
    line.make(*calm(5), 20)
    line.arrived.failures = [Failure("gone")]
    line.watch().read()
    until(lambda: line.arrived.tries)
    assert line.arrived.got == []
    assert line.rang == [("P000005", 1, 1)]
    assert line.arrived.tries == 2


def test_a_wide_moving_range_rings_only_where_no_point_does(line):
    line.make(*calm(20), 20, 10)
    line.watch().read()
    assert [m["panel"] for m in line.place.got] == ["individuals"]
    line.make(*calm(10), 8, 12.5, 8)
    line.watch().read()
    assert [m["panel"] for m in line.place.got] == ["individuals", "moving range"]


def test_a_watch_that_begins_anew_does_not_ring_for_what_is_known(line, tmp_path):
    line.make(*calm(20), 20, 20, 20, 20, *calm(10))
    line.watch().read()
    assert line.rang == [("P000020", 1, 1), ("P000020", 1, 2)]
    line.make(20, *calm(5))
    line.folder = tmp_path / "another"
    line.folder.mkdir()
    watch = line.watch()
    assert len(watch.read().messages) == 1
    assert line.rang[2:] == [("P000034", 1, 1)]
    line.make(20)
    line.folder = tmp_path
    first = Watch(watch.settings, line.store, tmp_path, line.dispatch(), clock=lambda: NOW)
    first.read()
    watch.read()
    assert line.rang[3:].count(("P000040", 1, 1)) == 2, "two that watch at once both ring"


def test_a_lot_that_is_no_count_does_not_stop_the_watch(line):
    limits = ControlLimits("np", 0.1, 1.0)
    watch = line.watch(kind="np", limits=limits, how=Forming(every=2, label="part"))
    line.make(0, 1)
    assert watch.read().points == 1
    line.make(0.5, -1)
    progress = watch.read()
    assert (progress.points, len(progress.skipped)) == (0, 2)
    line.make(1, 0)
    assert watch.read().points == 1


def test_a_point_on_a_limit_raises_no_alert(line):
    # Three times 0.3 is a little less than 0.9 in binary.
    watch = line.watch(limits=ControlLimits("i-mr", 0.0, 0.3))
    line.make(0.1, 0.9, 0.1, 0.900001)
    assert watch.read().points == 4
    assert line.rang == [("P000003", 1, 1)]
