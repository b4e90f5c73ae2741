"""One inspection as it is stored, and the key by which it is stored once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, get_args

from flawline.data.process import PROCESS, Process
from flawline.data.times import micros
from flawline.errors import UsageError
from flawline.types import EMPTY, Region, Verdict

if TYPE_CHECKING:
    from flawline.data.frame import Frame
    from flawline.inspector.inspection import Inspection

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
REPEATED = "record-repeated"
"""The code of the error for a picture that the records have under other process data."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class DefectRecord:
    """One defect: `box` is (left, top, width, height) in px of the upright picture; any measures by name."""

    label: str
    box: tuple[int, int, int, int] | None = None
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)

    @classmethod
    def of(cls, region: Region) -> DefectRecord:
        """Make the record of a region: its measures, area, peak and p-value."""
        numbers = {"area": region.area, "peak": region.peak, "p_value": region.p_value}
        known = {name: float(value) for name, value in numbers.items() if value is not None}
        return cls(region.label, region.box, {**region.measures, **known})


@dataclass(frozen=True, slots=True)
class Record(Process):
    """One inspection of one capture.

    `captured` and `judged` are times with a zone; `captured` is None where it is unknown. `verdict` is the machine's,
    None where there is none, and then `reasons` give the cause. `picture` and `map` are SHA-256 in hex, `size` is
    (height, width) in px, `recipe` and `spec` are hashes, empty where there was none. `measures` are of the whole part.
    `further` holds further columns of the source. `frame_key` is the sender's own name for the frame, None where there
    is none. Measures that are not finite are left out.

    Raises:
        UsageError: a time without a zone, an unknown verdict, an invalid hash, a score or p-value that is not finite,
            or neither image, picture nor captured time.
    """

    image: str
    judged: datetime
    verdict: Verdict | None
    reasons: tuple[str, ...] = ()
    captured: datetime | None = None
    picture: str | None = None
    map: str | None = None
    size: tuple[int, int] | None = None
    score: float | None = None
    p_value: float | None = None
    recipe: str = ""
    spec: str = ""
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    defects: tuple[DefectRecord, ...] = ()
    further: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    frame_key: str | None = None

    def __post_init__(self) -> None:
        """Refuse invalid values, and records that could not be told apart."""
        micros(self.judged)
        if self.captured is not None:
            micros(self.captured)
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise UsageError(f"expected a verdict of {', '.join(VERDICTS)}, got {self.verdict!r}")
        for name in (self.picture, self.map):
            if name is not None and (len(name) != 64 or not _HEX.issuperset(name)):
                raise UsageError(f"expected a SHA-256 of 64 hexadecimal digits, got {name[:80]!r}")
        if not (self.image or self.picture or self.captured):
            raise UsageError(
                "an inspection needs a captured time, a picture's hash or a picture's name",
                hint="without any of them it could be taken for another one",
            )
        for number in (self.score, self.p_value):
            if number is not None and not isfinite(number):
                raise UsageError(f"expected a finite score and p-value, got {number}")

    @classmethod
    def of(
        cls, inspection: Inspection, frame: Frame, judged: datetime, *, map: str | None = None
    ) -> Record:
        """Make the record of an inspection, with every number as it was measured.

        `largest_area` and `total_area`, in px, are measures of every inspection: 0 where there is no defect.

        Args:
            inspection: its result.
            frame: the picture and its part.
            judged: when it was judged.
            map: the SHA-256 of the stored map of scores, in hex.
        """
        areas = [float(region.area) for region in inspection.regions]
        return cls(
            **_known(frame),
            judged=judged,
            verdict=inspection.verdict,
            reasons=inspection.reasons,
            picture=inspection.sha256,
            map=map,
            size=inspection.size,
            score=inspection.score,
            p_value=inspection.p_value,
            recipe=inspection.recipe,
            spec=inspection.spec,
            measures={
                **inspection.measures,
                "largest_area": max(areas, default=0.0),
                "total_area": sum(areas),
            },
            defects=tuple(DefectRecord.of(region) for region in inspection.regions),
        )

    @classmethod
    def unjudged(
        cls,
        frame: Frame,
        reason: str,
        judged: datetime,
        *,
        recipe: str = "",
        picture: str | None = None,
    ) -> Record:
        """Make the record of a picture that could not be judged.

        Args:
            frame: the picture and its part.
            reason: why it could not be judged.
            judged: when that was found.
            recipe: the hash of the recipe that should have judged it.
            picture: the SHA-256 of the stored file, in hex.
        """
        return cls(
            **_known(frame),
            judged=judged,
            verdict=None,
            reasons=(f"could not be judged: {reason}",),
            picture=picture,
            recipe=recipe,
        )


