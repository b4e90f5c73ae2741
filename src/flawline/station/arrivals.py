"""Tell which files of a folder are finished: nobody writes them any more, and nobody has judged them yet."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as a listing shows it: `name` relative to the folder, `size` in bytes, `changed` in ns since 1970."""

    name: str
    size: int
    changed: int

    @property
    def key(self) -> str:
        """Name this content of this file: a file of the same name that comes later has another key."""
        text = f"{self.name}\0{self.size}\0{self.changed}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


class Arrivals:
    """The files of a folder that settle, and those that are taken.

    A file is finished when its size and time have stayed the same for `settle` seconds, or, with `marker`, when there
    is a file of its name and that ending, such as `part.png.done`.
    """

    def __init__(self, settle: float, marker: str = "") -> None:
        self._settle, self._marker = settle, marker
        self._since: dict[Arrival, float] = {}
        self._taken: set[Arrival] = set()

    @property
    def settling(self) -> int:
        """Count the files that are not finished yet."""
        return len(self._since)

    def finished(
        self, listed: Iterable[Arrival], now: float, markers: Collection[str] = ()
    ) -> list[Arrival]:
        """Return the files that are finished since the last call, in the order of the listing.

        Args:
            listed: all files that are there now.
            now: seconds of a clock that never goes back.
            markers: names of the marker files that are there.
        """
        before, self._since = self._since, {}
        taken, self._taken = self._taken, set()
        found = []
        for one in listed:
            if one in taken:
                self._taken.add(one)
                continue
            since = before.get(one, now)
            complete = (
                one.name + self._marker in markers
                if self._marker
                else one.size > 0 and now - since >= self._settle
            )
            if complete:
                self._taken.add(one)
                found.append(one)
            else:
                self._since[one] = since
        return found

    def put_back(self, one: Arrival) -> None:
        """Let a file settle again, because it changed while it was read."""
        self._taken.discard(one)
