"""Say in one sentence what a recipe finds, misses and throws away, from what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flawline.core.self_test import USUAL
from flawline.core.words import counted
from flawline.inspector.parts import calibration_of
from flawline.recipe import Recipe, edited_thresholds

_ROUND = 1


@dataclass(frozen=True, slots=True)
class PartCount:
    """How many of how many parts."""

    count: int
    of: int


@dataclass(frozen=True, slots=True)
class RecipeFigures:
    """What a recipe is known to do at its present thresholds; None or empty where that is not known.

    `finds` says what the self-test found, from which size. `missed` are known bad parts that are accepted, `rejected`
    and `reviewed` good parts that are not.
    """

    finds: str
    missed: PartCount | None
    rejected: PartCount | None
    reviewed: PartCount | None

    @property
    def sentence(self) -> str:
        """Say it in one sentence: "finds dark spots from 4 px; misses 3 of 150 known bad, rejects 2 of 106 good"."""
        counts = []
        if self.missed is not None:
            counts.append(f"misses {self.missed.count} of {self.missed.of} known bad")
        if self.rejected is not None:
            counts.append(f"rejects {self.rejected.count} of {self.rejected.of} good")
        if self.missed is None:
            counts.append("what it misses is not known")
        return "; ".join(filter(None, (self.finds, ", ".join(counts))))


def recipe_figures(recipe: Recipe, bad: Sequence[float] | None = None) -> RecipeFigures:
    """Gather the figures of a recipe; `bad` are raw scores of known bad parts, where somebody kept them.

    Raises:
        ModelError: ("recipe-damaged") its calibration is damaged.
    """
    metrics = recipe.manifest.metrics
    finds = _finds(metrics.get("self_test"))
    if recipe.settings.task != "anomaly":
        found = metrics.get("validation", {})
        return RecipeFigures(finds, _pair(found.get("escapes")), _pair(found.get("overkill")), None)
    limit, held = recipe.settings.threshold, calibration_of(recipe)
    if limit is None:
        return RecipeFigures(finds, None, None, None)
    rejected = reviewed = None
    if held is not None:
        above = int(np.sum(held.scores > limit.reject))
        rejected = PartCount(above, len(held.scores))
        reviewed = PartCount(int(np.sum(held.scores > limit.review)) - above, len(held.scores))
    return RecipeFigures(finds, _missed(recipe, limit.review, bad), rejected, reviewed)


def _missed(recipe: Recipe, review: float, bad: Sequence[float] | None) -> PartCount | None:
    """Count the known bad parts that are accepted: as the manifest states it, for other thresholds by their scores."""
    metrics = recipe.manifest.metrics
    stated = (metrics.get("golden") or metrics.get("defective") or {}).get("escape")
    if stated is not None and not edited_thresholds(recipe):
        return PartCount(int(stated["count"]), int(stated["of"]))
    if not bad or "golden" in metrics:
        return None
    return PartCount(int(np.sum(np.asarray(bad) <= review)), len(bad))


def _finds(test: Mapping[str, Any] | None) -> str:
    """Say the smallest defect that is found at the usual contrast, by the self-test in a manifest."""
    limits = (test or {}).get("limits") or ()
    if not limits:
        return ""
    contrast = min((abs(one["contrast"]) for one in limits), key=lambda c: abs(c - USUAL))
    found = [
        (one["found_from_px"], one["name"])
        for one in limits
        if abs(one["contrast"]) == contrast and one["found_from_px"] is not None
    ]
    if not found:
        tried = counted(len({one["name"] for one in limits}), "kind")
        return f"finds none of {tried} of drawn defects surely"
    size, name = min(found)
    return f"finds {name} from {round(size, _ROUND):g} px"


def _pair(found: Any) -> PartCount | None:
    return PartCount(int(found[0]), int(found[1])) if found else None
