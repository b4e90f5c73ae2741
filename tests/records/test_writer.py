"""Batches, times when the database is away, full disks, spools."""

from __future__ import annotations

import sqlite3
from io import FileIO

import pytest

from flawline.records import StoreError, open_store
from flawline.records.writer import Writer
from helpers.inspected_records import record


class Clock:
    """Time that passes only when somebody sleeps or says so."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Away:
    """A store that can be out of reach; `until` is the time from which it is there."""

    def __init__(self, store, clock, until=0.0):
        self.store, self.clock, self.until, self.calls = store, clock, until, 0

    def add(self, records):
        self.calls += 1
        if self.clock() < self.until:
            raise StoreError("gone", code="store-away", transient=True)
        return self.store.add(records)


@pytest.fixture
def own(tmp_path):
    with open_store(str(tmp_path / "records.db")) as store:
        yield store


def writer(store, clock, **options):
    return Writer(store, clock=clock, sleep=clock.sleep, **options)


def write(store, clock, numbers, **options):
    """Write inspections; a word among the numbers is an error on the way."""
    with writer(store, clock, **options) as opened:
        for number in numbers:
            if isinstance(number, str):
                raise ZeroDivisionError(number)
            opened.add(record(number))


def images(store):
    return sorted(kept.record.image for kept in store.page(count=10_000).items)


def test_batches_are_written_when_full_or_old_and_at_the_end(own):
    clock = Clock()
    with writer(own, clock, batch=4, seconds=2.0) as opened:
        for number in range(5):
            opened.add(record(number))
        assert (own.count(), opened.waiting) == (4, 1)
        clock.now = 3.0
        opened.add(record(5))
        assert (own.count(), opened.waiting) == (6, 0)
        opened.add(record(6))
    assert own.count() == 7
    assert (opened.added.new, opened.added.known) == (7, 0)


def test_a_database_that_is_away_for_a_minute_costs_no_inspection_and_no_time(own, tmp_path):
    clock = Clock()
    away = Away(own, clock, until=60.0)
    with writer(away, clock, batch=10, spool=tmp_path / "spool") as opened:
        for number in range(700):
            opened.add(record(number))
            clock.now += 0.1
            if clock.now < 60:
                assert own.count() == 0
        assert clock.slept == []
    assert own.count() == 700
    # Tries come later each time: 0.1, 0.2, 0.4 ... seconds apart, 10 at most.
    assert away.calls < 700 / 10 + 20
    assert (tmp_path / "spool").stat().st_size < 100


def test_what_waited_long_is_written_a_batch_at_a_time(own):
    clock = Clock()
    away = Away(own, clock, until=50.0)
    with writer(away, clock, batch=10) as opened:
        for number in range(200):
            opened.add(record(number))
        clock.now = 61.0
        calls = away.calls
        for number in range(200, 205):
            opened.add(record(number))
        assert away.calls == calls + 5
        assert own.count() == 50
    assert own.count() == 205


def test_who_gives_up_keeps_everything_in_the_spool(own, tmp_path):
    clock, spool = Clock(), tmp_path / "spool"
    away = Away(own, clock, until=1e9)
    with pytest.raises(StoreError) as caught:
        write(away, clock, range(20), spool=spool, patience=30)
    assert "20 inspections wait" in caught.value.message
    assert str(spool) in caught.value.message
    assert 20 < sum(clock.slept) <= 30
    assert own.count() == 0
    with writer(own, clock, spool=spool) as opened:
        assert opened.waiting == 20
        opened.add(record(20))
        opened.add(record(3))
    assert images(own) == [record(n).image for n in range(21)]
    assert own.get(1).record == record(0)
    with writer(own, clock, spool=spool) as opened:
        assert opened.waiting == 0


def test_what_is_held_is_bounded(own, tmp_path):
    clock = Clock()
    away = Away(own, clock, until=1e9)
    with writer(away, clock, spool=tmp_path / "spool", waiting=15, batch=5, patience=10) as opened:
        for number in range(15):
            opened.add(record(number))
        with pytest.raises(StoreError) as caught:
            opened.add(record(15))
        assert caught.value.code == "store-away"
        assert opened.waiting == 15
        away.until = clock.now + 5
        opened.add(record(15))
    assert own.count() == 16


def test_an_error_on_the_way_keeps_what_was_taken(own, tmp_path):
    clock, spool = Clock(), tmp_path / "spool"
    with pytest.raises(ZeroDivisionError):
        write(own, clock, [0, 1, "interrupted"], spool=spool)
    assert own.count() == 2
    with pytest.raises(ZeroDivisionError):
        write(Away(own, clock, until=1e9), clock, [2, "interrupted"], spool=spool)
    assert clock.slept == []
    with writer(own, clock, spool=spool):
        pass
    assert own.count() == 3


def test_a_full_disk_is_waited_out(own, tmp_path):
    """A quota that SQLite itself keeps, then room is made."""
    own.add([record(0)])

    def quota(pages):
        raw = own._engine.raw_connection()
        try:
            return raw.cursor().execute(f"PRAGMA max_page_count={pages}").fetchone()[0]
        finally:
            raw.close()

    used = quota(1)
    clock, rooms = Clock(), []

    def make_room(seconds):
        clock.sleep(seconds)
        if clock.now > 20 and not rooms:
            rooms.append(quota(100_000))

    quota(used + 4)
    with Writer(own, clock=clock, sleep=make_room, spool=tmp_path / "spool", batch=50) as opened:
        for number in range(1, 400):
            opened.add(record(number))
        assert own.count() < 400
        kept = own.count()
    assert rooms
    assert kept % 50 == 1, "batches are whole or not at all"
    assert images(own) == [record(n).image for n in range(400)]
    quota(1)
    with pytest.raises(StoreError) as caught:
        own.add([record(n) for n in range(400, 900)])
    assert caught.value.code == "store-full"
    assert own.count() == 400
    quota(100_000)
    assert own.add([record(n) for n in range(400, 900)]).new == 500


def test_a_spool_on_a_full_disk_costs_nothing_while_the_store_is_there(own, tmp_path):
    clock, spool = Clock(), tmp_path / "spool"
    opened = writer(own, clock, spool=spool)
    opened.add(record(0))
    opened._spool._file.close()
    opened._spool._file = FileIO("/dev/full", "ab")
    opened.add(record(1))
    assert own.count() == 2, "what the spool cannot take is written at once"
    opened.add(record(2))
    assert (own.count(), opened.waiting) == (2, 1)
    opened.flush()
    assert own.count() == 3
    opened.__exit__(None, None, None)


def test_the_spool_is_synced_at_once_on_a_slow_line_and_now_and_then_on_a_fast_one(
    own, tmp_path, monkeypatch
):
    import os

    clock, synced, spool = Clock(), [], tmp_path / "spool"
    monkeypatch.setattr(os, "fsync", lambda _: synced.append((clock.now, spool.stat().st_size)))
    with writer(own, clock, spool=spool, seconds=100.0) as opened:
        for number in range(3):
            opened.add(record(number))
            assert synced[-1] == (clock.now, spool.stat().st_size)
            clock.now += 20.0
        del synced[:]
        for number in range(3, 103):
            opened.add(record(number))
            clock.now += 0.01
    assert [time for time, _ in synced] == pytest.approx([60.0, 60.25, 60.5, 60.75], abs=0.04)


def test_a_locked_database_is_away_and_comes_back(own, tmp_path, monkeypatch):
    from flawline.records import engine

    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    with open_store(str(tmp_path / "records.db")) as hasty:
        other = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            hasty.add([record(0)])
        assert (caught.value.code, caught.value.transient) == ("store-away", True)
        assert hasty.count() == 0, "readers are not held up"
        other.execute("ROLLBACK")
        other.close()
        assert hasty.add([record(0)]).new == 1
