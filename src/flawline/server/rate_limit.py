"""Limit how often one address or account may try something."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from flawline.server.errors import ServerError

_MOST_KEYS = 10_000


class RateLimit:
    """At most `burst` tries at once by each key, and one more every `seconds`; safe from several threads."""

    def __init__(
        self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._seconds, self._clock = burst, seconds, clock
        self._full: dict[str, float] = {}
        self._lock = Lock()

    def check(self, key: str) -> None:
        """Count a try.

        Raises:
            ServerError: ("too-often") too many tries, with the seconds to wait.
        """
        now = self._clock()
        with self._lock:
            # When this key will have all its tries back.
            full = max(self._full.get(key, now), now) + self._seconds
            wait = full - now - self._burst * self._seconds
            if wait > 0:
                raise ServerError(
                    "too many tries in a short time",
                    hint=f"try again in {int(wait) + 1} s",
                    code="too-often",
                    retry_after=int(wait) + 1,
                )
            if len(self._full) >= _MOST_KEYS:
                self._full = {other: when for other, when in self._full.items() if when > now}
            self._full[key] = full
