"""Inspections in PostgreSQL by month: nothing is doubled, nothing refused, and older records can be converted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from flawline.errors import UsageError
from flawline.records import StoreError, open_store, partition_steps
from flawline.records.engine import reading, writing
from flawline.records.months import (
    OTHER,
    bounds,
    following,
    is_partitioned,
    month_of,
    months_of,
    months_to_make,
)
from flawline.records.partition import partition
from flawline.records.partition_steps import COPY, has_table
from flawline.records.where import Where
from helpers.inspected_records import START, record


def test_months_end_where_the_next_begin():
    month = (1999, 12)
    for _ in range(400):
        first, end = bounds(month)
        assert month_of(first) == month_of(end - 1) == month
        assert month_of(end) == following(month)
        month = following(month)


def test_a_wrong_clock_makes_no_month():
    now = datetime.now(UTC)
    times = [datetime(1970, 1, 1, tzinfo=UTC), now + timedelta(days=70), datetime.max]
    times = [int(time.replace(tzinfo=UTC).timestamp()) * 1_000_000 for time in times]
    assert months_to_make(times) == set()
    assert months_to_make([bounds((2026, 3))[0]]) == {(2026, 3)}


@pytest.fixture
def server(store_url):
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no partitions")
    return store_url


def rows_in(store, table):
    with reading(store.engine) as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def test_each_month_is_a_table_and_what_has_none_is_kept_too(server):
    months = [START - timedelta(days=31 * k) for k in range(3)]
    odd = [datetime(1970, 1, 2, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)]
    made = [record(n, captured=when) for n, when in enumerate([*months, *odd])]
    with open_store(server) as store:
        assert store.add(made).new == 5
        assert store.add(made).new == 0
        assert rows_in(store, OTHER) == 2
        assert rows_in(store, "inspection_2026_03") == 1
        kept = [one.record for one in store.page(newest=False).items]
    assert kept == sorted(made, key=lambda one: one.captured)


def test_a_frame_and_a_picture_without_a_time_are_kept_once_whatever_the_month(server):
    """Their key does not fix the time, which is that of judging: no index of a month can tell."""
    later = START + timedelta(days=40)
    frame = record(1, frame_key="shot 1")
    timeless = record(2, captured=None)
    with open_store(server) as store:
        assert store.add([frame, timeless]).new == 2
        again = [replace(frame, captured=later), replace(timeless, judged=later)]
        assert store.add(again).new == 0
        assert [one.record for one in store.page(newest=False).items] == [frame, timeless]


def test_two_stations_that_send_the_same_frames_at_once_keep_each_once(server):
    added, errors, barrier = [], [], Barrier(2)

    def send(days):
        try:
            with open_store(server) as own:
                barrier.wait()
                for start in range(0, 40, 10):
                    made = [
                        record(
                            n,
                            frame_key=f"shot {n}",
                            captured=START + timedelta(days=days, seconds=n),
                        )
                        for n in range(start, start + 10)
                    ]
                    added.append(own.add(made).new)
        except BaseException as error:
            errors.append(error)

    with open_store(server):
        threads = [Thread(target=send, args=(days,)) for days in (0, 45)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    with open_store(server) as store:
        assert sum(added) == store.count() == 40
        keys = {one.record.frame_key for one in store.page(count=100).items}
    assert len(keys) == 40


def test_a_station_writes_on_while_a_reader_keeps_a_month_from_being_made(server):
    with open_store(server) as store:
        store.add([record(0)])
        with reading(store.engine) as reader:
            reader.exec_driver_sql(f"SELECT count(*) FROM {OTHER}")
            assert store.add([record(1, captured=START - timedelta(days=60))]).new == 1
        assert rows_in(store, OTHER) == 1
        assert partition(store.engine) == 2
        assert rows_in(store, OTHER) == 0
        assert rows_in(store, "inspection_2025_12") == 1


MADE = [
    *[record(n) for n in range(20)],
    *[record(n, captured=START - timedelta(days=40, seconds=n)) for n in range(20, 30)],
    *[record(n, frame_key=f"shot {n}") for n in range(30, 35)],
    *[record(n, captured=None) for n in range(35, 40)],
]


@pytest.fixture
def whole(server):
    """Records of an earlier version, in one table."""
    with open_store(server) as store:
        unpartitioned(store)
        store.add(MADE)
        store.decide(1, "accept", who="Ada", why="dust", when=START)
        yield store


def unpartitioned(store):
    """Make the table as it was before months, where there are no inspections."""
    with writing(store.engine) as connection:
        run = connection.exec_driver_sql
        run("CREATE TABLE was (LIKE inspection INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        made = [
            row.made.replace("ON ONLY", "ON")
            for row in connection.execute(
                partition_steps.text(partition_steps._INDEXES), {"table": "inspection"}
            )
        ]
        run("ALTER SEQUENCE inspection_id_seq OWNED BY was.id")
        run("DROP TABLE inspection")
        run("DROP TABLE taken_key")
        run("ALTER TABLE was RENAME TO inspection")
        run("ALTER TABLE inspection ADD PRIMARY KEY (id)")
        for statement in made:
            run(statement)
        for name, met in (("untimed", "NOT captured_known"), ("frame", "frame_key IS NOT NULL")):
            run(f"CREATE UNIQUE INDEX inspection_{name} ON inspection (key) WHERE {met}")
        for table in ("defect", "decision", "class_count", "alert", "chart_entry"):
            run(f"ALTER TABLE {table} ADD FOREIGN KEY (inspection) REFERENCES inspection (id)")


def test_records_in_one_table_are_partitioned_and_stay_the_same(whole):
    with reading(whole.engine) as connection:
        assert not is_partitioned(connection)
    before = whole.page(count=100).items
    assert partition(whole.engine, at_once=7) == len(MADE)
    with reading(whole.engine) as connection:
        assert is_partitioned(connection)
        assert {(2026, 1), (2026, 3)} <= set(months_of(connection))
    assert whole.page(count=100).items == before
    assert whole.add(MADE).new == 0
    again = [replace(one, captured=START + timedelta(days=1)) for one in MADE if one.frame_key]
    assert whole.add(again).new == 0
    assert whole.add([record(100)]).new == 1
    assert whole.get(1).decisions[0].who == "Ada"
    with pytest.raises(StoreError, match="never changed"), writing(whole.engine) as connection:
        connection.exec_driver_sql("UPDATE inspection SET verdict = 'accept'")


@pytest.mark.parametrize("step", ["copy_span", "add_next_index", "replace_by_copy"])
def test_a_conversion_that_is_killed_goes_on_and_loses_nothing(whole, monkeypatch, step):
    from flawline.records import partition as module

    real, calls = getattr(module, step), []

    def killed(*arguments):
        calls.append(arguments)
        result = real(*arguments)
        if len(calls) == (1 if step == "replace_by_copy" else 3):
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patched:
        patched.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            partition(whole.engine, at_once=7)
    # Stations write on meanwhile.
    assert whole.add([record(50), record(51, frame_key="shot 51")]).new == 2
    assert whole.count() == len(MADE) + 2
    assert partition(whole.engine, at_once=7) == len(MADE) + 2
    with reading(whole.engine) as connection:
        assert not has_table(connection, COPY)
    assert whole.add([*MADE, record(50), record(51, frame_key="shot 51")]).new == 0


def test_one_process_partitions_at_a_time(whole, monkeypatch):
    from flawline.records import partition as module

    def beside(connection):
        with pytest.raises(StoreError) as caught:
            partition(whole.engine)
        assert caught.value.code == "store-busy"
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "begin_copy", beside)
    with pytest.raises(KeyboardInterrupt):
        partition(whole.engine)


def test_a_store_that_was_open_before_knows_the_months_after(whole):
    """It asks the database again when a month is new to it; until then its rows have a place."""
    partition(whole.engine)
    assert whole.add([record(60, captured=START - timedelta(days=400))]).new == 1
    assert rows_in(whole, "inspection_2025_01") == 1
    assert whole.count(Where(until=START - timedelta(days=300))) == 1


def test_sqlite_has_no_partitions(tmp_path):
    with (
        open_store(str(tmp_path / "r.db")) as store,
        pytest.raises(UsageError, match="no partitions"),
    ):
        partition(store.engine)
