"""Divide the time of inspections into spans: hours, shifts, days or weeks, as fits its length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

_MOST, _LEAST = 14, 4
_HOUR = 3600
# Shifts begin at 6, 14 and 22 o'clock, weeks on Mondays; 1970 began on a Thursday.
_UNITS = (
    ("10 minutes", 600, 0),
    ("hour", _HOUR, 0),
    ("shift of 8 hours", 8 * _HOUR, 6 * _HOUR),
    ("day", 24 * _HOUR, 0),
    ("week", 7 * 24 * _HOUR, -3 * 24 * _HOUR),
    ("4 weeks", 28 * 24 * _HOUR, -3 * 24 * _HOUR),
)
_EQUAL = 8
_PART = "an eighth of the time"


@dataclass(frozen=True, slots=True, eq=False)
class TimeSpans:
    """Spans of time with anything in them: `level` (N,) of each time, -1 where unknown, and the `starts` as texts."""

    unit: str
    level: NDArray[np.int64]
    starts: tuple[str, ...]


def time_spans(times: NDArray[np.float64]) -> TimeSpans | None:
    """Divide times, (N,) seconds since 1970, NaN where unknown; None where they do not differ.

    The shortest unit that gives at most 14 spans is taken, and 8 equal spans where it gives fewer than 4.
    """
    known = np.isfinite(times)
    if not known.any() or np.ptp(times[known]) <= 0:
        return None
    first, last = float(times[known].min()), float(times[known].max())
    unit, length, offset = _unit(first, last)
    number = np.floor((times[known] - offset) / length)
    if unit == _PART:
        number = np.minimum(number, _EQUAL - 1)
    there, level = np.unique(number, return_inverse=True)
    levels = np.full(len(times), -1)
    levels[known] = level
    starts = tuple(_text(offset + each * length, length) for each in there)
    return TimeSpans(unit, levels, starts)


def _unit(first: float, last: float) -> tuple[str, float, float]:
    """Choose a unit: its name, its length and where one begins, in seconds."""
    for unit, length, offset in _UNITS:
        count = (last - offset) // length - (first - offset) // length + 1
        if count <= _MOST:
            return (
                (unit, length, offset)
                if count >= _LEAST
                else (_PART, (last - first) / _EQUAL, first)
            )
    return _PART, (last - first) / _EQUAL, first


def _text(seconds: float, length: float) -> str:
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(seconds))
    return (
        f"{time:%Y-%m-%d}"
        if length >= 24 * _HOUR and not seconds % (24 * _HOUR)
        else f"{time:%Y-%m-%d %H:%M}"
    )
