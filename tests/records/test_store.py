"""The contract of stores, over SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest

from flawline.errors import UsageError
from flawline.jobs.chart.chart_series import chart_series
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import form_series
from flawline.records import DefectRecord, Record, StoreError, open_store
from flawline.records.engine import writing
from flawline.records.where import Where
from flawline.records.write import Added
from helpers.inspected_records import START, record
from helpers.store_faults import before_defects


def everything(store, **options):
    """Page after page."""
    kept, after = [], None
    while True:
        page = store.page(after=after, **options)
        kept += page.items
        after = page.next
        if after is None:
            return kept


def test_what_is_added_comes_back_whole(store):
    made = [record(n) for n in range(25)]
    assert store.add(made) == Added(25, 0)
    kept = everything(store, count=7, newest=False)
    assert [item.record for item in kept] == made
    assert [item.decisions for item in kept] == [()] * 25
    assert len({item.id for item in kept}) == 25
    assert store.get(kept[3].id).record == made[3]
    assert store.count() == 25


def test_the_least_that_can_be_known_comes_back(store):
    bare = Record("a.png", START, None, ("the file is empty",))
    store.add([bare])
    (kept,) = store.page().items
    assert kept.record == bare
    assert kept.verdict is None


def test_an_inspection_is_kept_once_however_often_it_is_written(store, store_url):
    made = [record(n) for n in range(10)]
    assert store.add(made[:6]) == Added(6, 0)
    assert store.add([*made, *made[:3]]) == Added(4, 9)
    # Judged again later, by another program.
    later = [replace(r, judged=r.judged + timedelta(days=1), verdict="review") for r in made]
    with open_store(store_url) as other:
        assert other.add(later) == Added(0, 10)
    assert [item.record for item in everything(store, newest=False)] == made
    chunks = store.columns("area", level="defect")
    assert len(chunks["area"]) == sum(len(r.defects) for r in made)


def test_without_a_captured_time_a_picture_is_kept_once(store):
    made = [record(n, captured=None) for n in range(5)]
    assert store.add(made) == Added(5, 0)
    again = [replace(r, judged=r.judged + timedelta(hours=1)) for r in made]
    assert store.add(again) == Added(0, 5)
    assert {item.record.captured for item in store.page().items} == {None}
    unread = [Record(f"{n}.png", START, None, ("empty",)) for n in range(3)]
    assert store.add(unread) == Added(3, 0)
    assert store.add(unread) == Added(0, 3)


def test_a_batch_is_written_whole_or_not_at_all(store):
    store.add([record(0)])

    def failing():
        raise KeyboardInterrupt

    with before_defects(store, failing), pytest.raises(KeyboardInterrupt):
        store.add([record(n, station="new") for n in range(3, 11)])
    assert store.count() == 1
    # What the lost transaction numbered must not be taken for known.
    assert store.add([record(n, station="new") for n in range(3, 11)]) == Added(8, 0)
    assert store.page(count=1).items[0].record == record(10, station="new")


def test_pages_go_both_ways_and_stand_still_while_records_come(store):
    store.add([record(n) for n in range(20)])
    first = store.page(count=8)
    assert [k.record.image for k in first.items] == [record(n).image for n in range(19, 11, -1)]
    store.add([record(n) for n in range(20, 30)])
    second = store.page(count=8, after=first.next)
    assert [k.record.image for k in second.items] == [record(n).image for n in range(11, 3, -1)]
    last = store.page(count=8, after=second.next)
    assert last.next is None
    assert len(last.items) == 4
    assert store.page(count=30).next is None
    for wrong in ("x", "5-zz", "-"):
        with pytest.raises(UsageError):
            store.page(after=wrong)
    with pytest.raises(UsageError):
        store.page(count=0)


def test_conditions_choose_inspections(store):
    made = [record(n) for n in range(40)]
    made[5] = record(5, verdict="review")
    store.add(made)

    def found(**conditions):
        return [k.record for k in everything(store, where=Where(**conditions), newest=False)]

    assert found(names={"lot": "L2"}) == made[20:30]
    assert found(names={"part": "P000007"}) == [made[7]]
    assert found(names={"lot": "L2", "station": "s2"}) == []
    assert found(verdict=["reject"]) == [r for r in made if r.verdict == "reject"]
    assert found(verdict=["accept", "review"]) == [r for r in made if r.verdict != "reject"]
    span = {"since": made[10].captured, "until": made[15].captured}
    assert found(**span) == made[10:15]
    assert store.count(Where(**span)) == 5
    assert found(**span, verdict=["reject"]) == [made[10]]
    (kept,) = store.page(Where(verdict=["review"])).items
    store.decide(kept.id, "accept", who="Ada", why="dust", when=START)
    assert found(verdict=["review"], decided=False) == []
    assert found(decided=True) == [made[5]]
    for wrong in (
        {"names": {"lott": "1"}},
        {"verdict": ["good"]},
        {"since": START.replace(tzinfo=None)},
    ):
        with pytest.raises(UsageError):
            Where(**wrong)


def test_decisions_are_appended_and_the_machines_verdict_stays(store):
    store.add([record(3)])
    (kept,) = store.page().items
    store.decide(kept.id, "review", who="Ada", why="unsure", when=START)
    store.decide(kept.id, "accept", who="Bob", why="dust on the lens", when=START)
    kept = store.get(kept.id)
    assert [(d.verdict, d.who, d.why) for d in kept.decisions] == [
        ("review", "Ada", "unsure"),
        ("accept", "Bob", "dust on the lens"),
    ]
    assert kept.record.verdict == "reject"
    assert kept.verdict == "accept"
    with pytest.raises(StoreError) as caught:
        store.decide(10**9, "accept", who="Ada", why="x", when=START)
    assert caught.value.code == "store-unknown"
    for wrong in ({"who": " "}, {"why": ""}, {"verdict": "good"}):
        with pytest.raises(UsageError):
            store.decide(
                kept.id, **{"verdict": "accept", "who": "A", "why": "b", "when": START, **wrong}
            )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inspection SET verdict = 'accept'",
        "UPDATE decision SET verdict = 'reject'",
        "DELETE FROM decision",
    ],
)
def test_not_even_sql_changes_what_was_decided(store, statement):
    store.add([record(3)])
    (kept,) = store.page().items
    store.decide(kept.id, "accept", who="Ada", why="dust", when=START)
    before = store.get(kept.id)
    with pytest.raises(StoreError, match="never changed"), writing(store.engine) as connection:
        connection.exec_driver_sql(statement)
    assert store.get(kept.id) == before


def test_a_series_has_what_a_chart_needs(store):
    made = [record(n) for n in range(40)]
    store.add(made)
    columns = store.columns("LargestStainArea", by=["lot", "part", "score"])
    assert columns["LargestStainArea"] == [n * 1.5 for n in range(40)]
    assert columns["lot"] == [f"L{n // 10}" for n in range(40)]
    assert columns["score"] == [n / 8 for n in range(40)]
    assert columns["captured"][1] == "2026-03-01T06:00:01.000000Z"
    series = form_series(
        columns, "LargestStainArea", "i-mr", Forming(by="lot", label="lot", summary="max")
    )
    assert series.labels == ("L0", "L1", "L2", "L3")
    charted = chart_series(series, "i-mr")
    assert charted.stages[0].panels[0].values.tolist() == [13.5, 28.5, 43.5, 58.5]


@pytest.mark.parametrize("chunk", [1, 3, 40, 1000])
def test_a_series_in_chunks_is_the_same(store, chunk):
    store.add([record(n) for n in range(40)])
    whole = store.columns("score", by=["lot"])
    parts = list(store.series("score", by=["lot"], chunk=chunk))
    assert all(len(part["score"]) <= chunk for part in parts)
    assert (
        [v for part in parts for v in part["score"]] == whole["score"] == [n / 8 for n in range(40)]
    )
    areas = [v for part in store.series("area", level="defect", chunk=chunk) for v in part["area"]]
    assert areas == [10.0 + n + k for n in range(40) for k in range(2) if n % 7 == 3]


def test_inspections_without_a_measure_make_no_point(store):
    store.add([record(n) for n in range(6)])
    gaps = [
        record(6, measures={}),
        record(7, measures={"Roundness": 0.5, "LargestStainArea": float("nan")}),
        record(8, measures={"Roundness": 0.25}),
    ]
    store.add(gaps)
    columns = store.columns("LargestStainArea", by=["Roundness"])
    assert columns["LargestStainArea"] == [n * 1.5 for n in range(6)]
    assert columns["Roundness"] == [None] * 6
    assert store.columns("Roundness")["Roundness"] == [0.5, 0.25]
    assert store.get(store.page(count=2).items[1].id).record.measures == {"Roundness": 0.5}
    assert store.measures() == ["LargestStainArea", "NumberOfStains", "Roundness"]
    assert store.measures("defect") == ["area", "peak"]
    with pytest.raises(StoreError) as caught:
        store.columns("LargestStainAera")
    assert caught.value.code == "store-measure"
    assert "LargestStainArea" in caught.value.hint
    assert store.columns("score", Where(names={"lot": "none"}))["score"] == []


def test_the_number_of_a_class_is_one_series_under_its_old_and_its_new_name(store):
    store.add([record(n, measures={"NumberOfScratches": float(n)}) for n in range(3)])
    store.add([record(n, measures={"count_scratch": float(n)}) for n in range(3, 5)])
    store.add([record(5, measures={"Roundness": 0.5})])
    for name in ("count_scratch", "NumberOfScratches"):
        assert store.columns(name)[name] == [0, 1, 2, 3, 4]
        assert store.columns("Roundness", by=[name])[name] == [None]
    with pytest.raises(StoreError, match="count_dent"):
        store.columns("count_dent")


def test_defects_are_a_series_of_their_own(store):
    stain = record(3).defects[0]
    scratch = DefectRecord("scratch", None, {"length": 7.0})
    store.add([record(0), record(3, defects=(stain, scratch))])
    columns = store.columns("area", by=["class", "part", "length", "score"], level="defect")
    assert (columns["area"], columns["length"], columns["score"]) == ([13.0], [None], [3 / 8])
    assert columns["class"] == ["stain"]
    lengths = store.columns("length", by=["class", "image"], level="defect")
    assert (lengths["length"], lengths["class"]) == ([7.0], ["scratch"])
    assert lengths["image"] == [record(3).image]
    with pytest.raises(UsageError):
        store.series("area", level="pixel")


BOUNDS = [
    ({}, {}, [0, 1, 2, 3, 4]),
    ({"defects": 1}, {}, [2, 3]),
    ({"count_stain": 1}, {}, [2]),
    ({"count_scratch": 1}, {}, [2, 3]),
    ({"count_scratch": 2}, {}, [3]),
    ({"count_scratch": 0}, {}, [0, 1, 2, 3, 4]),
    ({}, {"count_scratch": 0}, [0, 1, 4]),
    ({}, {"count_scratch": 1}, [0, 1, 2, 4]),
    ({}, {"count_scratch": -1}, []),
    ({"largest_area_scratch": 6.5}, {}, [2, 3]),
    ({"largest_area_scratch": 6.6}, {}, [3]),
    ({}, {"largest_area_scratch": 7}, [0, 1, 2, 4]),
    ({"count_dent": 1}, {}, []),
    ({}, {"count_dent": 0}, [0, 1, 2, 3, 4]),
    ({"largest_area": 9.5}, {}, [2, 3]),
    ({"largest_area": 10}, {}, [3]),
    ({"total_area": 16}, {"total_area": 16}, [2]),
    ({"score": 1 / 8}, {"score": 3 / 8}, [1, 2, 3]),
    ({"count_scratch": 1}, {"defects": 2, "largest_area": 9.5}, [2]),
]


@pytest.mark.parametrize(("least", "most", "expected"), BOUNDS)
def test_inspections_are_chosen_by_numbers_and_by_those_of_a_class(store, least, most, expected):
    defects = {
        2: [("stain", 9.5), ("scratch", 6.5)],
        3: [("scratch", 3.0), ("scratch", 20.0), ("scratch", 4.0)],
    }
    made = [
        record(
            n,
            defects=tuple(
                DefectRecord(label, None, {"area": area}) for label, area in defects.get(n, ())
            ),
        )
        for n in range(5)
    ]
    store.add(made)
    where = Where(least=least, most=most)
    found = [kept.record for kept in everything(store, where=where, newest=False)]
    assert found == [made[n] for n in expected]
    assert store.count(where) == len(expected)
    with pytest.raises(UsageError, match="largest_area"):
        Where(least={"largest_aera": 1})
    with pytest.raises(UsageError):
        Where(most={"count_": 1})


def test_hostile_text_is_kept_or_shown(store):
    made = record(
        0,
        image="a'; DROP TABLE inspection; --\u2028\0.png",
        part="P\0\udcff",
        lot="ö" * 5000,
        reasons=('"quoted"\n', "日本"),
        further={"k\0": "=1+1"},
        defects=(DefectRecord("\U0001f600", None, {"ä b": 1.0, "0": 2.0}),),
    )
    store.add([made])
    (kept,) = store.page().items
    assert kept.record.image == made.image.replace("\0", "\\x00")
    assert kept.record.part == "P\\x00\\udcff"
    assert kept.record.lot == made.lot
    assert kept.record.reasons == made.reasons
    assert kept.record.defects == made.defects
    assert store.page(Where(names={"lot": made.lot})).items == (kept,)


def test_times_before_1970_and_far_values_are_kept(store):
    old = record(0, captured=START.replace(year=1950), measures={"x": 1e308, "y": -5e-324})
    store.add([old, record(1)])
    assert [k.record for k in everything(store, newest=False)] == [old, record(1)]


def test_writers_at_once_keep_each_inspection_once(store_url):
    """Four programs write the same inspections in different orders; each is there once."""
    made = [record(n) for n in range(200)]
    added, errors = [], []

    def write(shift):
        try:
            with open_store(store_url) as own:
                turned = made[shift:] + made[:shift]
                for start in range(0, 200, 20):
                    added.append(own.add(turned[start : start + 20]).new)
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=write, args=(50 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sum(added) == 200
    with open_store(store_url) as own:
        assert [k.record for k in everything(own, newest=False)] == made


def test_the_recipe_of_a_verdict_can_be_found_again(store):
    assert store.recipe_file("a" * 64) is None
    store.keep_recipe("a" * 64, "c" * 64)
    store.keep_recipe("a" * 64, "d" * 64)
    assert store.recipe_file("a" * 64) == "c" * 64


@pytest.mark.parametrize(
    "change",
    [
        "reasons = 'x'",
        "reasons = '[1]'",
        f"reasons = '{'[' * 50_000}'",
        "further = '[]'",
        "picture = '../../../etc/passwd'",
        "score = 'x'",
        "measures = x'00'",
        "judged = 1e300",
    ],
    ids=lambda change: change[:30],
)
def test_rows_that_another_program_changed_are_refused(tmp_path, change):
    path = tmp_path / "r.db"
    with open_store(str(path)) as written:
        written.add([record(3)])
    with closing(sqlite3.connect(path)) as database, database:
        triggers = database.execute("select name from sqlite_master where type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f'drop trigger "{name}"')
        database.execute(f"update inspection set {change}")
    with open_store(str(path)) as store, pytest.raises(StoreError, match="1 is damaged") as caught:
        store.page()
    assert caught.value.code == "store-unreadable"
