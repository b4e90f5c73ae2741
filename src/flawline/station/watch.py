"""Judge the pictures of a watched folder as they arrive."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from flawline.data.cores import cpu_count
from flawline.errors import FlawlineError
from flawline.station.answering import AnswerTimes, Trigger
from flawline.station.arrivals import Arrival
from flawline.station.room import Room
from flawline.station.station import Station
from flawline.station.watched_folder import UNJUDGED, WatchedFolder
from flawline.station.work import Told, Work, room_of
from flawline.types import Unjudged


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch judged: pictures by verdict, those that could not be judged, and how fast a line was answered.

    `answers` is None where nobody was answered. `unjudged` counts the pictures that came too fast too, `dropped` these
    alone.
    """

    counts: dict[str, int]
    unjudged: int
    answers: AnswerTimes | None = None
    dropped: int = 0

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
    room: Room | None = None,
) -> Watched:
    """Judge, record and send the pictures of a folder as they arrive, on all cores and in bounded memory.

    A picture is noted as judged when the records or their spool have it. A killed watch judges what was in work again,
    under the same key, so that records have it once. While a disk is full, pictures in work wait for room and the
    others in the folder; a watch that is to end meanwhile ends with the error.

    Args:
        folder: the folder.
        station: judges, records and sends.
        stop: whether to end; pictures in work are finished first.
        once: end when all that is there now was judged.
        told: gets each name with its inspection or the reason why there is none; one call at a time.
        say: writes a line for people when the folder goes away or comes back, or a disk is full.
        workers: threads, one more than cores by default.
        room: what waits where a disk is full; one of its own if None.

    Raises:
        StoreError: the records or pictures cannot be written.
        OSError: it cannot be noted what was judged, or a picture cannot be moved.
    """
    workers = workers or cpu_count() + 1
    room = room or room_of(station, stop, say)
    work = Work(station, told, 4 * workers, room)
    away = ""
    with ThreadPoolExecutor(workers, thread_name_prefix="watch") as pool:
        while not stop() and work.failed is None:
            idle = not work.busy
            arrived = folder.finished(room)
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
                work.begin(pool.submit(_judge, work, folder, one, trigger))
            if once and idle and not arrived and not folder.settling:
                break
            if not arrived:
                folder.wait(lambda: stop() or (once and not work.busy))
    work.flush()
    return Watched(dict(work.counts), work.unjudged, station.times)


def _judge(work: Work, folder: WatchedFolder, one: Arrival, trigger: Trigger | None) -> None:
    """Judge a picture, and note that it was."""
    try:
        frame = folder.frame(one)
        if frame is None:
            work.station.drop(trigger)
            return
    except FlawlineError:
        # The station records it as one that could not be judged.
        frame = folder.frame_without_picture(one)
    found = work.inspect(frame, trigger)
    verdict = UNJUDGED if isinstance(found, Unjudged) else found.verdict
    work.room.keep(partial(folder.done, one, verdict))
    work.tell(one.name, found)
