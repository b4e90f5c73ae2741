"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its words: "1 picture", "2 pictures"; `many` where more than an "s" differs."""
    return f"{number} {one if number == 1 else many or one + 's'}"
