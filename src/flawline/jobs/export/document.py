"""Build export.json: the exported model, the steps before and after it, and its parity with the recipe."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flawline.core.anomaly_score import SHARE, scored_cells
from flawline.core.view.framing import STEP
from flawline.core.view.tiling import FEATHER, MARGIN
from flawline.detectors.detector import CELL, score_cells
from flawline.inspector import Inspector
from flawline.jobs.export.exported import Checked, Parity
from flawline.jobs.export.model_file import ExportedModel, Port, runtime_version
from flawline.recipe import Recipe, detector_settings, stated_thresholds
from flawline.version import __version__


def document_of(
    inspector: Inspector, model: ExportedModel, files: Mapping[str, Path], name: str, done: Checked
) -> dict[str, Any]:
    """Build the content of export.json; the same recipe, pictures and versions give the same document."""
    recipe = inspector.recipe
    return {
        "format": name,
        "recipe": _recipe(recipe),
        "files": {
            file: hashlib.sha256(path.read_bytes()).hexdigest() for file, path in files.items()
        },
        "model": {
            "input": {**_port(model.input), "layout": "NHWC", "colour": "RGB"},
            "output": {**_port(model.output), "layout": "NCHW", "holds": "raw scores of cells"},
            "preparation_inside": dict(recipe.manifest.backbone.preparation),
        },
        "before": _before(recipe, model),
        "after": _after(recipe, model),
        "thresholds": stated_thresholds(recipe),
        "calibration_scores": []
        if inspector.calibration is None
        else [float(score) for score in inspector.calibration.scores],
        "parity": parity_as_dict(done),
        "versions": {
            "flawline": __version__,
            "checked_with": runtime_version(name),
            "recipe_written_by": recipe.manifest.version,
        },
    }


def parity_as_dict(done: Checked) -> dict[str, Any]:
    """Build the entry on the parity of the exported model with the inspector in float32."""
    return {
        "pictures": done.pictures,
        "tolerance": done.tolerance.value,
        "tolerance_share": done.tolerance.share,
        "spread": done.tolerance.spread,
        "spread_is": done.tolerance.basis,
        "verdicts": dict(done.verdicts),
        **_parity(done.parity),
        "coarser_arithmetic": {name: _parity(one) for name, one in done.coarser.items()},
        "not_compared": [item.as_dict() for item in done.unjudged],
    }


def steps_left_out(recipe: Recipe) -> list[str]:
    """List the steps of this recipe besides scaling and cutting, as text; only Flawline does them."""
    settings = recipe.settings
    steps = []
    if settings.light.method != "none":
        steps.append(f"illumination evened out ({settings.light.method})")
    if settings.alignment.method != "none":
        steps.append(f"the part aligned ({settings.alignment.method})")
    interest = settings.region_of_interest
    if interest.polygons or interest.mask is not None:
        steps.append("cells outside the region of interest left out")
    if interest.foreground:
        steps.append("cells outside the part left out")
    return steps


def _recipe(recipe: Recipe) -> dict[str, Any]:
    backbone = recipe.manifest.backbone
    return {
        "sha256": recipe.sha256,
        "part": recipe.settings.part,
        "method": detector_settings(recipe).method,
        "backbone": {
            "name": backbone.name,
            "sha256": backbone.sha256,
            "licence": backbone.licence,
        },
        "mm_per_px": recipe.settings.picture.mm_per_px,
    }


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "type": port.type, "shape": list(port.shape)}


def _before(recipe: Recipe, model: ExportedModel) -> dict[str, Any]:
    picture, learnt = recipe.settings.picture, recipe.manifest
    return {
        "value_range": learnt.value_range and list(learnt.value_range),
        "usual_picture_size": list(learnt.picture_size),
        "not_in_the_model": steps_left_out(recipe),
        "resolution": picture.resolution,
        "window": list(picture.window),
        "overlap": picture.overlap,
        "windows_begin_at_multiples_of": STEP,
        "resize": "bilinear; area averaging where height or width shrink to half or less",
        "window_shrunk_to": list(model.input_size)
        if model.input_size != tuple(picture.window)
        else None,
    }


def _after(recipe: Recipe, model: ExportedModel) -> dict[str, Any]:
    fit = recipe.settings.picture.resolution == "fit"
    cells = score_cells(recipe.manifest.detector)
    return {
        "map_resized_to": list(model.cells) if model.output.shape[2:] != model.cells else None,
        "cell_px": CELL,
        "overlap_share_without_weight_on_either_side": MARGIN,
        "overlap_share_of_the_ramp": FEATHER,
        "score_is_mean_of_highest_share": round(SHARE * cells, 6),
        "score_is_mean_of_at_most": cells,
        "score_is_mean_of": scored_cells(math.prod(model.cells), cells) if fit else None,
    }


def _parity(one: Parity) -> dict[str, Any]:
    return {
        "compared": one.pictures,
        "largest_map_difference": _finite(one.map_largest),
        "mean_map_difference": _finite(one.map_mean),
        "largest_score_difference": _finite(one.score_largest),
        "verdicts_that_differ_within_tolerance_of_a_threshold": one.near,
        "verdicts_that_differ": list(one.different),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
