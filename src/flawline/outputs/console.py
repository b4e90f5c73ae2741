"""Alerts as lines for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flawline.outputs.output import Failure, Message


@dataclass(frozen=True, slots=True)
class Console:
    """Says each alert in one line through `say`, which writes to standard error."""

    say: Callable[[str], None]
    name: str = "console"
    slow: bool = False

    def send(self, message: Message) -> Failure | None:
        """Say one alert."""
        try:
            self.say(line(message))
        except OSError as error:
            return Failure(error.strerror or str(error))
        return None


def line(message: Message) -> str:
    """An alert in one line: what, what to do, and the key."""
    raised = "ALERT" if message["level"] == 1 else "ALERT, escalated"
    return f"{raised}: {message['text']}. {message['action']} [{message['key']}]"
