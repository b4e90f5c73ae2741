"""Judge the pictures of a camera, and say which came too fast to be judged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from flawline.data.cores import cpu_count
from flawline.data.frame import Frame
from flawline.errors import FlawlineError, SourceError, StoreError
from flawline.inspector.inspection import Inspection
from flawline.station.answering import Trigger
from flawline.station.camera import Camera
from flawline.station.station import Station
from flawline.station.watch import Told, Watched
from flawline.types import Unjudged

DROPPED = "frame-dropped"


@dataclass(frozen=True, slots=True)
class Filmed(Watched):
    """What was judged; `unjudged` counts the pictures that came too fast too, `dropped` these alone."""

    dropped: int = 0


def film(
    camera: Camera,
    station: Station,
    *,
    stop: Callable[[], bool] = lambda: False,
    told: Told = lambda name, found: None,
    say: Callable[[str], None] = lambda text: None,
    workers: int | None = None,
) -> Filmed:
    """Judge, record and send the pictures of a camera on all cores, in bounded memory.

    A camera does not wait. A picture that comes while as many others wait as its settings allow is dropped: it is
    recorded and told as not judged, so that nobody takes its part for a good one. A video file waits, and none is
    dropped.

    Args:
        camera: yields the pictures.
        station: judges, records and sends.
        stop: whether to end; pictures in work are finished first.
        told: gets each name with its inspection or the reason why there is none; one call at a time.
        say: writes a line for people when the camera goes away or comes back.
        workers: threads, one more than cores by default.

    Raises:
        StoreError: the records or pictures cannot be written.
    """
    workers = workers or cpu_count() + 1
    work = _Filming(station, told, threading.Semaphore(workers + camera.settings.waiting))
    with ThreadPoolExecutor(workers, thread_name_prefix="camera") as pool:
        for frame in camera.frames(lambda: stop() or work.failed is not None, say):
            trigger = station.trigger(frame.name)
            if work.places.acquire(blocking=camera.is_file):
                pool.submit(work.judge, frame, trigger).add_done_callback(work.end)
            else:
                work.drop(frame, trigger)
    station.flush()
    if work.failed is not None:
        raise work.failed
    return Filmed(dict(work.counts), work.unjudged, station.times, work.dropped)


class _Filming:
    """The pictures in work, and what came of those before."""

    def __init__(self, station: Station, told: Told, places: threading.Semaphore) -> None:
        self.station, self.told, self.places = station, told, places
        self.counts = {"accept": 0, "review": 0, "reject": 0}
        self.unjudged = self.dropped = 0
        self.failed: BaseException | None = None
        self._lock = threading.Lock()

    def judge(self, frame: Frame, trigger: Trigger | None) -> None:
        """Judge a picture."""
        try:
            found: Inspection | Unjudged = self.station.inspect(frame, trigger)
        except StoreError:
            raise
        except FlawlineError as error:
            found = Unjudged(frame.name, error.code, error.message)
        self._count(frame.name, found)

    def drop(self, frame: Frame, trigger: Trigger | None) -> None:
        """Record a picture as not judged."""
        error = SourceError(
            "it came while too many others waited to be judged",
            hint="take fewer pictures, or let more wait",
            code=DROPPED,
        )
        self.station.refuse(frame, error, trigger)
        self.dropped += 1
        self._count(frame.name, Unjudged(frame.name, error.code, error.message))

    def end(self, done: Future[None]) -> None:
        """Free the place of a picture; what ended it unexpectedly ends the run."""
        self.failed = self.failed or done.exception()
        self.places.release()

    def _count(self, name: str, found: Inspection | Unjudged) -> None:
        with self._lock:
            if isinstance(found, Unjudged):
                self.unjudged += 1
            else:
                self.counts[found.verdict] += 1
            self.told(name, found)
