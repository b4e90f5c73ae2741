"""A recipe's segmenter: the probability of each class at every pixel, and what is marked by them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.marking import coarse_map, marked_classes
from flawline.core.view.framing import Framing
from flawline.core.view.region_of_interest import RegionOfInterest, pixels_inside
from flawline.errors import ImageError
from flawline.networks.compiling import Compiling
from flawline.networks.segmenter import ready_segmenter
from flawline.recipe import Recipe
from flawline.types import Picture


class Segmenting:
    """A recipe of the task "segment" made ready; calls are safe from several threads."""

    def __init__(self, recipe: Recipe, network: Compiling, region: RegionOfInterest | None) -> None:
        """Take over the recipe's network; errors as for `open_segmenter`."""
        settings, picture = recipe.settings.segmenter, recipe.settings.picture
        assert settings is not None
        self._settings, self._region = settings, region
        self._segmenter = ready_segmenter(
            network,
            Framing(picture.window, picture.resolution, picture.overlap, cell=1),
            flips=settings.flips,
        )
        self.precision = self._segmenter.network.precision
        self.preparation = self._segmenter.network.preparation

    def probabilities(self, picture: Picture) -> NDArray[np.float32]:
        """float32 (C, H, W), background first; outside the region of interest all is background.

        Raises:
            ImageError: ("image-score") the network overflows on the picture.
        """
        shares = self._segmenter(picture.pixels)
        if not np.isfinite(shares).all():
            raise ImageError(
                "its probabilities are not finite numbers",
                hint="look at this part by hand; the model overflows on its picture",
                code="image-score",
            )
        if self._region is None:
            return shares
        outside = ~pixels_inside(self._region, (shares.shape[1], shares.shape[2]))
        shares[:, outside] = 0
        shares[0, outside] = 1
        return shares

    def map(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """The highest probability of a class of defects in blocks of 4 x 4 pixels."""
        return coarse_map(shares)

    def marked(self, shares: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The class of each pixel by the recipe's thresholds, uint8 (H, W)."""
        return marked_classes(shares, self._settings.thresholds, smallest=self._settings.smallest)
