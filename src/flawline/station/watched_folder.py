"""Feed the pictures that arrive in a folder: finished files only, each once, also after a restart."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flawline.data.bounded_file import read_bounded
from flawline.data.closing import Closing
from flawline.data.folder import Folder
from flawline.data.frame import Frame
from flawline.data.image import DEFAULT_IMAGE_LIMITS
from flawline.data.names import Findings
from flawline.data.part_codes import check_reader
from flawline.data.part_names import part_pattern
from flawline.data.work_file import WorkFile
from flawline.errors import DependencyError, ImageError, SourceError, UsageError, install_extra
from flawline.station.arrivals import Arrival, Arrivals
from flawline.station.named_frame import named_frame
from flawline.station.room import AT_ONCE, Room

TICK = 0.25
"""Seconds between two looks at files that settle."""
FULL_LOOK = 30.0
"""Seconds after which the folder is listed although nothing was heard of a change."""
BUSY_SHARE = 0.1
"""Most of the time that goes into listing a folder of very many files."""
UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """How a folder is watched.

    `settle` is how long a file must stay the same, in seconds; 0 suits folders into which files are renamed. `marker`
    is the ending of a marker file that says that a picture is finished, such as ".done"; then `settle` plays no part.
    `move_to` is where judged pictures go, into a folder of their verdict; None leaves them. `polling` looks at the
    folder again and again instead of waiting for messages of the system, which network shares do not send. `part_from`
    is a pattern of names such as "{lot}_{part}_{view}", `codes` reads codes on the part.

    Raises:
        UsageError: a time out of range, a marker that no file name can end with, or a pattern without {part}.
        DependencyError: `codes`, and zxing-cpp is not installed.
    """

    settle: float = 1.0
    marker: str = ""
    move_to: Path | None = None
    polling: bool = False
    part_from: str | None = None
    codes: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 <= self.settle <= 3600:
            raise UsageError(f"expected `settle` of 0 to 3600 seconds, got {self.settle:g}")
        if self.marker in (".", "..") or any(sign in self.marker for sign in "/\\\0"):
            raise UsageError(
                f"expected a `marker` such as .done, got {self.marker!r}",
                hint="it is the end of a file name",
            )
        if self.part_from is not None:
            part_pattern(self.part_from)
        if self.codes:
            check_reader()


@dataclass
class WatchedFolder(Closing):
    """The pictures of a folder as they arrive; `kept` is a file in which those that were judged are noted.

    Raises:
        SourceError: there is no such folder.
        UsageError: another run watches it with the same file.
        DependencyError: watchfiles is not installed.
    """

    folder: Path
    kept: Path
    settings: FolderSettings = FolderSettings()
    away: str = field(default="", init=False)
    """Why the folder cannot be listed now; empty while it can."""

    def __post_init__(self) -> None:
        """Check the folder and open the file."""
        try:
            import watchfiles
        except ImportError as error:
            raise DependencyError(
                "a folder is watched with watchfiles, which is not installed",
                hint=install_extra("factory"),
            ) from error
        self._watch = watchfiles.watch
        if not self.folder.is_dir():
            raise SourceError(
                f"expected a folder to watch, found none at {self.folder}",
                hint="make it, or check that the share is mounted",
            )
        given = self.settings.part_from
        self._pattern = None if given is None else part_pattern(given)
        self._arrivals = Arrivals(self.settings.settle, self.settings.marker)
        self._changes: Iterator[object] | None = None
        self._next_look = 0.0
        self._work = WorkFile(self.kept, "watched folder 1")

    @property
    def settling(self) -> int:
        """Count the files that are finished soon if nobody writes them; none where markers say it."""
        return 0 if self.settings.marker else self._arrivals.settling

    def finished(self, room: Room = AT_ONCE) -> list[Arrival]:
        """List the files that are finished and were not judged, in natural order of their names.

        `away` says why when the folder cannot be listed. Files that an earlier run judged and did not move are moved,
        where a disk is full when `room` says so.
        """
        begun = time.monotonic()
        listed = self._listed()
        if listed is None:
            return []
        pictures, markers = listed
        found = []
        for one in self._arrivals.finished(pictures, begun, markers):
            known = self._work.get(one.key)
            if known is None:
                found.append(one)
            else:
                room.keep(partial(self._move, one, known.decode()))
        spent = time.monotonic() - begun
        self._next_look = time.monotonic() + spent * (1 / BUSY_SHARE - 1)
        return found

    def frame(self, one: Arrival) -> Frame | None:
        """Read a file as a frame; None where it is gone, or is written again and settles anew.

        Its time is that of the file, and its key lets records take it once.

        Raises:
            ImageError: the file cannot be read.
        """
        path = self._path(one)
        try:
            data = read_bounded(
                path,
                DEFAULT_IMAGE_LIMITS.max_bytes,
                ImageError,
                "image",
                limit="a larger file is no picture of a part",
                name=one.name,
            )
        except ImageError:
            if not path.exists():
                return None
            raise
        if _arrival(path, one.name) != one:
            self._arrivals.put_back(one)
            return None
        return self.frame_without_picture(one, data)

    def frame_without_picture(self, one: Arrival, data: bytes = b"") -> Frame:
        """Make the frame of a file with some content; empty where it could not be read."""
        captured = datetime.fromtimestamp(one.changed / 1e9, UTC)
        frame = Frame(data, one.name, captured, key=f"folder {one.key}")
        return named_frame(frame, self._pattern, data if self.settings.codes else b"")

    def done(self, one: Arrival, verdict: str) -> None:
        """Note that a file was judged, and move it; `verdict` is "unjudged" where it could not be.

        Raises:
            OSError: the note or the moved file cannot be written.
        """
        self._work.keep(one.key, verdict.encode())
        self._move(one, verdict)

    def wait(self, stop: Callable[[], bool]) -> None:
        """Wait until something may be finished: a change in the folder, a file that settles, or some time."""
        until, due = time.monotonic() + FULL_LOOK, False
        while not stop() and time.monotonic() < until:
            if self.away:
                time.sleep(TICK)
                return
            changed = self._changed()
            due = due or changed is not False or self.settling > 0
            if due and time.monotonic() >= self._next_look:
                return

    def close(self) -> None:
        """Close the file of notes and stop to listen for changes."""
        self._changes = None
        self._work.close()

    def _changed(self) -> bool | None:
        """Wait a tick for changes; None where some may have been missed: before the wait, or the folder went away."""
        first = self._changes is None
        if self._changes is None:
            self._changes = self._watch(
                self.folder,
                watch_filter=None,
                debounce=50,
                step=10,
                rust_timeout=int(1000 * TICK),
                yield_on_timeout=True,
                raise_interrupt=False,
                force_polling=self.settings.polling or None,
                poll_delay_ms=200,
            )
        try:
            changed = bool(next(self._changes))
        except (StopIteration, OSError, RuntimeError):
            self._changes = None
            time.sleep(TICK)
            return None
        return None if first else changed

    def _listed(self) -> tuple[list[Arrival], set[str]] | None:
        """List pictures and markers; None where the folder is away."""
        try:
            with os.scandir(self.folder):
                pass
        except OSError as error:
            self.away = error.strerror or type(error).__name__
            return None
        self.away = ""
        markers: set[str] = set()
        pictures = []
        inside = self._inside()
        for name in Folder(self.folder, None, 0).names(Findings()):
            if inside and name.startswith(inside):
                continue
            path = self.folder / name
            if (found := _arrival(path, name)) is None:
                continue
            pictures.append(found)
            marker = self.settings.marker
            if marker and (path.parent / (path.name + marker)).is_file():
                markers.add(name + marker)
        return pictures, markers

    def _inside(self) -> str:
        """Return the beginning of the names of files that were moved, where they are below the watched folder."""
        if self.settings.move_to is None:
            return ""
        moved, own = self.settings.move_to.absolute(), self.folder.absolute()
        return f"{moved.relative_to(own).as_posix()}/" if moved.is_relative_to(own) else ""

    def _path(self, one: Arrival) -> Path:
        return self.folder / one.name

    def _move(self, one: Arrival, verdict: str) -> None:
        """Move a judged file into the folder of its verdict, under a free name; its marker is removed."""
        if self.settings.move_to is None:
            return
        path = self._path(one)
        place = self.settings.move_to / verdict / one.name
        if place.exists():
            place = place.with_name(f"{place.stem}-{one.key[:8]}{place.suffix}")
        place.parent.mkdir(parents=True, exist_ok=True)
        # Another file of the name may have come since; that one is still to be judged.
        if _arrival(path, one.name) == one:
            _move_whole(path, place)
            if self.settings.marker:
                path.with_name(path.name + self.settings.marker).unlink(missing_ok=True)
        self._work.remove([one.key])


def _move_whole(path: Path, place: Path) -> None:
    """Move a file, to another disk too; where that fails nothing is left at `place`."""
    try:
        shutil.move(path, place)
    except OSError:
        if path.exists():
            place.unlink(missing_ok=True)
        raise


def _arrival(path: Path, name: str) -> Arrival | None:
    """Look at a file; None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Arrival(name, found.st_size, found.st_mtime_ns)
