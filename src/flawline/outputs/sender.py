"""Serve one output by a thread, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

from flawline.outputs.events import Message
from flawline.outputs.sending import Sending


class Sender:
    """A thread that sends what an output is owed; use `close` to end it, which reports what waits to `say`.

    What the records hold and has not arrived when the sender is closed stays there, and the next sender with the same
    address goes on with it.
    """

    def __init__(self, sending: Sending, *, say: Callable[[str], None]) -> None:
        """Start the thread; `say` writes a line for people."""
        self.sending, self._say = sending, say
        self._changed = Condition()
        self._closing = self._woken = False
        self._thread = Thread(target=self._serve, name=sending.output.name, daemon=True)
        self._thread.start()

    def tell(self, message: Message) -> None:
        """Take a message that is held in memory alone."""
        self.sending.tell(message)
        self.work()

    def work(self) -> None:
        """Look at once for what is owed."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def ask_to_end(self) -> None:
        """Try once more what waits, and end; does not wait for it."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def close(self, patience: float = 15.0) -> None:
        """Try once more what waits, for at most `patience` seconds."""
        self.ask_to_end()
        self._thread.join(patience)
        self.sending.ended = True
        name = self.sending.output.name
        if kept := self.sending.kept():
            plural = "s wait" if kept > 1 else " waits"
            self._say(f"{kept} message{plural} for {name}, kept in the records")
        if lost := self.sending.lost():
            plural = "s" if lost > 1 else ""
            self._say(f"{lost} message{plural} did not reach {name}, and no records keep them")

    def _serve(self) -> None:
        while not self._closing:
            left = self.sending.attempt()
            with self._changed:
                if not self._closing and not self._woken:
                    self._changed.wait(left)
                self._woken = False
        self.sending.hurry()
        self.sending.attempt()
        self.sending.close()
