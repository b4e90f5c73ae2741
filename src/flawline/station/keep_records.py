"""What becomes a record of an inspected picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from flawline.data.frame import frame_of
from flawline.data.process import DIMENSIONS
from flawline.data.source import Source
from flawline.errors import FlawlineError, UsageError
from flawline.records.pictures import Pictures
from flawline.records.record import Record
from flawline.records.writer import Writer
from flawline.types import EMPTY, Sample, Unjudged

KEEP = ("flagged", "all", "none")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where inspections are kept, and the pictures and maps of which of them: those not accepted, all, or none.

    `constant` are names of the process (station, lot ...) that the source does not tell.

    Raises:
        UsageError: an unknown choice or name, or pictures to be kept and no place for them.
    """

    writer: Writer
    pictures: Pictures | None = None
    which: str = "flagged"
    constant: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        """Refuse what cannot be followed."""
        if self.which not in KEEP:
            raise UsageError(f"expected to keep {', '.join(KEEP)}, got {self.which!r}")
        for name in self.constant:
            if name not in DIMENSIONS:
                raise UsageError(f"expected a name of {', '.join(DIMENSIONS)}, got {name!r}")
        if self.which != "none" and self.pictures is None:
            raise UsageError(
                "there is no place for pictures", hint="name one, or keep none of them"
            )

    def wants(self, verdict: str | None) -> bool:
        """Whether the picture of an inspection is kept."""
        return self.which == "all" or (self.which == "flagged" and verdict != "accept")

    def check(self, samples: Iterable[Sample]) -> None:
        """Refuse times that cannot be read before the first picture is judged.

        Raises:
            ManifestError: a captured time is none, or has no zone.
        """
        for sample in samples:
            frame_of(sample, b"")

    def keep_files(self, source: Source, sample: Sample, map_bytes: bytes) -> str | None:
        """Keep the picture and its map; returns the hash of the map."""
        assert self.pictures is not None
        self.pictures.put(source.read(sample.name))
        return self.pictures.put(map_bytes)

    def keep(self, sample: Sample, record: Record, map_name: str | None) -> None:
        """Hand the record of a picture to the writer, as that of this sample."""
        frame = frame_of(sample, b"", self.constant)
        self.writer.add(replace(record.of_frame(frame), map=map_name))

    def keep_unjudged(
        self, source: Source, sample: Sample, missed: Unjudged, recipe: str, judged: datetime
    ) -> None:
        """Hand in that a picture could not be judged, and why; its file is kept where it can be read."""
        picture = None
        if self.pictures is not None and self.wants(None):
            try:
                data = source.read(sample.name)
            except FlawlineError:
                data = b""
            picture = self.pictures.put(data) if data else None
        frame = frame_of(sample, b"", self.constant)
        self.writer.add(
            Record.unjudged(frame, missed.reason, judged, recipe=recipe, picture=picture)
        )
