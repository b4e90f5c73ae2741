"""Draw the report of an inspection: one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.core.drawing import class_colour
from flawline.data.whole_file import write_text
from flawline.recipe import NO_THRESHOLD
from flawline.report.charts import score_histogram
from flawline.report.pictures import meaning
from flawline.report.template import template
from flawline.station.gallery import CLOSE, SHOWN
from flawline.station.inspected import Inspected, InspectionRun
from flawline.station.inspected_parts import InspectedPart, part_counts
from flawline.types import SEVERITY

LISTED = 1000


@dataclass(frozen=True, slots=True)
class InspectCard:
    """A picture of the report: the data addresses of the picture and its overlay, None where there is none."""

    item: Inspected
    address: str | None
    heat: str | None


@dataclass(frozen=True, slots=True)
class RecipeText:
    """Texts about the recipe: its thresholds in words and by name, and the classes of a segmenter."""

    threshold: Mapping[str, Any] | None
    limits: Mapping[str, float]
    classes: Sequence[str]


def listed_pictures(run: InspectionRun) -> tuple[list[Inspected], list[Inspected]]:
    """Choose the pictures to show: the worst that were not accepted, and the accepted ones closest to being flagged."""
    ordered = _ordered(run)
    flagged = [item for item in ordered if item.inspection.verdict != "accept"]
    accepted = [item for item in ordered if item.inspection.verdict == "accept"]
    return flagged[:SHOWN], accepted[:CLOSE]


def ordinary_picture(run: InspectionRun) -> Inspected | None:
    """Choose the accepted picture of the lowest score, to show beside the others; None where none was accepted."""
    accepted = [item for item in _ordered(run) if item.inspection.verdict == "accept"]
    return accepted[-1] if accepted else None


def write_inspect_report(
    run: InspectionRun,
    recipe: RecipeText,
    flagged: Sequence[InspectCard],
    close: Sequence[InspectCard],
    ordinary: InspectCard | None,
    path: Path,
) -> Path:
    """Write the report: cards of the flagged pictures, of the accepted ones closest to them, and of an ordinary one."""
    ordered = _ordered(run)
    groups: dict[str, list[float]] = {"good": [], "unknown": [], "bad": []}
    for item in run.inspections:
        groups[meaning(item.sample.defective)].append(item.inspection.score)
    html = template("inspect.html").render(
        run=run,
        threshold=recipe.threshold,
        no_threshold=NO_THRESHOLD,
        classes=[
            (name, "rgb({},{},{})".format(*class_colour(number)))
            for number, name in enumerate(recipe.classes, start=1)
        ],
        parts=_strictest(run.parts)[:LISTED],
        part_counts=part_counts(run.parts),
        flagged=[item for item in ordered if item.inspection.verdict != "accept"],
        cards=flagged,
        close=close,
        ordinary=ordinary if ordinary is not None and ordinary.address else None,
        histogram=score_histogram(
            groups,
            unit="raw score" if recipe.limits else "highest probability of a defect",
            limits=recipe.limits,
        ),
        listed=ordered[:LISTED],
    )
    return write_text(path, html)


def _strictest(parts: Sequence[InspectedPart]) -> list[InspectedPart]:
    """Sort parts by verdict, the strictest first, then by score and name."""

    def key(part: InspectedPart) -> tuple[float, float, str]:
        score = float("inf") if part.score is None else part.score
        return -SEVERITY.index(part.verdict), -score, part.part

    return sorted(parts, key=key)


def _ordered(run: InspectionRun) -> list[Inspected]:
    """Sort inspections by score, the highest first."""
    return sorted(run.inspections, key=lambda item: (-item.inspection.score, item.sample.name))
