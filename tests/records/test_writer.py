"""Batches, times when the database is away, full disks, spools, many threads."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from itertools import pairwise
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread

import pytest

from flawline.data.work_file import WorkFile
from flawline.errors import UsageError
from flawline.records import StoreError, open_store
from flawline.records.owed import Owed
from flawline.records.spool import SETTINGS, Spool
from flawline.records.where import Where
from flawline.records.writer import SECONDS, Writer
from helpers.inspected_records import record

DEADLINE = 30.0
"""Seconds that a busy machine may take for work that a quiet one does at once."""
ROOT = Path(__file__).parents[2]
WRITES = """
import sys, time
from flawline.records import open_store
from flawline.records.owed import Owed
from flawline.records.writer import Writer
from helpers.inspected_records import record
with open_store(sys.argv[1]) as store, Writer(store, batch=10, seconds=0.01) as writer:
    for number in range(300):
        writer.add(record(number, station="other"), [Owed("out", str(number), "{}")])
        time.sleep(0.001)
"""
GONE = StoreError("gone", code="store-away", transient=True)
REFUSED = StoreError("no such column", code="store-refused")


class Between:
    """A store that can be unavailable: `error` is raised instead of writing; `gate` blocks writers."""

    def __init__(self, store, error=None):
        self.store, self.error, self.calls = store, error, []
        self.gate = Event()
        self.gate.set()

    def add(self, records, owed=()):
        self.calls.append((time.monotonic(), len(records)))
        assert self.gate.wait(DEADLINE)
        if self.error is not None:
            raise self.error
        return self.store.add(records, owed)


@pytest.fixture
def own(tmp_path):
    with open_store(str(tmp_path / "records.db")) as store:
        yield store


def write(store, numbers, **options):
    """Write inspections; a word among the numbers is an error on the way."""
    with Writer(store, **options) as opened:
        for number in numbers:
            if isinstance(number, str):
                raise ZeroDivisionError(number)
            opened.add(record(number))


def give_on(writer):
    """Give inspections until the writer raises."""
    for number in range(1, 10_000):
        writer.add(record(number))
        time.sleep(0.001)


def images(store):
    return sorted(kept.record.image for kept in store.page(count=10_000).items)


def until(met):
    """Wait for another thread."""
    deadline = time.monotonic() + DEADLINE
    while not met():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_what_was_given_is_in_the_records_soon_also_when_nothing_follows(own, tmp_path):
    assert SECONDS <= 0.5, "within a second, with the time that writing takes"
    with Writer(own, spool=tmp_path / "spool") as opened:
        for number in range(3):
            opened.add(record(number))
            until(lambda count=number + 1: own.count() == count)
        until(lambda: opened.waiting == 0)
    assert opened.added.new == 3


def test_a_batch_is_written_when_it_is_full_and_at_the_end(own):
    between = Between(own)
    with Writer(between, batch=4, seconds=1e6) as opened:
        for number in range(5):
            opened.add(record(number))
        until(lambda: opened.waiting == 1)
        assert own.count() == 4
        opened.flush()
        assert (own.count(), opened.waiting) == (5, 0)
        opened.add(record(6))
    assert [count for _, count in between.calls] == [4, 1, 1]
    assert (opened.added.new, opened.added.known) == (6, 0)
    with pytest.raises(UsageError, match="closed"):
        opened.add(record(7))
    opened.close()


def test_many_threads_give_and_everything_is_written_once(own, tmp_path):
    def give(first):
        for number in range(first, first + 50):
            opened.add(record(number), [Owed("console", str(number), "{}")])

    with Writer(own, spool=tmp_path / "spool", batch=7) as opened:
        threads = [Thread(target=give, args=(50 * k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        opened.flush()
        assert images(own) == [record(n).image for n in range(200)]
        assert own.deliveries.waiting("console") == 200
    assert opened.added.new == 200


def test_while_the_store_is_away_nobody_waits_and_nothing_is_lost(own, tmp_path):
    away = Between(own, GONE)
    with Writer(away, batch=10, seconds=0, spool=tmp_path / "spool") as opened:
        away.gate.clear()
        for number in range(350):
            opened.add(record(number))  # would never return if it waited for the store
        away.gate.set()
        until(lambda: len(away.calls) >= 5)
        assert (own.count(), opened.waiting) == (0, 350)
        away.error = None
        until(lambda: opened.waiting == 0)
        assert own.count() == 350
    tries = [when for when, _ in away.calls[1:5]]
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert all(pause >= 0.1 * 2**k for k, pause in enumerate(pauses, start=1)), pauses
    with WorkFile(tmp_path / "spool", SETTINGS) as spool:
        assert spool.items() == []


def test_who_gives_up_keeps_everything_in_the_spool(own, tmp_path):
    spool = tmp_path / "spool"
    with pytest.raises(StoreError) as caught:
        write(Between(own, GONE), range(20), spool=spool, patience=0.5)
    assert "20 inspections wait" in caught.value.message
    assert str(spool) in caught.value.message
    assert (caught.value.code, caught.value.transient) == ("store-away", True)
    assert own.count() == 0
    gated = Between(own)
    gated.gate.clear()
    with Writer(gated, spool=spool) as opened:
        assert opened.waiting == 20
        gated.gate.set()
        opened.add(record(20))
        opened.add(record(3))
    assert images(own) == [record(n).image for n in range(21)]
    assert own.get(1).record == record(0)
    with Writer(own, spool=spool) as opened:
        assert opened.waiting == 0


def test_what_outputs_are_owed_waits_in_the_spool_too(own, tmp_path):
    spool, owed = tmp_path / "spool", [Owed("file:x", "1", '{"a": "ö"}'), Owed("y", "1", "{}")]
    with pytest.raises(StoreError), Writer(Between(own, GONE), spool=spool, patience=0) as opened:
        opened.add(record(1), owed)
    with Writer(own, spool=spool):
        pass
    (first,) = own.deliveries.due("file:x", record(1).judged)
    assert (first.key, first.body) == ("1", '{"a": "ö"}')
    assert own.deliveries.waiting("y") == 1


def test_what_is_held_is_bounded(own, tmp_path):
    away = Between(own, GONE)
    options = {"waiting": 15, "batch": 5, "patience": 0.3}
    with Writer(away, spool=tmp_path / "spool", **options) as opened:
        for number in range(15):
            opened.add(record(number))
        with pytest.raises(StoreError) as caught:
            opened.add(record(15))
        assert caught.value.code == "store-away"
        assert opened.waiting == 15
        away.error = None
        until(lambda: opened.waiting == 0)
        opened.add(record(15))
        until(lambda: opened.waiting == 0)
    assert own.count() == 16


def test_what_the_store_refuses_is_told_to_who_gives_next_and_kept(own, tmp_path):
    broken, spool = Between(own, REFUSED), tmp_path / "spool"
    with Writer(broken, spool=spool, seconds=0) as opened:
        opened.add(record(0))
        until(lambda: broken.calls)
        with pytest.raises(StoreError, match="no such column"):
            give_on(opened)
        with pytest.raises(StoreError, match="no such column"):
            opened.flush()
        given = opened.waiting
        broken.error = None
        opened.flush()
    assert own.count() == given
    with (
        pytest.raises(StoreError, match="no such column"),
        Writer(Between(own, REFUSED), spool=spool, seconds=1e6) as opened,
    ):
        opened.add(record(20_000))
    with Writer(own, spool=spool):
        pass
    assert own.count() == given + 1


def test_what_another_thread_gives_while_closing_is_not_lost_silently(own):
    class Late(Writer):
        def flush(self):
            super().flush()
            away.error = GONE
            self.add(record(1))

    away = Between(own)
    opened = Late(away, seconds=1e6)
    opened.add(record(0))
    with pytest.raises(StoreError, match="1 inspection waits"):
        opened.close()
    assert own.count() == 1


def test_an_error_on_the_way_keeps_what_was_taken(own, tmp_path):
    spool = tmp_path / "spool"
    with pytest.raises(ZeroDivisionError):
        write(own, [0, 1, "interrupted"], spool=spool)
    assert own.count() == 2
    away = Between(own, GONE)
    with pytest.raises(ZeroDivisionError):
        write(away, [2, "interrupted"], spool=spool, seconds=1e6)
    assert len(away.calls) == 1, "the way out of an error is one try"
    with Writer(own, spool=spool):
        pass
    assert own.count() == 3


def test_a_full_disk_is_waited_out(own, tmp_path):
    """A quota of SQLite itself is reached, then raised."""
    own.add([record(0)])

    def quota(pages):
        raw = own.engine.raw_connection()
        try:
            return raw.cursor().execute(f"PRAGMA max_page_count={pages}").fetchone()[0]
        finally:
            raw.close()

    class Quota(Between):
        """Each connection has the quota of its own, so the writer's sets it itself."""

        pages = quota(1) + 4
        refused = 0

        def add(self, records, owed=()):
            quota(self.pages)
            try:
                return self.store.add(records, owed)
            except StoreError:
                self.refused += 1
                raise

    full = Quota(own)
    with Writer(full, spool=tmp_path / "spool", batch=50) as opened:
        for number in range(1, 400):
            opened.add(record(number))
        until(lambda: full.refused)
        assert own.count() < 400
        assert own.count() % 50 == 1, "batches are whole or not at all"
        full.pages = 100_000
    assert images(own) == [record(n).image for n in range(400)]
    quota(1)
    with pytest.raises(StoreError) as caught:
        own.add([record(n) for n in range(400, 900)])
    assert caught.value.code == "store-full"
    assert own.count() == 400
    quota(100_000)
    assert own.add([record(n) for n in range(400, 900)]).new == 500


