"""Build the parts of an inspector from the content of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flawline.core.scale import Scale
from flawline.core.view.alignment import Alignment
from flawline.core.view.foreground import Foreground
from flawline.core.view.framing import Framing
from flawline.core.view.illumination import Illumination
from flawline.core.view.region_of_interest import RegionOfInterest, from_mask, from_polygons
from flawline.data.image import read_image
from flawline.detectors.detector import Detector, DetectorState, detector_backbone
from flawline.errors import ImageError
from flawline.inspector.damage import damaged, naming_damage
from flawline.inspector.view import View
from flawline.recipe import Recipe, detector_settings

Arrays = Mapping[str, NDArray[Any]]
Kept = TypeVar("Kept", Illumination, Alignment, Foreground)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Raw scores and highest map scores of held-out good parts, float64 (n,), rising, one of each per part."""

    scores: NDArray[np.float64]
    peaks: NDArray[np.float64]


@naming_damage()
def calibration_of(recipe: Recipe) -> Calibration | None:
    """Read the calibration of a recipe; None where nothing was held out."""
    found = part_arrays(recipe.arrays, "calibration")
    if not found:
        return None
    for name in ("scores", "peaks"):
        if found[name].ndim != 1 or not len(found[name]) or np.any(np.diff(found[name]) < 0):
            raise ValueError(f"calibration_{name} are no rising numbers")
    if len(found["scores"]) != len(found["peaks"]):
        raise ValueError("calibration_scores and calibration_peaks are of different lengths")
    return Calibration(found["scores"], found["peaks"])


def heat_range_of(recipe: Recipe, calibration: Calibration | None) -> tuple[float, float]:
    """Span the peak of a usual good part to twice its distance to the region threshold, for the heat of a detector."""
    threshold = recipe.settings.threshold
    if calibration is None or threshold is None:
        return 0.0, 1.0
    usual = float(np.median(calibration.peaks))
    return usual, max(threshold.region + (threshold.region - usual), usual + 1e-6)


@naming_damage()
def view_of(recipe: Recipe) -> View:
    """Build the view of a detector's recipe."""
    picture, learnt = recipe.settings.picture, recipe.manifest.settings

    def restored(part: str, kind: type[Kept]) -> Kept | None:
        if part not in learnt:
            return None
        return kind.from_arrays(learnt[part], part_arrays(recipe.arrays, part))

    return View(
        Framing(picture.window, picture.resolution, picture.overlap),
        light=restored("light", Illumination),
        alignment=restored("alignment", Alignment),
        region=region_of(recipe),
        foreground=restored("foreground", Foreground)
        if recipe.settings.region_of_interest.foreground
        else None,
    )


@naming_damage()
def region_of(recipe: Recipe) -> RegionOfInterest | None:
    """Read the region of interest, polygons or a mask; None where it is the whole picture."""
    interest = recipe.settings.region_of_interest
    if interest.mask is not None:
        try:
            return from_mask(read_image(recipe.files[interest.mask]).pixels)
        except ImageError as error:
            raise damaged(f"{interest.mask}: {error.message}") from error
    if interest.polygons:
        size = (interest.size or recipe.manifest.picture_size) if interest.unit == "px" else None
        return from_polygons(interest.polygons, size)
    return None


def scale_of(recipe: Recipe) -> Scale | None:
    """Read the scale of the pictures; None where the recipe states none."""
    picture = recipe.settings.picture
    if picture.mm_per_px is None:
        return None
    return Scale(picture.mm_per_px, picture.mm_per_px_u or 0.0)


@naming_damage()
def detector_of(recipe: Recipe, precision: str | None = None, threads: int = 0) -> Detector:
    """Build the detector of a recipe; compiled networks are cached for the next start."""
    state, window = detector_state(recipe), recipe.settings.picture.window
    chosen = precision or detector_settings(recipe).precision
    backbone = detector_backbone(state.method, recipe.model, window=window, precision=chosen)
    return Detector(state, backbone, window=window, threads=threads, keep=True)


def detector_state(recipe: Recipe) -> DetectorState:
    """Read the state of a recipe's detector."""
    arrays = part_arrays(recipe.arrays, "detector")
    for name, array in arrays.items():
        if array.dtype == bool:
            raise damaged(f"arrays/detector_{name}.npy holds no numbers")
    return DetectorState(detector_settings(recipe).method, recipe.manifest.detector, arrays)


def part_arrays(arrays: Arrays, part: str) -> dict[str, NDArray[Any]]:
    """Select the arrays of one part of a recipe, by their names within it."""
    prefix = f"{part}_"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def joined_arrays(**parts: Arrays) -> dict[str, NDArray[Any]]:
    """Join the arrays of several parts; the inverse of `part_arrays`."""
    return {f"{part}_{name}": array for part, own in parts.items() for name, array in own.items()}
