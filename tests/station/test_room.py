"""A full disk: feeds say so once, wait, and go on; nothing is lost or recorded twice."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flawline.data.work_file import WorkFile
from flawline.errors import StoreError
from flawline.records import open_store
from flawline.records.pictures import FolderPictures
from flawline.records.store import Store
from flawline.records.where import Where
from flawline.station import room as rooms
from flawline.station.room import AT_ONCE, Room
from flawline.station.station import Station
from flawline.station.watch import watch_folder
from flawline.station.watched_folder import FolderSettings, WatchedFolder
from helpers.discs import disc, spoilt, write
from helpers.places import until


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/disk/notes")


def store_full() -> StoreError:
    return StoreError("no room for the records", code="store-full", transient=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "RETRY", 0.01)


@dataclass
class Writing:
    """Fails with the errors that are given, then writes."""

    errors: list[Exception]
    calls: int = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "written"


@pytest.mark.parametrize("error", [full(), store_full()])
def test_a_full_disk_is_told_once_and_so_is_its_end(error: Exception) -> None:
    told: list[str] = []
    writing = Writing([error] * 5)
    assert Room(lambda: False, told.append).keep(writing) == "written"
    assert writing.calls == 6
    assert len(told) == 2
    assert "no room" in told[0]
    assert told[1] == ""


def test_what_waits_together_is_told_once() -> None:
    told: list[str] = []
    room, free, tried = Room(lambda: False, told.append), threading.Event(), [0, 0]

    def write(place: int) -> None:
        tried[place] += 1
        if not free.is_set():
            raise full()

    threads = [
        threading.Thread(target=lambda place=place: room.keep(lambda: write(place)))
        for place in range(2)
    ]
    for thread in threads:
        thread.start()
    until(lambda: min(tried) > 1, 90.0)
    free.set()
    for thread in threads:
        thread.join(90.0)
    assert told == ["there is no room for /disk/notes: No space left on device", ""]


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "denied"), StoreError("away", code="store-away")]
)
def test_another_error_is_raised_at_once(error: Exception) -> None:
    told: list[str] = []
    for errors in ([error], [full(), error]):
        with pytest.raises(type(error), match=str(error).rpartition("] ")[2]):
            Room(lambda: False, told.append).keep(Writing(list(errors)))
    assert [bool(one) for one in told] == [True], "there is no room after another error"


def test_who_is_to_end_gets_the_error_and_nobody_is_told_of_room() -> None:
    told: list[str] = []
    ended: list[int] = []

    def write() -> None:
        ended.append(1)
        raise full()

    with pytest.raises(OSError, match="No space"):
        Room(lambda: len(ended) > 3, told.append).keep(write)
    assert [bool(one) for one in told] == [True]
    with pytest.raises(OSError, match="No space"):
        AT_ONCE.keep(write)


@dataclass
class Heard:
    """An output that keeps what it was told."""

    name: str = "heard"
    place: str = "heard"
    live: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def told(self, subject: str) -> list[str]:
        return [one["state"] for one in self.messages if one.get("subject") == subject]


class Disk:
    """A disk with room for some writes, which is then full until it is freed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, left: int) -> None:
        self.left, self.refused = left, 0
        for kind, name, error in (
            (WorkFile, "keep", full),
            (WorkFile, "remove", full),
            (FolderPictures, "put", store_full),
            (Store, "add", store_full),
        ):
            own = getattr(kind, name)

            def write(*given: Any, own: Any = own, error: Callable[[], Exception] = error) -> Any:
                if self.left <= 0:
                    self.refused += 1
                    raise error()
                self.left -= 1
                return own(*given)

            monkeypatch.setattr(kind, name, write)


@pytest.mark.parametrize("left", [0, 2, 5])
def test_a_watch_on_a_full_disk_waits_and_goes_on(
    left: int, tmp_path: Path, disc_inspector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, heard = tmp_path / "in", Heard()
    names = [f"{k}.png" for k in range(6)]
    for k, name in enumerate(names):
        write(place / name, disc(k) if k % 3 else spoilt(k))
    said: list[str] = []
    told: list[str] = []
    settings = FolderSettings(settle=0.0, move_to=tmp_path / "judged")
    with open_store(str(tmp_path / "r.db")) as store:
        pictures = FolderPictures(tmp_path / "pictures")
        station = Station(
            disc_inspector,
            records=store,
            pictures=pictures,
            keep="all",
            spool=tmp_path / "spool",
            outputs=[heard],
        )
        with station, WatchedFolder(place, tmp_path / "notes", settings) as folder:
            disk = Disk(monkeypatch, left)
            thread = threading.Thread(
                target=watch_folder,
                args=(folder, station),
                kwargs={
                    "once": True,
                    "told": lambda name, found: told.append(name),
                    "say": said.append,
                },
            )
            thread.start()
            until(lambda: disk.refused > 20 and said, 90.0)
            disk.left = 10**9
            thread.join(90.0)
            assert not thread.is_alive()
        rows = [one.record.image for one in store.page(Where()).items]
    assert sorted(told) == sorted(rows) == names
    assert not list(place.glob("*.png"))
    moved = list((tmp_path / "judged").rglob("*.png"))
    assert len(moved) == 6
    assert ["room" in text for text in said] == [True, True], said
    assert said[1] == "there is room on the disk again"
    assert heard.told("disk") == ["full", "back"]