def test_a_spool_on_a_full_disk_costs_nothing_while_the_store_is_there(own, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with Writer(own, spool=tmp_path / "spool", seconds=1e6) as opened:
        opened.add(record(0))
        with monkeypatch.context() as broken:
            broken.setattr(WorkFile, "keep", full)
            broken.setattr(WorkFile, "remove", full)
            opened.add(record(1))
            assert (own.count(), opened.waiting) == (2, 0), "what the spool cannot take is written"
        opened.add(record(2))
        assert (own.count(), opened.waiting) == (2, 1)
    assert own.count() == 3


def test_the_spool_is_synced_at_once_on_a_slow_line_and_now_and_then_on_a_fast_one(
    own, tmp_path, monkeypatch
):
    synced = []
    real = WorkFile.sync
    monkeypatch.setattr(WorkFile, "sync", lambda self: synced.append(len(self)) or real(self))
    with Writer(own, spool=tmp_path / "spool", seconds=1e6) as opened:
        for number in range(3):
            opened.add(record(number))
            assert synced[-1] == number + 1, "on the disk before it returns"
            time.sleep(0.26)
        began, before = time.monotonic(), len(synced)
        for number in range(3, 103):
            opened.add(record(number))
        assert len(synced) - before <= 1 + (time.monotonic() - began) / 0.25


def test_a_spool_of_another_kind_is_refused_and_not_removed(own, tmp_path):
    (tmp_path / "spool").write_text("notes of somebody\n")
    with pytest.raises(UsageError, match="another kind of file"):
        Writer(own, spool=tmp_path / "spool")
    assert (tmp_path / "spool").read_text(encoding="utf-8") == "notes of somebody\n"


def test_what_version_0_1_left_in_a_spool_is_written(own, tmp_path):
    old = Path(__file__).parents[1] / "fixtures" / "v0.1" / "interrupted" / "out"
    (path,) = old.glob(".unstored-*")
    shutil.copy(path, tmp_path / "spool")
    with (tmp_path / "spool").open("ab") as file:
        file.write(b'00000000 ["cut')
    with Writer(own, spool=tmp_path / "spool"):
        pass
    assert own.count() == len(path.read_bytes().splitlines()) - 1 > 0
    with WorkFile(tmp_path / "spool", SETTINGS) as spool:
        assert spool.items() == []


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


def test_one_process_writes_while_another_reads(tmp_path):
    """Readers see whole batches in the order in which they were given, and are never refused."""
    url = str(tmp_path / "records.db")
    open_store(url).close()
    path = os.pathsep.join(str(ROOT / name) for name in ("src", "tests"))
    writing = Popen([sys.executable, "-c", WRITES, url], env={**os.environ, "PYTHONPATH": path})
    with open_store(url) as store, Writer(store, batch=10, seconds=0.01) as opened:
        seen = 0
        while seen < 300:
            ended = writing.poll() is not None
            found = store.page(Where(names={"station": "other"}), count=1000, newest=False).items
            assert [kept.record for kept in found] == [
                record(n, station="other") for n in range(len(found))
            ]
            owed = store.deliveries.due("out", record(0).judged, count=1000)
            assert [item.key for item in owed] == [str(n) for n in range(len(owed))]
            assert len(found) <= len(owed), "an inspection is never there without its messages"
            assert not ended or len(found) == 300
            seen = len(found)
            opened.add(record(seen))
    assert writing.wait(DEADLINE) == 0


def test_who_asks_is_told_once_when_the_store_goes_away_and_when_it_is_back(own):
    notices = []
    between = Between(own, GONE)
    with Writer(between, seconds=0.01, notice=notices.append) as writer:
        for number in range(5):
            writer.add(record(number))
        deadline = time.monotonic() + DEADLINE
        while len(between.calls) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert notices == [GONE]
        between.error = None
        writer.flush()
    assert notices == [GONE, None]


def test_a_full_store_beside_a_full_spool_is_said_at_once(own, tmp_path, monkeypatch):
    full = Between(own, StoreError("no room", code="store-full", transient=True))
    with Writer(full, spool=tmp_path / "spool", seconds=1e6, patience=1e6) as opened:
        with monkeypatch.context() as broken:
            broken.setattr(Spool, "keep", lambda *_: False)
            assert not opened.take(record(0)), "it stands in memory alone"
        for _ in range(3):
            with pytest.raises(StoreError, match="no room") as caught:
                opened.flush(full_at_once=True)
            assert caught.value.code == "store-full"
        full.error = None
        opened.flush(full_at_once=True)
    assert images(own) == [record(0).image]
