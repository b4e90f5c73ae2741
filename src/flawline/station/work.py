"""The pictures that a feed hands over to be judged, and what came of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from flawline.data.frame import Frame
from flawline.errors import FlawlineError, StoreError
from flawline.inspector.inspection import Inspection
from flawline.station.answering import Trigger
from flawline.station.room import Room
from flawline.station.station import Station
from flawline.types import Unjudged

Told = Callable[[str, Inspection | Unjudged], None]


def room_of(station: Station, stop: Callable[[], bool], say: Callable[[str], None]) -> Room:
    """Make the room of the feeds of a station: people and outputs are told that a disk is full, and that it is not."""

    def told(reason: str) -> None:
        say(f"{reason}; waiting for room" if reason else "there is room on the disk again")
        station.tell_disk(reason)

    return Room(stop, told)


class Work:
    """Pictures in work, at most `most` at once, and counts of those before; safe from any thread."""

    def __init__(self, station: Station, told: Told, most: int, room: Room) -> None:
        """Begin.

        Args:
            station: judges, records and sends.
            told: gets each name with its inspection or the reason why there is none; one call at a time.
            most: places for pictures that are in work or wait for it; `places` is acquired for each.
            room: what waits where a disk is full.
        """
        self.station, self._told, self.room = station, told, room
        self.places = threading.Semaphore(most)
        self.counts = {"accept": 0, "review": 0, "reject": 0}
        self.unjudged = self.busy = 0
        self.failed: BaseException | None = None
        self._lock = threading.Lock()

    def begin(self, future: Future[None]) -> None:
        """Count a picture as in work until it is done; what ends it unexpectedly is `failed`, and ends the feed."""
        with self._lock:
            self.busy += 1
        future.add_done_callback(self._end)

    def inspect(self, frame: Frame, trigger: Trigger | None) -> Inspection | Unjudged:
        """Judge a picture.

        Raises:
            StoreError: the records or pictures cannot be written.
        """
        try:
            return self.station.inspect(frame, trigger, self.room)
        except StoreError:
            raise
        except FlawlineError as error:
            return Unjudged(frame.name, error.code, error.message)

    def tell(self, name: str, found: Inspection | Unjudged) -> None:
        """Count what came of a picture, and tell it."""
        with self._lock:
            if isinstance(found, Unjudged):
                self.unjudged += 1
            else:
                self.counts[found.verdict] += 1
            self._told(name, found)

    def flush(self) -> None:
        """Wait until the records have everything, and raise what failed."""
        self.station.flush()
        if self.failed is not None:
            raise self.failed

    def _end(self, done: Future[None]) -> None:
        with self._lock:
            self.busy -= 1
            self.failed = self.failed or done.exception()
        self.places.release()
