"""What pages say of stored recipes: each is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from flawline.core.regions import ANOMALY
from flawline.errors import FlawlineError
from flawline.inspector.parts import calibration_of
from flawline.inspector.recipe_figures import RecipeFigures, recipe_figures
from flawline.recipe import NO_THRESHOLD, Recipe, stated_thresholds
from flawline.recipe.settings_text import spec_text
from flawline.records.activations import Activation
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.station.stored_recipe import stored_recipe

MOST_VERSIONS = 1000


@dataclass(frozen=True, slots=True)
class RecipeFacts:
    """What is said of a recipe; `problem` says why nothing can be said."""

    recipe: str
    task: str = ""
    part: str = ""
    figures: RecipeFigures | None = None
    thresholds: dict[str, Any] | None = None
    problem: str = ""

    @property
    def sentence(self) -> str:
        """One sentence about it."""
        return self.problem if self.figures is None else self.figures.sentence


@lru_cache(maxsize=512)
def recipe_facts(state: ServerState, recipe: str) -> RecipeFacts:
    """Read what is said of a stored recipe (SHA-256, hex), which never changes."""
    try:
        found = stored_recipe(state.store, state.pictures, recipe)
        figures = recipe_figures(found, bad_scores(state, recipe))
    except FlawlineError as error:
        return RecipeFacts(recipe, problem=error.message)
    settings = found.settings
    return RecipeFacts(recipe, settings.task, settings.part, figures, stated_thresholds(found))


def bad_scores(state: ServerState, recipe: str) -> list[float]:
    """List the scores of known bad parts, one for each, as far as the server keeps them."""
    document = state.evidence.document(recipe)
    return [] if document is None else [row["score"] for row in _by_part(document["bad"])]


def versions_of(history: tuple[Activation, ...]) -> list[dict[str, Any]]:
    """Number the recipes of a product in the order in which they first judged it; the newest first."""
    versions: dict[str, dict[str, Any]] = {}
    for one in reversed(history):
        versions.setdefault(
            one.recipe,
            {
                "version": len(versions) + 1,
                "recipe": one.recipe,
                "since": one.time.isoformat(),
                "who": one.who,
                "active": one.recipe == history[0].recipe,
            },
        )
    return list(reversed(versions.values()))


def before(history: tuple[Activation, ...]) -> str | None:
    """Return the recipe that judged a product before the present one; None where there was none."""
    return next((one.recipe for one in history if one.recipe != history[0].recipe), None)


def score_document(state: ServerState, recipe: Recipe) -> dict[str, Any]:
    """Gather the scores that thresholds are set on: good and known bad parts, with the numbers of kept pictures.

    Raises:
        ServerError: ("recipe-task") the recipe has no thresholds of a score.
    """
    limit, held = recipe.settings.threshold, calibration_of(recipe)
    if limit is None:
        raise ServerError(
            "this recipe has no thresholds of a score",
            hint="only detectors of good parts have them",
            code="recipe-task",
        )
    kept = state.evidence.document(recipe.sha256)
    scores = [] if held is None else np.asarray(held.scores, float).tolist()
    return {
        "recipe": recipe.sha256,
        "review": _known(limit.review),
        "reject": _known(limit.reject),
        "pictures": kept is not None,
        "golden": "golden" in recipe.manifest.metrics,
        "good": _named(scores, [] if kept is None else kept["good"]),
        "bad": [] if kept is None else _by_part(kept["bad"]),
    }


def spec_document(recipe: Recipe) -> dict[str, Any]:
    """Give the specification of a recipe as text, and what one may be about."""
    settings = recipe.settings
    classes = settings.segmenter.classes if settings.segmenter else (ANOMALY,)
    return {
        "recipe": recipe.sha256,
        "text": "" if settings.spec is None else spec_text(settings.spec),
        "classes": list(classes),
        "has_scale": settings.picture.mm_per_px is not None,
    }


def _by_part(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take the picture with the highest score of each part, which decides whether the part is found."""
    highest: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["score"]):
        highest[row["part"]] = row
    return sorted(highest.values(), key=lambda row: row["score"])


def _named(scores: list[float], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each score that the recipe was calibrated with the picture that has it, where one was kept."""
    waiting: dict[float, list[dict[str, Any]]] = {}
    for row in rows:
        waiting.setdefault(row["score"], []).append(row)
    unknown = {"name": "", "picture": None}
    return [
        {**(waiting[score].pop() if waiting.get(score) else unknown), "score": score}
        for score in scores
    ]


def _known(limit: float) -> float | None:
    return None if abs(limit) >= NO_THRESHOLD else limit
