"""Protocol, settings and kinds of outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import Any, Protocol, runtime_checkable

from flawline.outputs.events import KINDS, Message
from flawline.recipe.checks import Check, optional, text
from flawline.recipe.entries import Section

MOST = 4096
"""The most characters of a text in the settings of an output."""


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
class Chosen:
    """An output that gets some kinds of events alone, such as "judged" and "alert"."""

    output: Output
    kinds: frozenset[str]

    @property
    def name(self) -> str:
        """Name the output for people."""
        return self.output.name

    @property
    def place(self) -> str:
        """Return the place of the output."""
        return self.output.place

    def open(self) -> None:
        """Prepare the output."""
        self.output.open()

    def close(self) -> None:
        """Close the output."""
        self.output.close()

    def send(self, message: Message) -> Failure | None:
        """Send one event."""
        return self.output.send(message)


LIVE = ("answer", "health")
"""Kinds of events that live outputs get: those that have the attribute `live`, and show what is now."""


def is_live(output: Output) -> bool:
    """Whether an output shows what is now, such as to a PLC: nothing is owed to it."""
    return bool(getattr(output, "live", False))


def wants(output: Output, kind: str) -> bool:
    """Whether an output gets events of a kind."""
    if is_live(output):
        return kind in LIVE
    return kind != "answer" and (not isinstance(output, Chosen) or kind in output.kinds)


Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output: its settings, and the function that opens it.

    `open` takes the settings and what writes a line for people, connects to nothing, and raises UsageError for settings
    that it cannot use. `form` is how a command line names it, such as "file:PATH"; what follows the colon is the
    setting `place`. `events` are those that it gets where nothing else is asked for; `live` kinds get `LIVE` alone.
    """

    entries: type[Section]
    open: Callable[[Any, Say], Output]
    form: str
    place: str = ""
    events: tuple[str, ...] = KINDS
    live: bool = False


def secret_entry(about: str) -> Any:
    """Declare a setting that stands in no file of settings: a password, a token."""
    facts: Mapping[str, Any] = {
        "check": optional(text(MOST)),
        "about": about,
        "fixed": False,
        "secret": True,
    }
    return field(default=None, metadata=facts, repr=False)


def path_entry(about: str, default: Any = MISSING) -> Any:
    """Declare a setting that names a file or folder; one in station.toml is relative to that file."""
    facts: Mapping[str, Any] = {
        "check": optional(PATH) if default is None else PATH,
        "about": about,
        "fixed": False,
        "path": True,
    }
    return field(default=default, metadata=facts)


PATH = Check("the path of a file or folder", text(MOST).read)


Choose = Callable[[str], str]
"""Lets the recipe of a name judge from the next picture on; returns its hash, and raises FlawlineError."""


@runtime_checkable
class OffersRecipes(Protocol):
    """An output through which clients choose among the recipes of a station."""

    def offer(self, names: Sequence[str], used: str, choose: Choose) -> None:
        """Take the names before the output is opened, that of the recipe in use, and the function that changes it."""
