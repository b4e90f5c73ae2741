"""Run an asyncio server beside the station, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

Stop = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class ServingThread:
    """A thread with an event loop; whatever takes longer than `patience`, in seconds, ends with TimeoutError."""

    name: str
    patience: float
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _ended: Any = field(default=None, init=False, repr=False)
    _thread: Thread | None = field(default=None, init=False, repr=False)

    def open(self, start: Callable[[], Awaitable[Stop]]) -> None:
        """Start a server in the thread, and raise what it raises; `start` returns what stops it."""
        listening: Future[None] = Future()
        self._thread = Thread(
            target=lambda: asyncio.run(self._run(start, listening)), name=self.name, daemon=True
        )
        self._thread.start()
        listening.result(self.patience)

    def call(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine in the thread and wait for it."""
        assert self._loop is not None, "the server is open"
        asyncio.run_coroutine_threadsafe(work, self._loop).result(self.patience)

    def close(self) -> None:
        """Stop the server, if it runs."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(self.patience)

    async def _run(self, start: Callable[[], Awaitable[Stop]], listening: Future[None]) -> None:
        try:
            stop = await start()
        except Exception as error:
            listening.set_exception(error)
            return
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        listening.set_result(None)
        try:
            await self._ended.wait()
        finally:
            await stop()
