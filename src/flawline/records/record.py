"""One inspection as it is kept, and the key by which it is kept once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, get_args

from flawline.errors import UsageError
from flawline.types import EMPTY, Verdict

DIMENSIONS = ("station", "step", "product", "lot", "operator", "tool", "shift")
"""What a process engineer sorts by; each has few values, which are stored once."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class DefectRecord:
    """One defect: `box` is (left, top, width, height) in px of the upright picture; any measures by name."""

    label: str
    box: tuple[int, int, int, int] | None = None
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Record:
    """One inspection of one capture.

    `captured` and `judged` are times with a zone; `captured` is None where it is not known. `verdict` is the machine's,
    None where there is none, and then `reasons` say why. `picture` and `map` are SHA-256 in hex, `size` is (height,
    width) in px, `recipe` and `spec` are hashes, empty where there was none. `measures` are of the whole part.
    `further` holds what else the source told. Measures that are not finite are left out.

    Raises:
        UsageError: a time without a zone, an unknown verdict, or a hash that is none.
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
    part: str | None = None
    station: str | None = None
    step: str | None = None
    product: str | None = None
    lot: str | None = None
    operator: str | None = None
    tool: str | None = None
    shift: str | None = None
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    defects: tuple[DefectRecord, ...] = ()
    further: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        """Refuse what could not be told apart or found again."""
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
                hint="without any of them it could not be told from another one",
            )
        for number in (self.score, self.p_value):
            if number is not None and not isfinite(number):
                raise UsageError(f"expected a finite score and p-value, got {number}")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about an inspection; the machine's verdict stays beside it."""

    verdict: Verdict
    who: str
    why: str
    when: datetime


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An inspection as the store has it, with all decisions about it, the oldest first."""

    id: int
    record: Record
    decisions: tuple[Decision, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """The last decision, or the machine's verdict where nobody decided."""
        return self.decisions[-1].verdict if self.decisions else self.record.verdict


def capture_key(record: Record) -> bytes:
    """The 16 bytes by which an inspection is kept once, however often it is written.

    They are of the station, the captured time and the picture's hash where known, and the hashes of recipe and
    specification. The time keeps two equal pictures of a camera apart, the hash two pictures of one moment, recipe and
    specification a second opinion. Where time and hash are both unknown the picture's name takes their place. Names of
    files and folders play no part otherwise, so that moved pictures are not counted twice.
    """
    known = record.picture or record.captured
    identity = [
        record.station,
        None if record.captured is None else micros(record.captured),
        record.picture,
        None if known else record.image,
        record.recipe,
        record.spec,
    ]
    return hashlib.sha256(json.dumps(identity).encode()).digest()[:16]


def micros(time: datetime) -> int:
    """Microseconds since 1970 in UTC.

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
    """The time in UTC of microseconds since 1970."""
    return EPOCH + value * _MICROSECOND


def parse_time(text: str) -> datetime:
    """A time as ISO 8601 with a zone.

    Raises:
        UsageError: it is none, or has no zone.
    """
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"expected a time such as 2026-03-01T06:30:00Z, got {text[:40]!r}",
            hint="write it as ISO 8601, with its zone",
        ) from None
    micros(time)
    return time


def record_as_dict(record: Record) -> dict[str, Any]:
    """A record as JSON can hold it; fields that have their default are left out."""
    plain: dict[str, Any] = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if value is None or value in ((), ""):
            continue
        if isinstance(value, datetime):
            value = value.isoformat()
        elif item.name == "defects":
            value = [[d.label, d.box, dict(d.measures)] for d in value]
        elif isinstance(value, Mapping):
            value = _plain(value)
        plain[item.name] = value
    return plain


def record_from_dict(plain: Mapping[str, Any]) -> Record:
    """The record of `record_as_dict`."""
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


def kept_as_dict(kept: StoredRecord) -> dict[str, Any]:
    """A kept inspection as JSON can hold it; `verdict` is the machine's."""
    plain = record_as_dict(kept.record)
    plain["defects"] = [
        {"class": d.label, "box": d.box, "measures": dict(d.measures)} for d in kept.record.defects
    ]
    decisions = [
        {"verdict": d.verdict, "who": d.who, "why": d.why, "when": d.when.isoformat()}
        for d in kept.decisions
    ]
    return {"id": kept.id, **plain, "verdict": kept.record.verdict, "decisions": decisions}


def with_finite_measures(record: Record) -> Record:
    """The record without measures that are not there."""
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
