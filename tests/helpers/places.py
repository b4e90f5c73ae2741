"""An output for tests that fails as it is asked to, and a clock that stands still."""

from __future__ import annotations

import time
from typing import Any

from flawline.outputs import Failure


def message(number: int, level: int = 1) -> dict[str, Any]:
    """An alert, as far as senders look at it."""
    text = {"text": f"alert {number}", "action": "look"}
    return {"kind": "alert", "key": f"k{number}", "level": level, **text}


class Place:
    """Fails with `failures`, one attempt after the other, and takes everything afterwards."""

    name, place = "place", ""

    def __init__(self, *failures: Failure) -> None:
        self.failures, self.tries = list(failures), 0
        self.got: list[Any] = []
        self.calls: list[str] = []

    def open(self) -> None:
        self.calls.append("open")

    def close(self) -> None:
        self.calls.append("close")

    def send(self, what: Any) -> Failure | None:
        self.tries += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is None:
            self.got.append(dict(what))
        return failure


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def until(condition: Any, seconds: float = 30.0) -> None:
    """Wait until something holds; fail where it does not within a generous time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()
