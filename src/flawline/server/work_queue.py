"""Judge a bounded number of pictures at once; refuse the rest for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from flawline.server.errors import ServerError

T = TypeVar("T")


class WorkQueue:
    """Threads for work and a bounded number of places to wait in."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="judging")
        self._most = workers + waiting
        self._lock = Lock()
        self._inside = 0
        self._closed = False

    @property
    def inside(self) -> int:
        """Count what is worked on or waits."""
        return self._inside

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread of the queue.

        Raises:
            ServerError: ("busy") all places are taken; ("stopping") the server stops.
        """
        with self._lock:
            if self._closed:
                raise ServerError("the server stops", code="stopping", retry_after=5)
            if self._inside >= self._most:
                raise ServerError(
                    f"{self._inside} pictures are being judged or wait",
                    hint="send it again after the time that Retry-After states",
                    code="busy",
                    retry_after=1,
                )
            self._inside += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            self._leave()
            raise
        # Counted until the work is done, also where the client went away.
        future.add_done_callback(lambda _: self._leave())
        return await asyncio.shield(future)

    def close(self) -> None:
        """Finish what was accepted, and take nothing more."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True)

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1
