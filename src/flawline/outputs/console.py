"""Write events as lines for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flawline.outputs.events import Message
from flawline.outputs.output import Failure, OutputKind, Say
from flawline.recipe.entries import Section


@dataclass(frozen=True, slots=True)
class Console:
    """Write each event in one line through `say`."""

    say: Callable[[str], None]
    name: str = "console"
    place: str = ""

    def open(self) -> None:
        """Do nothing: `say` is ready."""

    def close(self) -> None:
        """Do nothing: `say` belongs to the caller."""

    def send(self, message: Message) -> Failure | None:
        """Write one event."""
        try:
            self.say(line(message))
        except OSError as error:
            return Failure(error.strerror or str(error))
        return None


def line(message: Message) -> str:
    """Format an event as one line: an alert with its action and key, a judged picture with its reasons."""
    if message["kind"] == "judged":
        reasons = "; ".join(message["reasons"])
        return f"{message['verdict'] or 'not judged'}: {message['image']}: {reasons}"
    if message["kind"] == "health":
        text = f": {message['text']}" if message["text"] else ""
        return f"{message['subject']} {message['name']} {message['state']}{text}"
    raised = "ALERT" if message["level"] == 1 else "ALERT, escalated"
    return f"{raised}: {message['text']}. {message['action']} [{message['key']}]"


@dataclass(frozen=True, slots=True)
class ConsoleEntries(Section):
    """console: no settings."""


def _open(entries: ConsoleEntries, say: Say) -> Console:
    return Console(say)


KIND = OutputKind(ConsoleEntries, _open, "console")
