"""Wait for room on a full disk, so that a feed goes on by itself when there is some."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from flawline.errors import StoreError

RETRY = 1.0
"""Seconds between two tries to write on a full disk."""
_TICK = 0.1
Kept = TypeVar("Kept")


class Room:
    """What a feed writes: on a full disk it is tried again until there is room, or until the feed is to end.

    Nothing is piled up meanwhile: a picture that waits for room keeps its place among those in work, so that no more
    of them are begun.
    """

    def __init__(self, stop: Callable[[], bool], told: Callable[[str], None]) -> None:
        """Begin.

        Args:
            stop: asked several times a second, from any thread, whether to end.
            told: gets the reason when a disk is full, and "" when all that waited is written; one call each, however
                much waits.
        """
        self._stop, self._told = stop, told
        self._waiting, self._lock = 0, threading.Lock()

    def keep(self, write: Callable[[], Kept]) -> Kept:
        """Write, and return what that returns; from any thread.

        Args:
            write: may be called several times, and must then have no further effect.

        Raises:
            StoreError, OSError: as `write` does; where the disk is full only when the feed is to end.
        """
        try:
            return write()
        except (StoreError, OSError) as error:
            if not _is_full(error) or self._stop():
                raise
            self._begin(error)
        written = False
        try:
            while True:
                stopped = self._pause()
                try:
                    found = write()
                    written = True
                    return found
                except (StoreError, OSError) as error:
                    if stopped or not _is_full(error):
                        raise
        finally:
            self._end(written=written)

    def _pause(self) -> bool:
        """Wait until the next try; returns whether it is the last."""
        until = time.monotonic() + RETRY
        while not self._stop():
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_TICK, left))
        return True

    def _begin(self, error: StoreError | OSError) -> None:
        with self._lock:
            self._waiting += 1
            if self._waiting == 1:
                self._told(error.message if isinstance(error, StoreError) else _in_words(error))

    def _end(self, *, written: bool) -> None:
        with self._lock:
            self._waiting -= 1
            if self._waiting == 0 and written:
                self._told("")


AT_ONCE = Room(lambda: True, lambda reason: None)
"""For callers who want the error of a full disk at once."""


def _is_full(error: StoreError | OSError) -> bool:
    if isinstance(error, StoreError):
        return error.code == "store-full"
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _in_words(error: OSError) -> str:
    place = f" for {error.filename}" if error.filename else ""
    return f"there is no room{place}: {error.strerror or error}"
