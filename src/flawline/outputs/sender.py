"""Send the messages of one output from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

from flawline.outputs.events import Message
from flawline.outputs.sending import Sending


class Sender:
    """A thread that sends the messages of an output; `close` ends it and reports waiting messages to `say`.

    Messages that have not arrived when the sender is closed stay in the records for the next sender with the same
    address.
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
        """Look for messages at once."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def ask_to_end(self) -> None:
        """Ask the thread to try waiting messages once more and end; returns at once."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def close(self, patience: float = 15.0) -> None:
        """Try waiting messages once more, for at most `patience` seconds, and end the thread."""
        self.ask_to_end()
        self._thread.join(patience)
        self.sending.ended = True
        name = self.sending.output.name
        if stored := self.sending.stored():
            plural = "s wait" if stored > 1 else " waits"
            self._say(f"{stored} message{plural} for {name}, kept in the records")
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
