"""A detector of good parts behind the protocol of models: windows scored, joined to a map, cut at a threshold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import image_score
from flawline.core.regions import ANOMALY, mask_of_map
from flawline.core.threshold import conformal_p_value
from flawline.errors import ImageError
from flawline.inspector.decision import ReasonedVerdict, decide_by_score
from flawline.inspector.model import BACKGROUND, Found, since
from flawline.inspector.parts import calibration_of, detector_of, view_of
from flawline.inspector.view import PreparedPicture
from flawline.recipe import Recipe, threshold_settings
from flawline.types import Picture, Region

UNSEEN = 0.25
"""Share of the places to look at that may lie outside the picture; turned squares lose their corners."""


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
        self.detector = detector_of(recipe, precision, threads)
        self.precision = self.detector.precision
        self.preparation = self.detector.preparation

    @property
    def heat_range(self) -> tuple[float, float] | None:
        """Span the peak of a usual good part to twice its distance to the region threshold."""
        threshold = self._recipe.settings.threshold
        if self._calibration is None or threshold is None:
            return 0.0, 1.0
        usual = float(np.median(self._calibration.peaks))
        return usual, max(threshold.region + (threshold.region - usual), usual + 1e-6)

    def find(self, picture: Picture) -> Found:
        """Score the windows of a picture and cut their map at the region threshold, where the recipe has one."""
        began = time.perf_counter()
        look = self._view.look(picture)
        if look.inside is not None and not look.inside.any():
            raise ImageError(
                "no place of the picture lies inside the region of interest",
                hint="check that the picture shows the part, and the recipe's region_of_interest and alignment",
                code="image-view",
            )
        prepared, maps, model = since(began), {}, 0.0
        for place, window in enumerate(look.windows()):
            start = time.perf_counter()
            maps[place] = self.detector(window.pixels)
            model += since(start)
        joined = look.join(maps)
        counting = joined if look.inside is None else joined[look.inside]
        if not np.isfinite(counting).all():
            raise ImageError(
                "its score is not a finite number",
                hint="look at this part by hand; the model overflows on its picture",
                code="image-score",
            )
        score, shown = image_score(joined, look.inside), look.in_picture(joined)
        class_mask, planes = self._mask(shown, look.size)
        return Found(
            class_mask,
            planes,
            shown,
            score,
            float(counting.max()),
            _lost(look),
            {"prepare": prepared, "model": model, "map": since(began) - prepared - model},
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


def _lost(look: PreparedPicture) -> str:
    """Say why a part cannot be accepted whatever its score; empty where it can."""
    if look.pose is not None and not look.pose.found:
        return look.pose.reason
    if look.unseen > UNSEEN:
        return f"{100 * look.unseen:.0f} % of the places to look at lie outside the picture"
    return ""