def _known(frame: Frame) -> dict[str, Any]:
    """Return the fields of a record that a frame fills; its label goes into `further`."""
    further = dict(frame.further)
    if frame.label is not None:
        further.setdefault("label", frame.label)
    return {
        **{name: getattr(frame, name) for name in PROCESS},
        "image": frame.name,
        "captured": frame.captured,
        "further": further,
        "frame_key": frame.key,
    }


_OWN = tuple(item.name for item in fields(Record) if item.name not in PROCESS)
_MEASURED = _OWN.index("measures")
_WRITTEN = (*_OWN[:_MEASURED], *PROCESS, *_OWN[_MEASURED:])
"""The fields in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about an inspection; the machine's verdict stays in its record."""

    verdict: Verdict
    who: str
    why: str
    when: datetime


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An inspection in the store, with all decisions about it, the oldest first."""

    id: int
    record: Record
    decisions: tuple[Decision, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """Return the last decision, or the machine's verdict where nobody decided."""
        return self.decisions[-1].verdict if self.decisions else self.record.verdict


def capture_key(record: Record) -> bytes:
    """Compute the 16 bytes by which an inspection is stored once, however often it is written.

    They are a hash of the station, the captured time and the picture's hash where known, and the hashes of recipe and
    specification. The time tells apart two equal pictures of a camera, the hash two pictures of one moment, recipe and
    specification a second opinion. Where time and hash are both unknown the picture's name takes their place. Names of
    files and folders play no part otherwise: moved pictures are not counted twice. The sender's own name of a frame
    takes the place of time, hash and picture: a frame that is sent again may have another time.
    """
    if record.frame_key is not None:
        return _digest(["frame", record.station, record.frame_key, record.recipe, record.spec])
    known = record.picture or record.captured
    return _digest(
        [
            record.station,
            None if record.captured is None else micros(record.captured),
            record.picture,
            None if known else record.image,
            record.recipe,
            record.spec,
        ]
    )


def _digest(identity: list[Any]) -> bytes:
    return hashlib.sha256(json.dumps(identity).encode()).digest()[:16]


def record_as_dict(record: Record) -> dict[str, Any]:
    """Convert a record to what JSON can hold; empty fields are left out."""
    plain: dict[str, Any] = {}
    for name in _WRITTEN:
        value = getattr(record, name)
        if value is None or value in ((), ""):
            continue
        if isinstance(value, datetime):
            value = value.isoformat()
        elif name == "defects":
            value = [[d.label, d.box, dict(d.measures)] for d in value]
        elif isinstance(value, Mapping):
            value = _plain(value)
        plain[name] = value
    return plain


def record_from_dict(plain: Mapping[str, Any]) -> Record:
    """Build the record of `record_as_dict`."""
    values = dict(plain)
    values.setdefault("image", "")
    values.setdefault("verdict", None)
    for name in ("judged", "captured"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in ("reasons", "size"):
        if name in values:
            values[name] = tuple(values[name])
    values["defects"] = tuple(
        DefectRecord(label, None if box is None else tuple(box), measures)
        for label, box, measures in values.get("defects", ())
    )
    return Record(**values)


def stored_as_dict(stored: StoredRecord) -> dict[str, Any]:
    """Convert a stored inspection to what JSON can hold; `verdict` is the machine's."""
    plain = record_as_dict(stored.record)
    plain["defects"] = [
        {"class": d.label, "box": d.box, "measures": dict(d.measures)}
        for d in stored.record.defects
    ]
    decisions = [
        {"verdict": d.verdict, "who": d.who, "why": d.why, "when": d.when.isoformat()}
        for d in stored.decisions
    ]
    return {"id": stored.id, **plain, "verdict": stored.record.verdict, "decisions": decisions}


def with_finite_measures(record: Record) -> Record:
    """Return the record without measures that are not finite."""
    if all(map(_finite, (record.measures, *(defect.measures for defect in record.defects)))):
        return record
    return replace(
        record,
        measures=_plain(record.measures),
        defects=tuple(replace(d, measures=_plain(d.measures)) for d in record.defects),
    )


def _finite(measures: Mapping[str, float]) -> bool:
    return all(map(isfinite, measures.values()))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if not isinstance(v, float) or isfinite(v)}
