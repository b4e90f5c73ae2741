"""Build the JSON documents of trainings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.jobs.train.training_verdict import counts_of_test, training_verdict
from flawline.jobs.train.update_recipe import Updated
from flawline.recipe import detector_settings, stated_thresholds

if TYPE_CHECKING:
    from flawline.jobs.train.segment.train_segment import TrainedSegmenterRecipe


def trained_as_dict(trained: AnomalyTraining, path: Path) -> dict[str, Any]:
    """Build the JSON document that `flawline train anomaly` prints."""
    recipe, verdict = trained.recipe, training_verdict(trained)
    return {
        "verdict": verdict.text,
        "usable": verdict.usable,
        "test": counts_of_test(trained),
        "recipe": str(path),
        "sha256": recipe.sha256,
        "part": recipe.settings.part,
        "method": detector_settings(recipe).method,
        "backbone": recipe.manifest.backbone.name,
        "setup": None if trained.set_up is None else trained.set_up.as_dict(),
        "known_bad": None if trained.known_bad is None else trained.known_bad.as_dict(),
        "threshold": stated_thresholds(recipe),
        "metrics": dict(recipe.manifest.metrics),
        "held_out": {"good": dict(trained.good), "bad": dict(trained.bad)},
        "set_aside": [
            {"image": suspect.name, "score": suspect.score, "reason": suspect.reason}
            for suspect in trained.suspects
        ],
        "copies": dict(trained.copies),
        "messages": list(trained.messages),
        "unjudged": [item.as_dict() for item in trained.unjudged],
    }


def updated_as_dict(updated: Updated, path: Path) -> dict[str, Any]:
    """Build the JSON document that `flawline update` prints."""
    recipe = updated.recipe
    return {
        "recipe": str(path),
        "sha256": recipe.sha256,
        "threshold": stated_thresholds(recipe),
        "learnt": [
            {"image": name, "before": before, "after": updated.after.get(name)}
            for name, before in updated.before.items()
        ],
        "messages": list(updated.messages),
        "unjudged": [item.as_dict() for item in updated.unjudged],
    }


def segmenter_as_dict(trained: TrainedSegmenterRecipe, path: Path) -> dict[str, Any]:
    """Build the JSON document that `flawline train segment` prints."""
    recipe, split = trained.recipe, trained.split
    return {
        "verdict": trained.verdict.text,
        "usable": trained.verdict.usable,
        "recipe": str(path),
        "sha256": recipe.sha256,
        "part": recipe.settings.part,
        "network": dict(recipe.manifest.settings["network"]),
        "classes": [asdict(one) for one in trained.masks.classes],
        "thresholds": [asdict(one) for one in trained.chosen],
        "metrics": dict(recipe.manifest.metrics),
        "split": {
            "origin": split.origin,
            "train": [sample.name for sample in split.train],
            "validation": [sample.name for sample in split.validation],
            "test": [sample.name for sample in split.test],
        },
        "epochs": [record.as_dict() for record in trained.records],
        "messages": list(trained.messages),
    }
