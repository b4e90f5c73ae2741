"""A segmenter behind the protocol of models: the probability of each class at every pixel, cut at thresholds."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flawline.core.class_mask import class_mask_of, coarse_map
from flawline.core.view.framing import Framing
from flawline.core.view.region_of_interest import pixels_inside
from flawline.errors import ImageError
from flawline.inspector.decision import ReasonedVerdict, decide_by_class_mask
from flawline.inspector.model import BACKGROUND, Found, since
from flawline.inspector.parts import region_of
from flawline.networks.segmenter import open_segmenter
from flawline.recipe import Recipe, segmenter_settings
from flawline.types import Picture, Region


class SegmentModel:
    """A recipe of the task "segment" made ready (see `flawline.inspector.model.Model`)."""

    tells_classes = True
    highest_first = False
    spec_decides = True
    heat_range: tuple[float, float] | None = None

    def __init__(self, recipe: Recipe, precision: str | None, threads: int) -> None:
        """Compile the recipe's segmenter; errors as for `open_segmenter`."""
        self._settings, picture = segmenter_settings(recipe), recipe.settings.picture
        self._region = region_of(recipe)
        self._segmenter = open_segmenter(
            recipe.model,
            framing=Framing(picture.window, picture.resolution, picture.overlap, cell=1),
            flips=self._settings.flips,
            precision=precision or self._settings.precision,
            threads=threads,
            keep=True,
        )
        self.classes = (BACKGROUND, *self._settings.classes)
        self.merge = self._settings.merge
        self.precision = self._segmenter.network.precision
        self.preparation = self._segmenter.network.preparation

    def find(self, picture: Picture) -> Found:
        """Predict the probabilities of a picture, and the class of each pixel by the recipe's thresholds.

        The map holds the highest probability of a class of defects in blocks of 4 x 4 pixels.
        """
        began = time.perf_counter()
        probabilities = self._probabilities(picture)
        model = since(began)
        shown = coarse_map(probabilities)
        settings = self._settings
        class_mask = class_mask_of(probabilities, settings.thresholds, smallest=settings.smallest)
        score = float(shown.max())
        timings = {"model": model, "map": since(began) - model}
        return Found(
            class_mask, tuple(probabilities[1:]), shown, score, score, "", timings, probabilities
        )

    def with_p_values(self, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        """Return the regions as they are: no peaks of held-out good pictures are known."""
        return regions

    def decide(
        self, score: float, p_value: float | None, regions: Sequence[Region]
    ) -> ReasonedVerdict:
        """Reject a part with any defect."""
        return decide_by_class_mask(score, regions)

    def _probabilities(self, picture: Picture) -> NDArray[np.float32]:
        """Predict float32 (C, H, W), background first; outside the region of interest all is background."""
        probabilities = self._segmenter(picture.pixels)
        if not np.isfinite(probabilities).all():
            raise ImageError(
                "its probabilities are not finite numbers",
                hint="look at this part by hand; the model overflows on its picture",
                code="image-score",
            )
        if self._region is None:
            return probabilities
        outside = ~pixels_inside(self._region, (probabilities.shape[1], probabilities.shape[2]))
        probabilities[:, outside] = 0
        probabilities[0, outside] = 1
        return probabilities
