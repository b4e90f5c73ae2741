"""Recognise pictures that the records have already, and make new captures of them where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flawline.data.frame import Frame
from flawline.data.process import PROCESS
from flawline.records.arrived import Arrived
from flawline.records.captures import Capture, repeated

if TYPE_CHECKING:
    from flawline.records.store import Store

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Repeats:
    """The records as a run found them: `before` are the inspections of then, `moment` names its captures.

    `moment` is empty where pictures are not recorded again. `given` are the names of pictures that came one by one.
    """

    store: Store
    before: Arrived
    moment: str = ""
    given: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def begin(cls, store: Store, *, again: bool) -> Repeats:
        """Begin a run now."""
        return cls(store, store.arrived(), datetime.now(UTC).isoformat() if again else "")

    def as_dict(self) -> dict[str, Any]:
        """Convert what an interrupted run must find again to what JSON can hold."""
        return {"last": self.before.last, "gaps": self.before.gaps, "moment": self.moment}

    def resumed(self, plain: dict[str, Any]) -> Repeats:
        """Continue the run of `as_dict`."""
        gaps = tuple((low, high) for low, high in plain["gaps"])
        return replace(self, before=Arrived(plain["last"], gaps), moment=plain["moment"])

    def capture(self, frame: Frame, picture: str) -> Frame:
        """Return the frame, with a key of this run where its picture is to be recorded again.

        Raises:
            StoreError: ("record-repeated") the records have the picture under other names alone.
        """
        if frame.key is not None:
            return frame
        known = self.store.captures(picture, frame.captured, upto=self.before)
        if known and self.moment:
            return replace(frame, key=f"again {self.moment} {picture}")
        if known and all(capture.differs(frame) for capture in known):
            raise repeated("it is", self.store.name, known, frame)
        return frame

    def next_capture(self, frame: Frame, picture: str) -> Frame:
        """Return the frame as `capture` does, for a picture that may have come in this run under other names.

        Raises:
            StoreError: ("record-repeated") it has.
        """
        if frame.key is not None or frame.captured is not None:
            return frame
        names = {name: getattr(frame, name) for name in PROCESS if getattr(frame, name) is not None}
        if len(self.given) >= _MOST:
            self.given.clear()
        first = Capture(0, b"", self.given.setdefault(picture, names))
        if not first.differs(frame):
            return frame
        if self.moment:
            own = " ".join(f"{name}={value}" for name, value in names.items())
            return replace(frame, key=f"again {self.moment} {picture} {own}")
        raise repeated("it is", self.store.name, [first], frame)
