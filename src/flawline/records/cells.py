"""Convert the cells of third-party tables."""

from __future__ import annotations

from datetime import datetime, tzinfo
from math import isfinite
from typing import Any

from flawline.data.times import local_time, parse_time


def time_of(value: Any, zone: tzinfo | None) -> datetime:
    """Convert a cell to a time, in `zone` where it states none; raises UsageError without a time or zone."""
    time = value if isinstance(value, datetime) else local_time(str(value))
    if time.tzinfo is None and zone is not None:
        return time.replace(tzinfo=zone)
    return parse_time(time.isoformat())


def number_of(value: Any) -> float | None:
    """Convert a cell to a finite number, None where it is empty or not finite; raises ValueError for other text."""
    if value is None or value == "":
        return None
    number = float(value)
    return number if isfinite(number) else None


def text_of(value: Any) -> str:
    """Convert a cell to text, without the quote that keeps a spreadsheet from running it as a formula."""
    text = str(value)
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r") else text
