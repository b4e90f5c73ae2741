"""Frames: a picture and its data, as every feed yields it and a station takes it."""

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
"""A picture as `Inspector.inspect` takes it, or a function that reads the bytes of its file when they are needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame(Process):
    """One picture, its part and where it comes from.

    `name` is the name of the picture in every output. `captured` is a time with a zone, None where it is unknown.
    `label` is a person's label of the part, such as "good". `further` holds further columns of the source. `key` is
    the sender's own name for this frame: frames of one key are recorded once, however often they are sent.

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
        """Refuse a time without a zone."""
        if self.captured is not None:
            micros(self.captured)


def frame_of(sample: Sample, picture: FramePicture, constant: Mapping[str, str] = EMPTY) -> Frame:
    """Make the frame of a sample.

    Columns of the source that have the name of a field fill that field, the others go into `further`. The sample's
    group is the part where no column names one.

    Args:
        sample: the picture in its source.
        picture: the picture's bytes, pixels or path.
        constant: values of `DIMENSIONS` for all pictures; a value of the source takes precedence.

    Raises:
        ManifestError: the captured time cannot be read, or has no zone.
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
    """Return the captured time of a sample, None where its source states none.

    Raises:
        UsageError: it cannot be read as a time, or has no zone.
    """
    value = sample.metadata.get("captured")
    if value is None or not str(value).strip():
        return None
    return parse_time(value.isoformat() if isinstance(value, datetime) else str(value))
