"""The verdict of a part from those of its pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flawline.core.words import counted
from flawline.recipe import Recipe
from flawline.station.inspected import Inspected
from flawline.types import SEVERITY, Sample, Unjudged, Verdict

# Parts of this many times the pictures that parts had in calibration are flagged noticeably more often.
_MORE = 1.5


@dataclass(frozen=True, slots=True)
class InspectedPart:
    """A part and the verdict of its pictures.

    The verdict is that of its strictest picture, `image`: of those with that verdict the one with the highest score,
    whose score, p-value and reasons are those of the part. `pictures` names all that were judged, and `unjudged` those
    that could not be; with one of these a part is reviewed where it would be accepted.
    """

    part: str
    verdict: Verdict
    score: float | None
    p_value: float | None
    image: str | None
    reasons: tuple[str, ...]
    pictures: tuple[str, ...]
    unjudged: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Convert to what JSON can hold."""
        return {
            "part": self.part,
            "verdict": self.verdict,
            "score": self.score,
            "p_value": self.p_value,
            "image": self.image,
            "reasons": list(self.reasons),
            "pictures": list(self.pictures),
            "unjudged": list(self.unjudged),
        }


def part_name(sample: Sample) -> str | None:
    """Name the part of a sample as records do: its column `part`, or its group; None where the source names none."""
    named = sample.metadata.get("part")
    return str(named) if named not in (None, "") else sample.group


def parts_of(
    done: Sequence[Inspected], missed: Sequence[tuple[Sample, Unjudged]]
) -> tuple[InspectedPart, ...]:
    """Give the verdict of every part that the source names, in the order in which they first appear in it."""
    judged: dict[str, list[Inspected]] = {}
    lost: dict[str, list[str]] = {}
    for item in done:
        if (name := part_name(item.sample)) is not None:
            judged.setdefault(name, []).append(item)
    for sample, unjudged in missed:
        if (name := part_name(sample)) is not None:
            lost.setdefault(name, []).append(unjudged.image)
    return tuple(
        _part(name, judged.get(name, []), lost.get(name, [])) for name in {**judged, **lost}
    )


def _part(name: str, items: Sequence[Inspected], lost: Sequence[str]) -> InspectedPart:
    told = (f"{counted(len(lost), 'picture')} of it could not be judged",) if lost else ()
    names = tuple(item.sample.name for item in items)
    if not items:
        return InspectedPart(name, "review", None, None, None, told, (), tuple(lost))
    decisive = min(
        items,
        key=lambda item: (
            -SEVERITY.index(item.inspection.verdict),
            -item.inspection.score,
            item.sample.name,
        ),
    )
    found = decisive.inspection
    part = InspectedPart(
        name,
        found.verdict,
        found.score,
        found.p_value,
        decisive.sample.name,
        found.reasons,
        names,
        tuple(lost),
    )
    if found.verdict == "accept" and lost:
        return replace(part, verdict="review", reasons=(*told, *found.reasons))
    return replace(part, reasons=(*found.reasons, *told))


def part_counts(parts: Sequence[InspectedPart]) -> dict[str, int]:
    """Count parts by verdict."""
    number = Counter[str](part.verdict for part in parts)
    return {name: number[name] for name in SEVERITY}


def calibration_notes(recipe: Recipe, parts: Sequence[InspectedPart]) -> tuple[str, ...]:
    """Say where parts have more pictures than those that the thresholds promise something about."""
    known: Mapping[str, Any] = recipe.manifest.metrics.get("calibration") or {}
    of_parts = known.get("parts")
    role = "train" if known.get("cross_fitted") else "calibration"
    pictures = sum(picture.role == role for picture in recipe.manifest.pictures)
    if not parts or not isinstance(of_parts, int) or not of_parts or not pictures:
        return ()
    own = sum(len(part.pictures) for part in parts) / len(parts)
    usual = pictures / of_parts
    if own <= _MORE * usual:
        return ()
    text = (
        f"parts here have {own:.3g} pictures each, those of the calibration {usual:.3g}: more good parts are flagged "
        "than the thresholds promise; train with a column group that names the part of each picture"
    )
    return (text,)
