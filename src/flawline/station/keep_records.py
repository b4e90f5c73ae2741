"""What becomes a record of an inspected picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flawline.data.frame import frame_of
from flawline.data.process import DIMENSIONS, PROCESS
from flawline.data.source import Source
from flawline.errors import FlawlineError, UsageError
from flawline.records.pictures import Pictures
from flawline.records.record import DefectRecord, Record
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

    def keep(
        self, sample: Sample, row: Mapping[str, Any], judged: datetime, map_name: str | None
    ) -> None:
        """Hand an inspection to the writer; `row` is `Inspection.as_dict` without the name."""
        areas = [float(defect["area"]) for defect in row["defects"]]
        self.writer.add(
            Record(
                **self._told(sample),
                judged=judged,
                verdict=row["verdict"],
                reasons=tuple(row["reasons"]),
                picture=row["sha256"],
                map=map_name,
                size=(row["height"], row["width"]),
                score=row["score"],
                p_value=row["p_value"],
                recipe=row["recipe"],
                spec=row["spec"],
                measures={
                    **row["measures"],
                    "largest_area": max(areas, default=0.0),
                    "total_area": sum(areas),
                },
                defects=tuple(_defect(defect) for defect in row["defects"]),
            )
        )

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
        self.writer.add(
            Record(
                **self._told(sample),
                judged=judged,
                verdict=None,
                reasons=(f"could not be judged: {missed.reason}",),
                picture=picture,
                recipe=recipe,
            )
        )

    def _told(self, sample: Sample) -> dict[str, Any]:
        """What the source says of a picture, by the names of a record."""
        frame = frame_of(sample, b"", self.constant)
        further = dict(frame.further)
        if frame.label is not None:
            further.setdefault("label", frame.label)
        return {
            **{name: getattr(frame, name) for name in PROCESS},
            "image": frame.name,
            "captured": frame.captured,
            "further": further,
        }


def _defect(plain: Mapping[str, Any]) -> DefectRecord:
    numbers = {**plain["measures"], **{name: plain[name] for name in ("area", "peak", "p_value")}}
    left, top, width, height = plain["box"]
    kept = {name: float(value) for name, value in numbers.items() if value is not None}
    return DefectRecord(plain["label"], (left, top, width, height), kept)
