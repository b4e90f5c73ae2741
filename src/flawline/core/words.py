"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Format a number with its noun: "1 picture", "2 pictures"; `many` where the plural is not just an "s"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
