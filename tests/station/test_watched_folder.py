"""Pictures of a watched folder are judged once each: finished, renamed, moved, killed, away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from flawline.data.work_file import WorkFile
from flawline.errors import SourceError, UsageError
from flawline.records import open_store
from flawline.records.where import Where
from flawline.station.station import Station
from flawline.station.watch import watch_folder
from flawline.station.watched_folder import FolderSettings, WatchedFolder
from helpers.discs import disc, spoilt, write
from helpers.examples import times
from helpers.places import until

PATIENCE = 30.0


@pytest.fixture
def recipe(disc_recipe):
    return disc_recipe


@pytest.fixture
def inspector(disc_inspector):
    return disc_inspector


@pytest.fixture
def judge(inspector):
    return lambda place, **more: judged(place, Station(inspector), **more)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def watched(place: Path, kept: Path | None = None, **settings) -> WatchedFolder:
    chosen = FolderSettings(**{"settle": 0.0, **settings})
    return WatchedFolder(place, kept or place.parent / "judged", chosen)


def judged(place: Path, station: Station, **settings) -> list[tuple[str, str]]:
    """What one pass over the folder judges, by name."""
    found = []

    def told(name, one):
        found.append((name, getattr(one, "verdict", "unjudged")))

    with watched(place, **settings) as folder:
        watch_folder(folder, station, once=True, told=told)
    return sorted(found)


def test_what_is_there_is_judged_once_and_not_again_after_a_restart(place, judge):
    write(place / "a.png", disc(1))
    write(place / "deep" / "b.png", disc(2))
    (place / "note.txt").write_text("no picture")
    assert [name for name, _ in judge(place)] == ["a.png", "deep/b.png"]
    assert judge(place) == []
    write(place / "c.png", disc(3))
    assert [name for name, _ in judge(place)] == ["c.png"]


def test_a_name_that_comes_again_is_judged_again(place, judge):
    write(place / "a.png", disc(1))
    judge(place)
    write(place / "a.png", disc(2))
    os.utime(place / "a.png", ns=(5, 5))
    assert len(judge(place)) == 1


def test_a_damaged_picture_is_named_and_recorded_and_the_others_go_on(place, tmp_path, inspector):
    write(place / "a.png", disc(1))
    (place / "b.png").write_bytes(b"no picture at all")
    with open_store(str(tmp_path / "r.db")) as store:
        with Station(inspector, records=store, keep="none") as station:
            found = judged(place, station)
        rows = store.page(Where()).items
    assert [verdict for name, verdict in found if name == "b.png"] == ["unjudged"]
    assert {row.record.image for row in rows} == {"a.png", "b.png"}
    assert all(row.record.captured is not None for row in rows)


def test_names_and_codes_give_part_and_lot(place, tmp_path, inspector):
    zxingcpp = pytest.importorskip("zxingcpp")
    write(place / "A7_0012_left.png", disc(1))
    write(place / "other.png", disc(2))
    plain = np.full((240, 240, 3), 128, np.uint8)
    drawn = np.array(
        zxingcpp.create_barcode("SN-1", zxingcpp.BarcodeFormat.QRCode).to_image(scale=4)
    )
    plain[30 : 30 + drawn.shape[0], 40 : 40 + drawn.shape[1]] = drawn[..., None]
    write(place / "B8_0013_right.png", plain)
    (place / "C9_0014_x.png").write_bytes(b"no picture at all")
    with open_store(str(tmp_path / "r.db")) as store:
        with Station(inspector, records=store, keep="none", constant={"lot": "none"}) as station:
            judged(place, station, part_from="{lot}_{part}_{view}", codes=True)
        rows = {row.record.image: row.record for row in store.page(Where()).items}
    found = {name: (row.part, row.lot, dict(row.further)) for name, row in rows.items()}
    assert found["B8_0013_right.png"][2].pop("code").startswith("QR")
    assert found == {
        "A7_0012_left.png": ("0012", "A7", {"view": "left"}),
        "B8_0013_right.png": ("SN-1", "B8", {"view": "right"}),
        "C9_0014_x.png": ("0014", "C9", {"view": "x"}),
        "other.png": (None, "none", {}),
    }


def test_a_time_in_a_name_is_one_of_this_machine(place):
    write(place / "260301120000_p1.png", disc(1))
    with watched(place, part_from="{captured}_{part}") as folder:
        (one,) = folder.finished()
        frame = folder.frame(one)
    assert frame.captured == datetime(2026, 3, 1, 12).astimezone()
    assert frame.part == "p1"


def test_judged_pictures_are_moved_by_verdict_under_free_names(place, tmp_path, judge):
    out = place / "judged"
    for k in range(2):
        write(place / "a.png", disc(k))
        (place / "bad.png").write_bytes(b"x" * (k + 1))
        assert len(judge(place, move_to=out)) == 2
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert len(names) == 4
    assert len([name for name in names if name.startswith("unjudged/bad")]) == 2
    assert [path.name for path in place.iterdir()] == ["judged"]
    with WorkFile(tmp_path / "judged", "watched folder 1") as kept:
        assert kept.items() == []


def test_a_file_that_was_judged_and_not_moved_is_moved_without_a_second_verdict(
    place, tmp_path, judge
):
    write(place / "a.png", disc(1))
    with watched(place) as folder:
        (one,) = folder.finished()
        folder.done(one, "accept")
    assert judge(place, move_to=tmp_path / "out") == []
    assert (tmp_path / "out" / "accept" / "a.png").is_file()


def test_a_marker_says_when_and_goes_with_the_picture(place, tmp_path, judge):
    write(place / "a.png", disc(1))
    assert judge(place, marker=".done") == []
    (place / "a.png.done").touch()
    assert len(judge(place, marker=".done", move_to=tmp_path / "out")) == 1
    assert list(place.iterdir()) == []


def test_a_file_that_is_still_written_waits(place, inspector):
    whole = write(place.parent / "whole.png", disc(1)).read_bytes()
    found, stop = [], threading.Event()
    with watched(place, settle=0.3) as folder:
        thread = threading.Thread(
            target=watch_folder,
            args=(folder, Station(inspector)),
            kwargs={"stop": stop.is_set, "told": lambda name, one: found.append((name, one))},
        )
        thread.start()
        with (place / "a.png").open("wb") as file:
            step = len(whole) // 8 + 1
            for start in range(0, len(whole), step):
                file.write(whole[start : start + step])
                file.flush()
                time.sleep(0.05)
        until(lambda: found, PATIENCE)
        stop.set()
        thread.join(PATIENCE)
    ((name, one),) = found
    assert (name, hasattr(one, "verdict")) == ("a.png", True)


@pytest.mark.parametrize("polling", [False, True])
def test_it_waits_while_the_folder_is_away_and_goes_on_when_it_is_back(place, polling, inspector):
    said, found, stop = [], [], threading.Event()
    with watched(place, polling=polling) as folder:
        thread = threading.Thread(
            target=watch_folder,
            args=(folder, Station(inspector)),
            kwargs={
                "stop": stop.is_set,
                "told": lambda name, one: found.append(name),
                "say": said.append,
            },
        )
        thread.start()
        write(place / "a.png", disc(1))
        until(lambda: found == ["a.png"], PATIENCE)
        shutil.move(place, place.with_name("elsewhere"))
        # Something changes, so that it looks.
        until(lambda: said, 60.0)
        shutil.move(place.with_name("elsewhere"), place)
        write(place / "b.png", disc(2))
        until(lambda: found == ["a.png", "b.png"], 60.0)
        stop.set()
        thread.join(PATIENCE)
    assert "away" in said[0]
    assert said[1] == "the folder is back"


def test_one_run_watches_with_a_file_of_notes(place):
    with watched(place), pytest.raises(UsageError, match="in use"):
        watched(place)


@pytest.mark.parametrize(
    "settings", [{"settle": -1.0}, {"settle": 1e9}, {"marker": "a/b"}, {"part_from": "{lot}"}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(UsageError):
        FolderSettings(**settings)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match="nowhere"):
        watched(tmp_path / "nowhere")


@pytest.mark.explore
def test_a_killed_watch_loses_nothing_and_records_nothing_twice(tmp_path, recipe):
    place, store, moved = tmp_path / "in", tmp_path / "r.db", tmp_path / "out"
    place.mkdir()
    pictures = 40
    command = [sys.executable, "-m", "flawline", "watch", str(recipe), str(place)]
    command += ["--out", str(tmp_path / "w"), "--store", str(store), "--move-to", str(moved)]
    command += ["--settle", "0.2", "--quiet"]

    def drop() -> None:
        for k in range(pictures):
            part = write(tmp_path / "part.png", disc(k) if k % 5 else spoilt(k))
            os.replace(part, place / f"{k}.png")
            time.sleep(0.02)

    thread = threading.Thread(target=drop)
    thread.start()
    for k in range(times(2, 10)):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        count = 4 * (k + 1)
        until(lambda least=count: len(list(moved.rglob("*.png"))) >= min(least, pictures), 60.0)
        process.send_signal(signal.SIGKILL)
        process.wait()
    thread.join()
    last = subprocess.run([*command, "--once"], capture_output=True, text=True, check=False)
    assert last.returncode in (0, 1), last.stderr
    with open_store(str(store)) as opened:
        images = [row.record.image for row in opened.page(Where(), count=1000).items]
    assert sorted(images, key=lambda name: int(name[:-4])) == [f"{k}.png" for k in range(pictures)]
    assert len(list(moved.rglob("*.png"))) == pictures
    assert list(place.iterdir()) == []
