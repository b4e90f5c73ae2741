"""Inspections since a moment: each once, however late, and no others."""

from __future__ import annotations

import random

import pytest

from flawline.records import StoreError, open_store
from flawline.records.arrivals import arrived_with
from flawline.records.arrived import BEHIND, Arrived, gaps_of
from flawline.records.engine import writing
from flawline.records.tables import inspection
from flawline.records.where import Where
from helpers.inspected_records import record

MEASURE = "LargestStainArea"


def areas(chunks):
    return [cell for _, columns in chunks for cell in columns.get(MEASURE, ())]


def newer(store, than, **more):
    """The new inspections, and the state after them."""
    steps = list(store.newer(than, MEASURE, **more))
    return areas(steps), (steps[-1][0] if steps else than)


def test_first_what_is_there_in_time_then_what_comes(store):
    store.add([record(number) for number in (5, 3, 4)])
    now = store.arrived()
    store.add([record(number) for number in (1, 6)])
    there = [cell for columns in store.series(MEASURE, upto=now) for cell in columns[MEASURE]]
    assert there == [4.5, 6.0, 7.5]
    came, now = newer(store, now)
    assert came == [1.5, 9.0], "what was captured earlier and comes later is not lost"
    assert newer(store, now) == ([], now)
    store.add([record(6), record(7)])
    came, now = newer(store, now)
    assert came == [10.5]


def test_conditions_and_further_columns(store):
    now = store.arrived()
    assert now == Arrived()
    store.add([record(number) for number in range(30)])
    ((now, columns),) = store.newer(now, MEASURE, Where(names={"lot": "L1"}), ["id", "part"])
    assert columns["part"] == [f"P{number:06}" for number in range(10, 20)]
    assert [store.get(number).record.part for number in columns["id"]] == columns["part"]
    assert newer(store, now) == ([], now)
    with pytest.raises(StoreError) as caught:
        list(store.newer(now, "LargestStain"))
    assert caught.value.code == "store-measure"


def test_a_new_list_of_measures_is_met_on_the_way(store):
    store.add([record(0)])
    now = store.arrived()
    store.add([record(1, measures={MEASURE: 77.0, "further": 1.0}), record(2, measures={"x": 1.0})])
    assert newer(store, now)[0] == [77.0]


def test_in_pieces_each_once(store):
    store.add([record(number) for number in range(100)])
    steps = list(store.newer(Arrived(), MEASURE, chunk=30))
    assert [len(columns[MEASURE]) for _, columns in steps] == [30, 30, 30, 10]
    assert areas(steps) == [1.5 * number for number in range(100)]
    # Whoever stops after the second piece goes on from there.
    assert areas(store.newer(steps[1][0], MEASURE)) == [1.5 * n for n in range(60, 100)]


def test_a_batch_that_is_shown_late_is_not_lost(store_url):
    """PostgreSQL gives out numbers before it shows the rows: the second batch can be seen before the first."""
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    with open_store(store_url) as store, open_store(store_url) as other:
        from flawline.records.terms import Terms
        from flawline.records.write import write_records

        store.add([record(0)])
        now = store.arrived()
        with writing(other.engine) as connection:
            write_records(connection, Terms(), [record(n) for n in range(10, 15)])
            store.add([record(n) for n in range(20, 23)])
            came, now = newer(store, now)
            assert came == [30.0, 31.5, 33.0]
            assert now.gaps
            begun = store.arrived()
            there = [c for columns in store.series(MEASURE, upto=begun) for c in columns[MEASURE]]
            assert there == [0.0, 30.0, 31.5, 33.0]
        assert newer(store, now)[0] == [15.0, 16.5, 18.0, 19.5, 21.0]
        assert newer(store, begun)[0] == [15.0, 16.5, 18.0, 19.5, 21.0]
        came, after = newer(store, now)
        assert (newer(store, after)[0], after.gaps) == ([], ())


@pytest.mark.parametrize("seed", range(20))
def test_gaps_hold_exactly_what_was_not_seen(seed):
    draw = random.Random(seed)
    everything = list(range(1, 300))
    now, seen = Arrived(), set()
    hidden = set(draw.sample(everything, 60))
    for top in (50, 120, 200, 299):
        shown = [n for n in everything if n <= top and n not in hidden and n not in seen]
        lacked = [n for n in shown if n > now.last or any(a <= n <= b for a, b in now.gaps)]
        assert lacked == shown
        now = arrived_with(now, shown, gapless=False)
        seen |= set(shown)
        missing = {n for a, b in now.gaps for n in range(a, b + 1)}
        assert missing == {n for n in range(1, now.last) if n not in seen}
        hidden -= set(draw.sample(sorted(hidden), 15))


def test_gaps_are_forgotten_when_nothing_can_come_any_more():
    now = arrived_with(Arrived(10), [12, 13], gapless=False)
    assert now.gaps == ((11, 11),)
    now = arrived_with(now, [14, BEHIND + 100], gapless=False)
    assert now.gaps == ((15, BEHIND + 99),)
    assert gaps_of(0, [1, 2, 5]) == ((3, 4),)
    assert arrived_with(Arrived(10), [12, 13], gapless=True) == Arrived(13)


def test_what_is_new_is_read_without_reading_the_rest(tmp_path):
    """By the plans of SQLite new inspections are found by number, the others read in the order of time."""
    with open_store(str(tmp_path / "r.db")) as store:
        store.add([record(number) for number in range(50)])
        now = Arrived(40)
        with writing(store.engine) as connection:
            from sqlalchemy import select

            queries = [
                select(inspection.c.id).where(now.lacks()).order_by(inspection.c.id),
                select(inspection.c.id, inspection.c.measures)
                .where(*now.has())
                .order_by(inspection.c.captured, inspection.c.key)
                .limit(10),
            ]
            plans = []
            for query in queries:
                text = query.compile(connection, compile_kwargs={"literal_binds": True})
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
                plans.append(" ".join(row.detail for row in rows))
    assert "USING INTEGER PRIMARY KEY (rowid>?)" in plans[0]
    assert "USING INDEX inspection_capture" in plans[1]
    assert "TEMP B-TREE" not in plans[1]
