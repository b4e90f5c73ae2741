"""Times with a zone, as text and as whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flawline.data.day_texts import iso_text
from flawline.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(time: datetime) -> int:
    """Count the microseconds since 1970 in UTC.

    Raises:
        UsageError: the time has no zone.
    """
    if time.tzinfo is None:
        raise UsageError(
            f"expected a time with a zone, got {time.isoformat()}",
            hint='write it like "2026-03-01T06:30:00+01:00" or with a Z for UTC',
        )
    return (time - EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """Return the time in UTC of microseconds since 1970."""
    return EPOCH + value * _MICROSECOND


def parse_time(text: str) -> datetime:
    """Read a time with a zone: ISO 8601, or with the day first, such as "01.03.2026 06:30 +01:00".

    Raises:
        UsageError: the text cannot be read as a time, or has no zone.
    """
    time = local_time(text)
    micros(time)
    return time


def local_time(text: str) -> datetime:
    """Read a time as `parse_time` does, with or without a zone; raises UsageError."""
    try:
        return datetime.fromisoformat(iso_text(text).strip())
    except ValueError:
        raise UsageError(
            f"expected a time such as 2026-03-01T06:30:00Z, got {text[:40]!r}",
            hint="write it as ISO 8601, with its zone",
        ) from None
