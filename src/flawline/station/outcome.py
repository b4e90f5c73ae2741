"""The outcome of a frame: its inspection, or the error instead of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flawline.data.frame import Frame
from flawline.errors import FlawlineError
from flawline.inspector.inspection import Inspection
from flawline.records.record import Record


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A judged frame that is not recorded yet.

    Either `inspection` or `error` is given. `judged` is the time. `notes` list what decoding chose or lost. `file` is
    the content of the picture's file and `map` that of its map of scores, None where they are not to be stored;
    `map_name` is the SHA-256 of a map that is stored already. `sha256` is that of a file that could not be judged.
    """

    frame: Frame
    judged: datetime
    inspection: Inspection | None = None
    error: FlawlineError | None = None
    notes: tuple[str, ...] = ()
    file: bytes | None = None
    map: bytes | None = None
    map_name: str | None = None
    sha256: str | None = None

    def record(self, recipe: str) -> Record:
        """Make the record of the frame; `recipe` is the hash of the recipe."""
        if self.inspection is not None:
            return Record.of(self.inspection, self.frame, self.judged, map=self.map_name)
        assert self.error is not None
        return Record.unjudged(
            self.frame, self.error.message, self.judged, recipe=recipe, picture=self.sha256
        )
