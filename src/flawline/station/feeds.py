"""Feeds of a station: make frames from sources and records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flawline.data.frame import Frame, frame_of
from flawline.data.process import PROCESS
from flawline.data.source import Source
from flawline.errors import StoreError
from flawline.records.pictures import Pictures
from flawline.records.record import Record


def source_frames(source: Source) -> Iterator[Frame]:
    """Yield the pictures of an open folder, archive or table as frames; each is read when it is judged.

    Raises:
        ManifestError: a captured time cannot be read.
    """
    for sample in source.samples():
        yield frame_of(sample, partial(source.read, sample.name))


def stored_frame(record: Record, pictures: Pictures) -> Frame:
    """Make the frame of a record from its stored picture.

    Raises:
        StoreError: ("picture-missing") no picture was stored.
    """
    if record.picture is None:
        raise StoreError(
            "the inspection has no picture to judge again",
            hint="it was imported from a table, or its file could not be read",
            code="picture-missing",
        )
    return Frame(
        partial(pictures.get, record.picture),
        record.image,
        record.captured,
        further=record.further,
        key=record.frame_key,
        **{name: getattr(record, name) for name in PROCESS},
    )
