"""One output with its queue: what does not arrive is tried again, later each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread

from flawline.outputs.output import Failure, Message, Output
from flawline.outputs.queue import MOST, Queue

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0


class Outbox:
    """Hands messages to an output in their order, each until it arrives; use as a context manager.

    A message is on the disk before `offer` returns. A slow output is served by a thread, so that `offer` never waits
    for it. A try that fails is repeated after 1, 2, 4 ... up to 300 seconds, or when the receiver asks for it; `say` is
    told of the first failure in a row, and when messages arrive again. What has not arrived when the outbox is closed
    stays in the queue, and the next outbox with the same path goes on with it.
    """

    def __init__(
        self,
        output: Output,
        path: Path,
        *,
        say: Callable[[str], None],
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output, self._say, self._clock = output, say, clock
        self._queue = Queue(path, most=most, say=say)
        self._pause, self._next, self._failing = 0.0, clock(), False
        self._changed = Condition()
        self._closing = False
        self._thread: Thread | None = None
        if output.slow:
            self._thread = Thread(target=self._serve, name=output.name, daemon=True)
            self._thread.start()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many messages have not arrived."""
        return len(self._queue)

    def offer(self, message: Message) -> None:
        """Take a message, unless a copy of it was taken before."""
        if self._queue.put(message):
            self.work()

    def work(self) -> None:
        """Try what is due; a slow output does so by itself."""
        if self._thread is None:
            self._attempt()
            return
        with self._changed:
            self._changed.notify()

    def close(self, patience: float = 15.0) -> None:
        """Try once more what waits, for at most `patience` seconds; the rest stays on the disk."""
        if self._thread is None:
            self._attempt()
        else:
            with self._changed:
                self._closing = True
                self._changed.notify()
            self._thread.join(patience)
        if self.waiting:
            plural = "s wait" if self.waiting > 1 else " waits"
            self._say(f"{self.waiting} alert{plural} for {self._output.name}, kept on the disk")
        if self._thread is None:
            self._queue.close()

    def _serve(self) -> None:
        while not self._closing:
            left = self._attempt()
            with self._changed:
                if not self._closing and not (left == 0 and self.waiting):
                    self._changed.wait(left if self.waiting else None)
        self._next = self._clock()
        self._attempt()
        self._queue.close()

    def _attempt(self) -> float:
        """Send what is due, in order, until one does not arrive; returns the seconds until the next try."""
        while (message := self._queue.first()) is not None:
            if self._clock() < self._next:
                break
            failure = self._output.send(message)
            if failure is None:
                self._arrived()
            elif failure.again:
                self._put_off(failure)
                continue
            else:
                self._say(f"{self._output.name} refuses an alert: {failure.reason}")
            self._queue.done(message)
        return max(0.0, self._next - self._clock())

    def _arrived(self) -> None:
        if self._failing:
            self._say(f"alerts reach {self._output.name} again")
        self._pause, self._failing = 0.0, False

    def _put_off(self, failure: Failure) -> None:
        if not self._failing:
            self._say(f"alerts do not reach {self._output.name}: {failure.reason}; they are kept")
        self._failing = True
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        self._next = self._clock() + max(self._pause, failure.pause)
