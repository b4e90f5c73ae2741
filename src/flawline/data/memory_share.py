"""Share the memory for decoded pictures among all threads of the process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

_changed = Condition()
_held = 0
_LARGE = 100_000_000


@contextmanager
def memory_share(limit: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that reserves bytes for one picture until the block ends.

    It waits while the pictures of other threads hold so much that `limit` bytes would be exceeded. A single picture
    always fits, and a thread reserves once, so that no two threads wait for each other.
    """
    taken = 0

    def reserve(needed: int) -> None:
        nonlocal taken
        global _held
        with _changed:
            _changed.wait_for(lambda: taken == _held or _held + needed <= limit)
            taken += needed
            _held += needed

    try:
        yield reserve
    finally:
        _give_back(taken)


def _give_back(taken: int) -> None:
    global _held
    if taken > _LARGE:
        _trim()
    with _changed:
        _held -= taken
        _changed.notify_all()


def _trim() -> None:
    """Return freed memory to the system: the GNU C library keeps what Pillow freed, gigabytes after a few pictures."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
