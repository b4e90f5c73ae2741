"""The result of inspecting a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.inspector.inspection import Inspection
from flawline.types import Sample, Unjudged

if TYPE_CHECKING:
    from flawline.station.inspected_parts import InspectedPart


@dataclass(frozen=True, slots=True)
class Inspected:
    """One judged picture: `inspection` is without its map, `overlay` the file of its overlay, if any."""

    sample: Sample
    inspection: Inspection
    overlay: Path | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectionRun:
    """Every picture of a source: judged, in the order of the source, or not, with the reason.

    `notes` say what a person should know of the pictures as a whole, such as a drift of the scores of accepted parts.
    `parts` are the verdicts of the parts that the source names, by a column `part` or `group`.
    """

    source: str
    recipe: str
    part: str
    settings: Mapping[str, Any]
    inspections: tuple[Inspected, ...]
    unjudged: tuple[Unjudged, ...]
    resumed: int = 0
    notes: tuple[str, ...] = ()
    parts: tuple[InspectedPart, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Count the pictures that were accepted, to be reviewed, rejected, and not judged."""
        number = Counter[str](item.inspection.verdict for item in self.inspections)
        verdicts = {name: number[name] for name in ("accept", "review", "reject")}
        return {**verdicts, "unjudged": len(self.unjudged)}

    @property
    def exit_code(self) -> int:
        """Return 0 if all were accepted, 1 for a reject or review, 2 if some could not be judged."""
        if self.unjudged:
            return 2
        accepted = (item.inspection.verdict == "accept" for item in self.inspections)
        return 0 if all(accepted) else 1
