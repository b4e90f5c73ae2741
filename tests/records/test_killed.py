"""kill -9 at any moment: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.examples import times

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, random, signal, sys, time
from pathlib import Path
from flawline.records import open_store
from flawline.records.owed import Owed
from flawline.data.work_file import WorkFile
from flawline.records.spool import SETTINGS
from flawline.records.writer import Writer
from helpers.inspected_records import record

COUNT, folder, url, rounds = 200, Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def work(spool, first=0):
    options = {"spool": spool, "batch": 20, "seconds": 0.02}
    with open_store(url) as store, Writer(store, **options) as writer:
        for number in range(first, COUNT):
            message = Owed(spool.name, str(number), "{}")
            writer.add(record(number, station=spool.name), [message])
            os.write(done, b"x")
            time.sleep(0.002)  # so that a kill meets it on the way, and writing goes on meanwhile

def child(spool, first):
    pid = os.fork()
    if pid == 0:
        try:
            work(spool, first)
        finally:
            os._exit(0)
    return pid

def kept(station):
    from flawline.records.where import Where
    with open_store(url) as store:
        page = store.page(Where(names={"station": station}), count=10 * COUNT, newest=False)
        records = [item.record for item in page.items]
        owed = store.deliveries.due(station, record(0).judged, count=10 * COUNT)
    # Each inspection is there with its message, never one without the other.
    assert [record(int(item.key), station=station) for item in owed] == records
    return records

open_store(url).close()
random.seed(5)
read_end, done = os.pipe()
os.set_blocking(read_end, False)

def acknowledged():
    try:
        return len(os.read(read_end, 10 * COUNT))
    except BlockingIOError:
        return 0

began = time.perf_counter()
os.waitpid(child(folder / "whole", 0), 0)
taken = time.perf_counter() - began
acknowledged()
moments = []
for turn in range(rounds):
    spool = folder / f"spool{turn}"
    pid = child(spool, 0)
    # Any moment of the whole run, or one at which it certainly writes.
    handed, least = 0, random.randrange(1, COUNT)
    time.sleep(0 if turn % 2 else taken * random.uniform(0, 1))
    while turn % 2 and handed < least:
        handed += acknowledged()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    # How many inspections the killed one had taken: none of these may be lost, even if nobody hands them in again.
    handed += acknowledged()
    before = len(kept(spool.name))
    os.waitpid(child(spool, handed if turn % 4 > 1 else 0), 0)
    acknowledged()
    expected = [record(number, station=spool.name) for number in range(COUNT)]
    assert kept(spool.name) == expected, (turn, handed, before, len(kept(spool.name)))
    with WorkFile(spool, SETTINGS) as left:
        assert len(left) == 0
    moments.append((handed, before))
assert kept("whole") == [record(number, station="whole") for number in range(COUNT)]
print(rounds, "rounds; killed with", sorted(handed for handed, _ in moments), "handed in")
assert any(0 < handed < COUNT for handed, _ in moments), moments
assert rounds < 50 or any(before < handed for handed, before in moments), "no spool was needed"
"""


def run(url, folder, rounds):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), url, str(rounds)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.explore
def test_killed_at_random_moments(store_url, tmp_path):
    """Every second rerun hands everything in again, the others only what the killed process had not taken."""
    print(run(store_url, tmp_path, times(4, 50)))
