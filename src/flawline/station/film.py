"""Judge the pictures of a camera, and say which came too fast to be judged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flawline.data.cores import cpu_count
from flawline.data.frame import Frame
from flawline.errors import SourceError
from flawline.station.answering import Trigger
from flawline.station.camera import Camera
from flawline.station.station import Station
from flawline.station.watch import Watched
from flawline.station.work import Told, Work
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
    work, dropped = Work(station, told, workers + camera.settings.waiting), 0
    with ThreadPoolExecutor(workers, thread_name_prefix="camera") as pool:
        for frame in camera.frames(lambda: stop() or work.failed is not None, say):
            trigger = station.trigger(frame.name)
            if work.places.acquire(blocking=camera.is_file):
                work.begin(pool.submit(_judge, work, frame, trigger))
            else:
                _drop(work, frame, trigger)
                dropped += 1
    work.flush()
    return Filmed(dict(work.counts), work.unjudged, station.times, dropped)


def _judge(work: Work, frame: Frame, trigger: Trigger | None) -> None:
    work.tell(frame.name, work.inspect(frame, trigger))


def _drop(work: Work, frame: Frame, trigger: Trigger | None) -> None:
    """Record a picture as not judged."""
    error = SourceError(
        "it came while too many others waited to be judged",
        hint="take fewer pictures, or let more wait",
        code=DROPPED,
    )
    work.station.refuse(frame, error, trigger)
    work.tell(frame.name, Unjudged(frame.name, error.code, error.message))
