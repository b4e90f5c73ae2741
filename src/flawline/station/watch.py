"""Judge the pictures of a watched folder as they arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from flawline.data.cores import cpu_count
from flawline.errors import FlawlineError, StoreError
from flawline.inspector.inspection import Inspection
from flawline.station.answering import AnswerTimes, Trigger
from flawline.station.arrivals import Arrival
from flawline.station.station import Station
from flawline.station.watched_folder import UNJUDGED, WatchedFolder
from flawline.types import Unjudged

Told = Callable[[str, Inspection | Unjudged], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch judged: pictures by verdict, those that could not be judged, and how fast a line was answered.

    `answers` is None where nobody was answered.
    """

    counts: dict[str, int]
    unjudged: int
    answers: AnswerTimes | None = None

    @property
    def exit_code(self) -> int:
        """2 where a picture could not be judged, 1 where one was not accepted, else 0."""
        flagged = self.counts["review"] + self.counts["reject"]
        return 2 if self.unjudged else 1 if flagged else 0


def watch_folder(
    folder: WatchedFolder,
    station: Station,
    *,
    stop: Callable[[], bool] = lambda: False,
    once: bool = False,
    told: Told = lambda name, found: None,
    say: Callable[[str], None] = lambda text: None,
    workers: int | None = None,
) -> Watched:
    """Judge, record and send the pictures of a folder as they arrive, on all cores and in bounded memory.

    A picture is noted as judged when the records or their spool have it. A killed watch judges what was in work again,
    under the same key, so that records have it once.

    Args:
        folder: the folder.
        station: judges, records and sends.
        stop: whether to end; pictures in work are finished first.
        once: end when all that is there now was judged.
        told: gets each name with its inspection or the reason why there is none; one call at a time.
        say: writes a line for people when the folder goes away or comes back.
        workers: threads, one more than cores by default.

    Raises:
        StoreError: the records or pictures cannot be written.
        OSError: it cannot be noted what was judged, or a picture cannot be moved.
    """
    workers = workers or cpu_count() + 1
    work = _Work(folder, station, told, threading.Semaphore(4 * workers))
    away = ""
    with ThreadPoolExecutor(workers, thread_name_prefix="watch") as pool:
        while not stop() and work.failed is None:
            idle = not work.busy
            arrived = folder.finished()
            if folder.away != away:
                away = folder.away
                say(f"the folder is away ({away}); waiting" if away else "the folder is back")
            # Their time runs from here, also while they wait for a free worker.
            triggered = [(one, station.trigger(one.name)) for one in arrived]
            for place, (one, trigger) in enumerate(triggered):
                work.places.acquire()
                if stop() or work.failed is not None:
                    for _, waiting in triggered[place:]:
                        station.drop(waiting)
                    break
                work.begin(pool.submit(work.judge, one, trigger))
            if once and idle and not arrived and not folder.settling:
                break
            if not arrived:
                folder.wait(lambda: stop() or (once and not work.busy))
    station.flush()
    if work.failed is not None:
        raise work.failed
    return Watched(dict(work.counts), work.unjudged, station.times)


class _Work:
    """The pictures in work, and what came of those before."""

    def __init__(
        self, folder: WatchedFolder, station: Station, told: Told, places: threading.Semaphore
    ) -> None:
        self.folder, self.station, self.told, self.places = folder, station, told, places
        self.counts = {"accept": 0, "review": 0, "reject": 0}
        self.unjudged = self.busy = 0
        self.failed: BaseException | None = None
        self._lock = threading.Lock()

    def begin(self, future: Future[None]) -> None:
        """Count a picture as in work until it is done; what ends it unexpectedly ends the watch."""
        with self._lock:
            self.busy += 1

        def end(done: Future[None]) -> None:
            with self._lock:
                self.busy -= 1
                self.failed = self.failed or done.exception()
            self.places.release()

        future.add_done_callback(end)

    def judge(self, one: Arrival, trigger: Trigger | None) -> None:
        """Judge a picture, and note that it was."""
        try:
            frame = self.folder.frame(one)
            if frame is None:
                self.station.drop(trigger)
                return
        except FlawlineError:
            # The station records it as one that could not be judged.
            frame = self.folder.frame_without_picture(one)
        found: Inspection | Unjudged
        try:
            found = self.station.inspect(frame, trigger)
        except StoreError:
            raise
        except FlawlineError as error:
            found = Unjudged(one.name, error.code, error.message)
        self.folder.done(one, UNJUDGED if isinstance(found, Unjudged) else found.verdict)
        with self._lock:
            if isinstance(found, Unjudged):
                self.unjudged += 1
            else:
                self.counts[found.verdict] += 1
            self.told(one.name, found)
