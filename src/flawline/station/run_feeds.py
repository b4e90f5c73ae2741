"""Run the feeds of a station side by side until they end, or somebody ends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from flawline.errors import UsageError
from flawline.station.film import Live, film
from flawline.station.station import Station
from flawline.station.watch import Watched, watch_folder
from flawline.station.watched_folder import TICK, WatchedFolder
from flawline.station.work import Told, room_of


def run_feeds(
    feeds: Sequence[WatchedFolder | Live],
    station: Station,
    *,
    stop: Callable[[], bool],
    once: bool = False,
    told: Told = lambda name, found: None,
    say: Callable[[str], None] = lambda text: None,
) -> Watched:
    """Judge what arrives in folders, from cameras and brokers; pictures in work are finished before it ends.

    Args:
        feeds: folders and live ones; each runs in a thread of its own.
        station: judges, records and sends.
        stop: asked several times a second in the calling thread.
        once, told, say: as for `watch_folder`; `told` gets one call at a time.

    Raises:
        UsageError: `once`, and a camera or broker that never ends.
        StoreError: the records or pictures cannot be written.
        OSError: it cannot be noted what was judged, or a picture cannot be moved.
    """
    endless = [one for one in feeds if not isinstance(one, WatchedFolder) and not one.waits]
    if once and endless:
        raise UsageError(
            f"`once` ends when all that is there was judged, and {endless[0].name} never ends",
            hint="leave `once` out, or take the camera or broker out of the feeds",
        )
    ended, lock = threading.Event(), threading.Lock()
    room = room_of(station, ended.is_set, say)

    def one_at_a_time(name: str, found: object) -> None:
        with lock:
            told(name, found)  # type: ignore[arg-type]

    def run(feed: WatchedFolder | Live) -> Watched:
        if not isinstance(feed, WatchedFolder):
            return film(feed, station, stop=ended.is_set, told=one_at_a_time, say=say, room=room)
        folder = feed

        def about(text: str) -> None:
            say(text.replace("the folder", f"the folder {folder.folder}", 1))

        return watch_folder(
            folder,
            station,
            stop=ended.is_set,
            once=once,
            told=one_at_a_time,
            say=about,
            room=room,
        )

    with ThreadPoolExecutor(len(feeds), thread_name_prefix="feed") as pool:
        running = [pool.submit(run, feed) for feed in feeds]
        try:
            _wait(running, stop)
        finally:
            ended.set()
    return replace(summed([one.result() for one in running]), answers=station.times)


def summed(several: Sequence[Watched]) -> Watched:
    """Add up what several feeds judged; the answers are those of the last."""
    counts = {"accept": 0, "review": 0, "reject": 0}
    for one in several:
        for verdict, count in one.counts.items():
            counts[verdict] += count
    answers = several[-1].answers if several else None
    unjudged, dropped = (
        sum(getattr(one, name) for one in several) for name in ("unjudged", "dropped")
    )
    return Watched(counts, unjudged, answers, dropped)


def _wait(running: Sequence[Future[Watched]], stop: Callable[[], bool]) -> None:
    """Wait until all feeds end, one fails, or `stop` says so."""
    left = set(running)
    while left and not stop():
        begun = time.monotonic()
        done, left = wait(left, TICK, FIRST_COMPLETED)
        if any(one.exception() is not None for one in done):
            return
        if not done and time.monotonic() - begun < TICK / 2:
            time.sleep(TICK)
