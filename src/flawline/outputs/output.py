"""What every output can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Message = Mapping[str, Any]
"""An alert as JSON can hold it; `key` and `level` tell it from every other message."""


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
    """A place to which alerts go. `slow` ones get a thread of their own, so that nobody waits for them."""

    @property
    def name(self) -> str:
        """As a person may see it."""
        ...

    @property
    def slow(self) -> bool:
        """Whether sending may take long."""
        ...

    def send(self, message: Message) -> Failure | None:
        """Hand over one message; None where it arrived."""
        ...


def message_id(message: Message) -> str:
    """What is the same in every copy of a message."""
    return f"{message['key']}#{message['level']}"
