"""Protocol, settings and kinds of outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flawline.outputs.events import Message


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a message did not arrive.

    `again` is False where the receiver will never take this message. `pause` is the time in seconds that the receiver
    asks to wait, 0 where it does not.
    """

    reason: str
    again: bool = True
    pause: float = 0.0


class Output(Protocol):
    """A receiver of events, which one thread sends one after the other."""

    @property
    def name(self) -> str:
        """Name the output for people, without secrets."""
        ...

    @property
    def place(self) -> str:
        """Return what differs between outputs of a kind, such as a path; may be a secret."""
        ...

    def open(self) -> None:
        """Prepare to send; called once, before the first message, by the sending thread."""
        ...

    def close(self) -> None:
        """Release what `open` opened; nothing is sent afterwards."""
        ...

    def send(self, message: Message) -> Failure | None:
        """Send one event as JSON can hold it; returns None where it arrived."""
        ...


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Settings of an output.

    `place` is a path or URL, empty for kinds without one. `secrets` are those of its kind by name. `say` writes a line
    for people.
    """

    place: str
    say: Callable[[str], None]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output: its form, such as "file:PATH", and the function that opens it.

    `open` raises UsageError for settings that it cannot use.
    """

    form: str
    open: Callable[[OutputSettings], Output]
