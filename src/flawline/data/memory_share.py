"""Share the memory for decoded pictures among all threads of the process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, local

from flawline.errors import ImageError

_changed = Condition()
_thread = local()
_held = 0
_LARGE = 100_000_000


@dataclass(frozen=True, slots=True)
class MemoryShare:
    """What this thread holds of `limit` bytes."""

    limit: int

    def reserve(self, needed: int) -> None:
        """Take bytes before they are used, and wait while other threads hold so much that they would not fit.

        What a thread needs first always fits. A thread that already holds memory does not wait, so that no two threads
        wait for each other: where it would exceed the limit by itself, an ImageError is raised.
        """
        global _held
        own = getattr(_thread, "held", 0)
        if own and own + needed > self.limit:
            raise ImageError(
                f"expected pictures and masks that take at most {self.limit / 1e9:.2g} GB of memory together, got "
                f"{(own + needed) / 1e9:.2g} GB",
                hint="Cut the picture into several; `max_memory` of ImageLimits raises the limit.",
                code="image-too-large",
            )
        with _changed:
            _changed.wait_for(lambda: own or not _held or _held + needed <= self.limit)
            _thread.held = own + needed
            _held += needed

    def settle(self, held: int) -> None:
        """State what is still held once a picture is decoded, in bytes."""
        if held < getattr(_thread, "held", 0):
            _give_back(held)


@contextmanager
def memory_share(limit: int) -> Iterator[MemoryShare]:
    """Yield the share of this thread; blocks may be nested, and all is given back when the outermost ends."""
    _thread.depth = getattr(_thread, "depth", 0) + 1
    try:
        yield MemoryShare(limit)
    finally:
        _thread.depth -= 1
        if not _thread.depth:
            _give_back(0)


def _give_back(rest: int) -> None:
    global _held
    free = getattr(_thread, "held", 0) - rest
    if free > _LARGE:
        _trim()
    with _changed:
        _thread.held = rest
        _held -= free
        _changed.notify_all()


def _trim() -> None:
    """Return freed memory to the system: the GNU C library keeps what Pillow freed, gigabytes after a few pictures."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
