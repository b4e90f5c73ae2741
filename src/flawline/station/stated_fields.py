"""Fields of a frame as a sender states them: part, lot and other names of the process, the captured time, a key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flawline.data.process import PROCESS
from flawline.data.times import parse_time
from flawline.errors import UsageError

FIELDS = ("key", "captured", *PROCESS)
MOST_TEXT = 200


def stated_fields(given: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """Return the fields among names and values; other names are passed over.

    Raises:
        UsageError: a value is no text, is too long, or no time.
    """
    found: dict[str, Any] = {}
    for name, value in given:
        if name not in FIELDS:
            continue
        right = isinstance(value, str) and 0 < len(value) <= MOST_TEXT and value.isprintable()
        if not right:
            raise UsageError(f"expected {name} of 1 to {MOST_TEXT} printable characters")
        found[name] = parse_time(str(value)) if name == "captured" else value
    return found
