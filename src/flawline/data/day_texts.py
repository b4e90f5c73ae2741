"""Read dates as people and spreadsheets write them: 01.03.2026, 2026/03/01, and 3/1/2026 where that is clear."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from flawline.errors import UsageError

First = Literal["day", "month"]
_DAY = re.compile(r"\s*(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T,]+(.+?))?\s*")
_YEAR = re.compile(r"\s*(\d{4})([./])(\d{1,2})\2(\d{1,2})(?:[ T,]+(.+?))?\s*")
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*([AaPp]\.?[Mm]\.?)?\s*(.*)"
)


def iso_text(text: str, first: First | None = None) -> str:
    """Write a date with or without a time of day in ISO 8601; other texts are returned as they are.

    Args:
        text: such as "01.03.2026 6:30" or "3/1/2026 6:30 PM". With points the day comes first.
        first: whether the day or the month comes first.

    Raises:
        UsageError: day and month cannot be told apart.
    """
    if (found := _YEAR.fullmatch(text)) is not None:
        year, _, month, day, clock = found.groups()
    elif (found := _DAY.fullmatch(text)) is not None:
        one, mark, two, year, clock = found.groups()
        which = first or day_or_month([text])
        if which is None and mark != ".":
            raise UsageError(
                f"{text.strip()!r} can be day {int(one)} of month {int(two)}, or day {int(two)} of month {int(one)}",
                hint="write it as 2026-03-01, or state it with `table_format=dates=day` or `table_format=dates=month`",
            )
        day, month = (two, one) if which == "month" else (one, two)
    else:
        return text
    return f"{year}-{month:0>2}-{day:0>2}{_clock(clock)}"


def day_or_month(texts: Iterable[str]) -> First | None:
    """Tell whether dates such as 31/3/2026 begin with the day or the month; None where none of them shows it."""
    for text in texts:
        found = _DAY.fullmatch(text)
        if found is not None and found[2] != "." and found[1] != found[3]:
            if int(found[1]) > 12:
                return "day"
            if int(found[3]) > 12:
                return "month"
    return None


def _clock(text: str | None) -> str:
    if text is None:
        return ""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return f"T{text}"
    hour, minute, second, fraction, half, zone = found.groups()
    number = int(hour)
    if half:
        number = number % 12 + (12 if half[0] in "Pp" else 0)
    fraction = f".{fraction:0<6}" if fraction else ""
    return f"T{number:02}:{minute}:{second or '00'}{fraction}{zone.replace(' ', '')}"
