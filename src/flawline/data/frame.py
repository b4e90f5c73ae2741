"""A picture with what is known of it: what every feed yields and a station takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from flawline.data.as_picture import PictureLike
from flawline.data.process import DIMENSIONS, Process
from flawline.data.times import micros, parse_time
from flawline.errors import ManifestError, UsageError
from flawline.types import EMPTY, Sample

FramePicture: TypeAlias = PictureLike | Callable[[], bytes]
"""A picture as `Inspector.inspect` takes it, or what reads the bytes of its file when they are needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame(Process):
    """One picture and what is known of it beside its pixels.

    `name` is what every output calls the picture. `captured` is a time with a zone, None where it is not known. `label`
    is what somebody says of the part, such as "good". `further` holds what the feed knows beyond the fields here. `key`
    is the sender's own name for this frame: frames of one key are recorded once, however often they are sent.

    Raises:
        UsageError: a time without a zone.
    """

    picture: FramePicture
    name: str = ""
    captured: datetime | None = None
    label: str | None = None
    further: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time whose moment is unknown."""
        if self.captured is not None:
            micros(self.captured)


def frame_of(sample: Sample, picture: FramePicture, constant: Mapping[str, str] = EMPTY) -> Frame:
    """Join a picture with what its source knows of it.

    Columns of the source that have the name of a field fill that field, and the others are kept in `further`. The
    sample's group is the part where no column names one.

    Args:
        sample: what the source knows.
        picture: the picture's bytes, pixels or path.
        constant: values of `DIMENSIONS` for all pictures; a value of the source goes before.

    Raises:
        ManifestError: the captured time is no time, or has no zone.
    """
    try:
        captured = captured_time(sample)
    except UsageError as error:
        raise ManifestError(f"{sample.name}: {error.message}", hint=error.hint) from error
    known = {name: str(value) for name, value in sample.metadata.items() if value is not None}
    known.pop("captured", None)
    named: dict[str, Any] = {name: known.pop(name) for name in DIMENSIONS if name in known}
    return Frame(
        picture,
        sample.name,
        captured,
        sample.label,
        part=known.pop("part", None) or sample.group,
        further=known,
        **{**constant, **named},
    )


def captured_time(sample: Sample) -> datetime | None:
    """Return when a sample's source says that it was captured, None where it says nothing.

    Raises:
        UsageError: what it says is no time, or has no zone.
    """
    value = sample.metadata.get("captured")
    if value is None or not str(value).strip():
        return None
    return parse_time(value.isoformat() if isinstance(value, datetime) else str(value))
