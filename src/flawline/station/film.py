"""Judge the pictures of a camera or broker, and say which came too fast to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from flawline.data.cores import cpu_count
from flawline.data.frame import Frame
from flawline.errors import SourceError
from flawline.station.answering import Trigger
from flawline.station.room import Room
from flawline.station.station import Station
from flawline.station.triggers import DROPPED
from flawline.station.watch import Watched
from flawline.station.work import Told, Work, room_of
from flawline.types import Unjudged


class Live(Protocol):
    """A feed of pictures as they are taken, such as a camera.

    `waiting` pictures may wait to be judged. `waits` is whether the feed itself waits when there are more, and `since`
    when the part of the latest frame came, in seconds of `time.monotonic`; None for now.
    """

    name: str
    waiting: int
    waits: bool
    since: float | None

    def frames(self, stop: Callable[[], bool], say: Callable[[str], None]) -> Iterator[Frame]: ...

    def named(self, frame: Frame) -> Frame:
        """Fill in what the picture itself says; in the thread that judges it."""

    def done(self, frame: Frame) -> None:
        """Note that a frame is recorded; from any thread."""


def film(
    feed: Live,
    station: Station,
    *,
    stop: Callable[[], bool] = lambda: False,
    told: Told = lambda name, found: None,
    say: Callable[[str], None] = lambda text: None,
    workers: int | None = None,
    room: Room | None = None,
) -> Watched:
    """Judge, record and send the pictures of a camera or broker on all cores, in bounded memory.

    A camera does not wait. A picture that comes while as many others wait as its settings allow is dropped: it is
    recorded and told as not judged, so that nobody takes its part for a good one. A video file waits, and none is
    dropped. While a disk is full pictures in work wait for room; when there is none for those that are dropped either,
    no more are taken, and one that is to end meanwhile ends with the error.

    Args:
        feed: yields the pictures.
        station: judges, records and sends.
        stop: whether to end; pictures in work are finished first.
        told: gets each name with its inspection or the reason why there is none; one call at a time.
        say: writes a line for people when the camera or broker goes away or comes back, or a disk is full.
        workers: threads, one more than cores by default.
        room: what waits where a disk is full; one of its own if None.

    Raises:
        StoreError: the records or pictures cannot be written.
    """
    workers = workers or cpu_count() + 1
    room = room or room_of(station, stop, say)
    work, dropped = Work(station, told, workers + feed.waiting, room), 0
    with ThreadPoolExecutor(workers, thread_name_prefix="film") as pool:
        for frame in feed.frames(lambda: stop() or work.failed is not None, say):
            trigger = station.trigger(frame.name, feed.since)
            if work.places.acquire(blocking=feed.waits):
                work.begin(pool.submit(_judge, work, feed, frame, trigger))
            else:
                _drop(work, frame, trigger)
                feed.done(frame)
                dropped += 1
    work.flush()
    return Watched(dict(work.counts), work.unjudged, station.times, dropped)


def _judge(work: Work, feed: Live, frame: Frame, trigger: Trigger | None) -> None:
    found = work.inspect(feed.named(frame), trigger)
    feed.done(frame)
    work.tell(frame.name, found)


def _drop(work: Work, frame: Frame, trigger: Trigger | None) -> None:
    """Record a picture as not judged."""
    error = SourceError(
        "it came while too many others waited to be judged",
        hint="take fewer pictures, or let more wait",
        code=DROPPED,
    )
    work.station.refuse(frame, error, trigger, work.room)
    work.tell(frame.name, Unjudged(frame.name, error.code, error.message))
