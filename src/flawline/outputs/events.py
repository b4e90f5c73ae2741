"""Events that outputs send: a picture was judged, an alert was raised, a health changed, a trigger was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, ClassVar

from flawline.data.process import DIMENSIONS
from flawline.records.record import Record, capture_key
from flawline.types import EMPTY, Verdict

VERSION = 1
Message = Mapping[str, Any]
"""An event as JSON can hold it: `Event.as_dict()`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged picture, or one that could not be judged: `verdict` is then None and `reasons` give the cause.

    `key` is the same however often the inspection is sent. `time` is when it was judged, `captured` when the picture
    was taken, None where that is unknown. `names` are those of the process, such as station and lot, `classes` the
    number of defects by class, `measures` those of the whole part, `picture` the SHA-256 of its file.
    """

    kind: ClassVar[str] = "judged"

    key: str
    time: datetime
    image: str
    verdict: Verdict | None
    reasons: tuple[str, ...] = ()
    captured: datetime | None = None
    part: str | None = None
    names: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    score: float | None = None
    p_value: float | None = None
    classes: Mapping[str, int] = field(default_factory=lambda: EMPTY)
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    picture: str | None = None
    recipe: str = ""
    spec: str = ""

    @classmethod
    def of(cls, record: Record) -> Judged:
        """Make the event of an inspection from its record."""
        names = {name: getattr(record, name) for name in DIMENSIONS}
        return cls(
            key=capture_key(record).hex(),
            time=record.judged,
            image=record.image,
            verdict=record.verdict,
            reasons=record.reasons,
            captured=record.captured,
            part=record.part,
            names={name: text for name, text in names.items() if text},
            score=record.score,
            p_value=record.p_value,
            classes=dict(Counter(defect.label for defect in record.defects)),
            measures={k: v for k, v in record.measures.items() if isfinite(v)},
            picture=record.picture,
            recipe=record.recipe,
            spec=record.spec,
        )

    def as_dict(self) -> dict[str, Any]:
        """Convert the event to what JSON can hold."""
        return {
            **_head(self),
            "image": self.image,
            "captured": None if self.captured is None else self.captured.isoformat(),
            "part": self.part,
            "names": dict(self.names),
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "score": self.score,
            "p_value": self.p_value,
            "defects": sum(self.classes.values()),
            "classes": dict(self.classes),
            "measures": dict(self.measures),
            "picture": self.picture,
            "recipe": self.recipe,
            "spec": self.spec,
        }


@dataclass(frozen=True, slots=True)
class Alert:
    """A signal of a rule of a control chart; `level` is 2 where nobody acknowledged it at level 1 in time.

    `key` is the same at both levels. `rule` is the number of a Nelson rule, `side` "above", "below" or "both".
    `inspection` is the number of the first inspection of the point that triggered the alert, `point` the name of that
    point, `since` and `last` those of the first and latest point of the pattern, `points` their number. `value` and
    the limits are those of the latest point, None where the chart has no such limit. `store` names the records.
    """

    kind: ClassVar[str] = "alert"

    key: str
    time: datetime
    level: int
    text: str
    meaning: str
    action: str
    series: str
    panel: str
    rule: int
    side: str
    inspection: int | None
    point: str
    since: str
    last: str
    points: int
    value: float
    lower: float | None
    centre: float | None
    upper: float | None
    measure: str
    unit: str = ""
    store: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Convert the event to what JSON can hold; `raised` is its time, as version 0.1 wrote it."""
        fields = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("kind", "key", "time")
        }
        return {**_head(self), **fields, "raised": self.time.isoformat()}


@dataclass(frozen=True, slots=True)
class Health:
    """A change in the state of a station, its records or an output.

    `subject` is "station" (`state` "opened" or "closed"), "records" ("away" or "back"), "disk" ("full" or "back") or
    "output" ("failing" or "back"), `name` its name, that of the station for its disk, and `text` the cause.
    """

    kind: ClassVar[str] = "health"

    time: datetime
    subject: str
    state: str
    name: str
    text: str = ""

    @property
    def key(self) -> str:
        """Return the key of this event, unlike any other."""
        return f"health/{self.subject}/{self.name}/{self.state}/{self.time.isoformat()}"

    def as_dict(self) -> dict[str, Any]:
        """Convert the event to what JSON can hold."""
        return {
            **_head(self),
            "subject": self.subject,
            "state": self.state,
            "name": self.name,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a trigger of the line, given once and at once; it is never stored.

    `number` counts the answers since the station opened. `late` answers were given at the deadline without a verdict,
    `late_count` of them so far. `seconds` is the time from trigger to answer.
    """

    kind: ClassVar[str] = "answer"

    number: int
    time: datetime
    image: str
    part: str | None
    verdict: Verdict
    late: bool
    seconds: float
    late_count: int
    recipe: str = ""
    names: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    @property
    def key(self) -> str:
        """Return the key of this event, unlike any other."""
        return f"answer/{self.number}/{self.time.isoformat()}"

    def as_dict(self) -> dict[str, Any]:
        """Convert the event to what JSON can hold."""
        return {
            **_head(self),
            "number": self.number,
            "image": self.image,
            "part": self.part,
            "verdict": self.verdict,
            "late": self.late,
            "seconds": self.seconds,
            "late_count": self.late_count,
            "recipe": self.recipe,
            "names": dict(self.names),
        }


TROUBLE = ("away", "failing", "full")
"""States of `Health` in which something does not work."""
Event = Judged | Alert | Health | Answer
KINDS: tuple[str, ...] = tuple(event.kind for event in (Judged, Alert, Health))
"""Kinds of events that an output may choose; an answer goes to the live outputs alone."""


def message_id(message: Message) -> str:
    """Return the identity of a message: the same in every copy, different in every other message."""
    level = message.get("level")
    return message["key"] if level is None else f"{message['key']}#{level}"


def _head(event: Event) -> dict[str, Any]:
    return {
        "format": f"flawline-{event.kind}",
        "version": VERSION,
        "kind": event.kind,
        "key": event.key,
        "time": event.time.isoformat(),
    }
