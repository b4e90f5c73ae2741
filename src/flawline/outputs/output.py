"""Define what every output can do, and what it is opened with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flawline.outputs.events import Message


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message did not arrive.

    `again` is False where the receiver will never take this message. `pause` is how many seconds the receiver asks to
    be left alone, 0 where it does not say.
    """

    reason: str
    again: bool = True
    pause: float = 0.0


class Output(Protocol):
    """A place to which events are sent, one after the other, by one thread."""

    @property
    def name(self) -> str:
        """The output as a person may see it, without secrets."""
        ...

    @property
    def place(self) -> str:
        """What tells it from every other output of its kind, such as a path; may be a secret."""
        ...

    def open(self) -> None:
        """Get ready to send; called once, before the first message, by the thread that sends."""
        ...

    def close(self) -> None:
        """Let go of what `open` took; nothing is sent afterwards."""
        ...

    def send(self, message: Message) -> Failure | None:
        """Hand over one event as JSON can hold it; None where it arrived."""
        ...


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What an output is opened with.

    `place` is what stands behind its kind, such as a path or URL, empty where nothing does. `secrets` are those of its
    kind by name. `say` writes a line for people.
    """

    place: str
    say: Callable[[str], None]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output: how it is written, such as "file:PATH", and what opens it.

    `open` raises UsageError where the settings cannot be.
    """

    form: str
    open: Callable[[OutputSettings], Output]
