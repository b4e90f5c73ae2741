"""The sets of pictures to label that a server has, opened when somebody asks for them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from flawline.data.image import ImageLimits
from flawline.errors import SourceError
from flawline.jobs.label.label_set import SET, LabelSet, read_set
from flawline.jobs.label.label_store import LabelStore
from flawline.jobs.label.new_set import NewSet
from flawline.server.credentials import new_secret
from flawline.server.errors import ServerError

Make = Callable[[NewSet, Path], LabelSet]
_REMOVED = ".removed"


class LabelSets:
    """Sets in a folder, each with a folder of its own; safe from several threads."""

    def __init__(self, folder: Path, limits: ImageLimits) -> None:
        self._folder, self._limits = folder, limits
        self._lock = RLock()
        self._opened: dict[str, LabelStore] = {}

    def list(self) -> tuple[LabelSet, ...]:
        """List the sets, the newest first."""
        found = [read_set(path.parent) for path in self._folder.glob(f"[!.]*/{SET}")]
        return tuple(sorted(found, key=lambda one: (one.created, one.id), reverse=True))

    def get(self, number: str) -> LabelStore:
        """Return an opened set.

        Raises:
            ServerError: ("not-found") there is none of this name, or its pictures are gone.
        """
        with self._lock:
            if number not in self._opened:
                place = self._place(number)
                if not (place / SET).is_file():
                    raise _unknown(number)
                self._opened[number] = self._open(place)
            return self._opened[number]

    def make(self, title: str, who: str, classes: tuple[str, ...], folder: str, make: Make) -> str:
        """Make a set in a folder of its own and return its name; after an error nothing stays."""
        number = new_secret()[:12].replace("-", "a").replace("_", "b")
        created = datetime.now(UTC).isoformat(timespec="seconds")
        place = self._folder / number
        place.mkdir(parents=True)
        try:
            make(NewSet(number, title, who, created, classes, folder), place)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return number

    def remove(self, number: str) -> None:
        """Put a set away, so that it can be brought back; the one put away before is deleted."""
        with self._lock:
            if not (self._place(number) / SET).is_file():
                raise _unknown(number)
            opened = self._opened.pop(number, None)
            if opened is not None:
                opened.close()
            away = self._folder / _REMOVED
            shutil.rmtree(away, ignore_errors=True)
            away.mkdir(parents=True)
            self._place(number).rename(away / number)

    def restore(self, number: str) -> None:
        """Bring the set back that was put away last; ServerError where it is another."""
        with self._lock:
            away = self._folder / _REMOVED / number
            if not self._plain(number) or not (away / SET).is_file():
                raise _unknown(number)
            away.rename(self._place(number))

    def title(self, number: str) -> str:
        """Return the title of a set, also of one whose pictures are gone; ServerError where there is none."""
        place = self._place(number)
        if not (place / SET).is_file():
            raise _unknown(number)
        return read_set(place).title

    def close(self) -> None:
        """Write what waits to be written."""
        with self._lock:
            for store in self._opened.values():
                store.close()
            self._opened.clear()

    def _open(self, place: Path) -> LabelStore:
        try:
            return LabelStore(place, self._limits)
        except SourceError as error:
            # Without the place on this machine, which viewers need not know.
            raise ServerError(
                "the pictures of this set are no longer where they were",
                hint="bring them back, or remove the set; its masks are kept with it",
                code="not-found",
            ) from error

    def _place(self, number: str) -> Path:
        if not self._plain(number):
            raise _unknown(number)
        return self._folder / number

    @staticmethod
    def _plain(number: str) -> bool:
        return number.isascii() and number.isalnum()


def _unknown(number: str) -> ServerError:
    return ServerError(f"there is no set of pictures {number[:40]!r}", code="not-found")
