"""A detector of good parts behind the protocol of models: windows scored, joined to a map, cut at a threshold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.regions import ANOMALY, mask_of_map
from flawline.core.threshold import conformal_p_value
from flawline.detectors.detector import score_cells
from flawline.inspector.decision import ReasonedVerdict, decide_by_score
from flawline.inspector.golden_sample import golden_of, marked
from flawline.inspector.map_score import check_inside, lost_reason, score_maps
from flawline.inspector.model import BACKGROUND, Found, since
from flawline.inspector.parts import calibration_of, detector_of, heat_range_of, view_of
from flawline.recipe import Recipe, threshold_settings
from flawline.types import Picture, Region


class AnomalyModel:
    """A recipe of the task "anomaly" made ready (see `flawline.inspector.model.Model`)."""

    classes = (BACKGROUND, ANOMALY)
    tells_classes = False
    merge: float | None = None
    highest_first = True
    spec_decides = False

    def __init__(self, recipe: Recipe, precision: str | None, threads: int) -> None:
        """Compile the recipe's detector; errors as for `Detector`."""
        self._recipe = recipe
        self._view = view_of(recipe)
        self._calibration = calibration_of(recipe)
        self._golden = golden_of(recipe)
        self.detector = detector_of(recipe, precision, threads)
        self._cells = score_cells(recipe.manifest.detector)
        self.precision = self.detector.precision
        self.preparation = self.detector.preparation

    @property
    def heat_range(self) -> tuple[float, float]:
        """Return the scores between which heat glows."""
        return heat_range_of(self._recipe, self._calibration)

    def find(self, picture: Picture) -> Found:
        """Score the windows of a picture and cut their map at the region threshold, where the recipe has one."""
        began = time.perf_counter()
        look = self._view.look(picture)
        check_inside(look)
        prepared, maps, model = since(began), {}, 0.0
        for place, window in enumerate(look.windows()):
            start = time.perf_counter()
            maps[place] = self.detector(window.pixels)
            model += since(start)
        scored = score_maps(look, maps, self._cells)
        shown = look.in_picture(scored.map)
        class_mask, planes = self._mask(shown, look.size)
        lost, more = lost_reason(look), tuple[ReasonedVerdict, ...]()
        if self._golden is not None:
            beside = self._golden.find(picture, look)
            if beside.regions:
                class_mask = marked(beside, class_mask)
                planes = planes or (_enlarged(shown, look.size),)
            lost, more = lost or beside.lost, (beside.decide(),)
        return Found(
            class_mask,
            planes,
            shown,
            scored.score,
            scored.peak,
            lost,
            {"prepare": prepared, "model": model, "map": since(began) - prepared - model},
            more=more,
        )

    def with_p_values(self, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        """Add the p-value of each peak among the highest map scores of held-out good parts."""
        if self._calibration is None or not regions:
            return regions
        values = conformal_p_value(self._calibration.peaks, [region.peak for region in regions])
        return tuple(
            replace(region, p_value=float(value))
            for region, value in zip(regions, values, strict=True)
        )

    def decide(
        self, score: float, p_value: float | None, regions: Sequence[Region]
    ) -> ReasonedVerdict:
        """Compare the score with the recipe's thresholds."""
        held_out = 0 if self._calibration is None else len(self._calibration.scores)
        return decide_by_score(score, threshold_settings(self._recipe), p_value, regions, held_out)

    def _mask(
        self, scores: NDArray[np.float32], size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], tuple[NDArray[np.float32], ...]]:
        """Cut the map at the region threshold: the mask, and each pixel's score, no scores where none is above."""
        threshold = self._recipe.settings.threshold
        if threshold is None or not scores.max() > threshold.region:
            return np.zeros(size, np.uint8), ()
        mask, fine = mask_of_map(scores, threshold.region, size)
        return mask, (fine,)


def _enlarged(scores: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Enlarge a map float32 (h, w) to the size of its picture."""
    return np.asarray(cv2.resize(scores, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
