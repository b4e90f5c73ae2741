"""Describe the thresholds; state the calibration's guarantee only where they are unedited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flawline.recipe.entries import first_problem
from flawline.recipe.recipe import Recipe
from flawline.recipe.settings import NO_THRESHOLD, ThresholdSettings

_LIMITS = ("review", "reject", "region")
_NOT_KEPT = (
    "recipe.toml was edited after training, and this recipe does not keep what was calibrated: "
    "no promise is made for its thresholds"
)


def stated_thresholds(recipe: Recipe) -> dict[str, Any] | None:
    """Describe the thresholds by name, with their `basis` in words; None where there are none.

    The basis in recipe.toml is a promise for calibrated thresholds. Where one was edited, `basis` says that instead:
    "edited by hand: reject 300 (calibrated: 71.2); no promise is made for it". What the editor wrote there stays. In
    recipes that do not keep their calibrated thresholds any edit of recipe.toml ends the promise.
    """
    limit = recipe.settings.threshold
    return None if limit is None else {**asdict(limit), "basis": _basis(recipe, limit)}


def edited_thresholds(recipe: Recipe) -> tuple[str, ...] | None:
    """Name the thresholds that differ from the calibrated ones; None where the recipe does not hold those."""
    limit, was = recipe.settings.threshold, _calibrated(recipe.manifest.metrics)
    if limit is None or was is None:
        return None
    return tuple(name for name in _LIMITS if getattr(limit, name) != getattr(was, name))


def _basis(recipe: Recipe, limit: ThresholdSettings) -> str:
    was = _calibrated(recipe.manifest.metrics)
    if was is None:
        return _NOT_KEPT if recipe.edited else limit.basis
    edited = edited_thresholds(recipe)
    if not edited:
        return limit.basis
    pairs = [_pair(name, getattr(limit, name), getattr(was, name)) for name in edited]
    whose = "it" if len(edited) == 1 else "them"
    told = f"edited by hand: {', '.join(pairs)}; no promise is made for {whose}"
    # The promise is about review and reject; an update appends how old it is.
    broken = edited != ("region",) and limit.basis.startswith(was.basis)
    return told if broken or not limit.basis else f"{limit.basis}; {told}"


def _calibrated(metrics: Mapping[str, Any]) -> ThresholdSettings | None:
    """Read the thresholds that the calibration set; None where the manifest does not hold them."""
    calibration = metrics.get("calibration")
    kept = calibration.get("thresholds") if isinstance(calibration, Mapping) else None
    if not isinstance(kept, Mapping) or first_problem(ThresholdSettings, kept) is not None:
        return None
    return ThresholdSettings(**kept)


def _pair(name: str, now: float, was: float) -> str:
    if abs(was) >= NO_THRESHOLD:
        return f"{name} {now:.4g} (calibrated: none)"
    digits = next((n for n in range(4, 17) if f"{now:.{n}g}" != f"{was:.{n}g}"), 17)
    return f"{name} {now:.{digits}g} (calibrated: {was:.{digits}g})"
