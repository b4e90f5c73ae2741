"""Triggers of a camera: who asks for a picture of a part, and what is known of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flawline.errors import FlawlineError, SourceError

DROPPED = "frame-dropped"
MOST = 100
"""Triggers that wait for a picture; of those on top, as many again are held to be recorded as not judged."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture that is asked for since `since`, in seconds of `time.monotonic`.

    `fields` are those of its frame, such as the part. `error` says why it cannot be taken.
    """

    since: float
    fields: Mapping[str, Any]
    error: FlawlineError | None = None


class Triggers:
    """Pictures that are asked for; safe from any thread."""

    name = "api"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Asked] = deque()
        self._refused: deque[Asked] = deque(maxlen=10 * MOST)

    def start(self, say: Callable[[str], None]) -> None:
        """Begin to listen; `say` writes a line for people."""

    def stop(self) -> None:
        """End to listen."""

    def ask(self, fields: Mapping[str, Any]) -> bool:
        """Ask for a picture; False where too many are asked for, which is recorded for its part."""
        with self._lock:
            if len(self._waiting) < MOST:
                self._waiting.append(Asked(time.monotonic(), fields))
                return True
        error = SourceError(
            "its trigger came while too many others waited for a picture",
            hint="trigger more slowly than the camera takes pictures",
            code=DROPPED,
        )
        self.refuse(fields, error)
        return False

    def refuse(self, fields: Mapping[str, Any], error: FlawlineError) -> None:
        """Note a part of which no picture can be taken."""
        with self._lock:
            self._refused.append(Asked(time.monotonic(), fields, error))

    def take(self, before: float) -> Asked | None:
        """Return the first that asked before a time; None where nobody did."""
        with self._lock:
            if self._waiting and self._waiting[0].since <= before:
                return self._waiting.popleft()
        return None

    def refused(self) -> list[Asked]:
        """Return those of which no picture can be taken, each once."""
        with self._lock:
            found = list(self._refused)
            self._refused.clear()
            return found
