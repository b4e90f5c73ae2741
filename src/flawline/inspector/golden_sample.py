"""The golden sample of a recipe: what is missing or extra beside it rejects a part, whatever its score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.golden.differences import (
    STRENGTH,
    GoldenSettings,
    compare_with_golden,
    counted_regions,
)
from flawline.core.golden.reference import Golden
from flawline.core.words import counted
from flawline.errors import ImageError
from flawline.inspector.damage import damaged, naming_damage
from flawline.inspector.decision import ReasonedVerdict
from flawline.inspector.parts import part_arrays
from flawline.inspector.view import PreparedPicture
from flawline.recipe import GoldenSampleSettings, Recipe
from flawline.types import Picture, Region

GOLDEN = "golden"
"""The name of the golden sample in the manifest's settings, and the beginning of the names of its arrays."""
_TOLD = 3


@dataclass(frozen=True, slots=True, eq=False)
class GoldenFound:
    """What differs beside a golden sample: `regions` that count, the highest strength, and why it was not compared."""

    regions: tuple[Region, ...]
    score: float
    least: float
    lost: str = ""

    def decide(self) -> ReasonedVerdict:
        """Reject where something is missing or extra."""
        if self.lost:
            return ReasonedVerdict("accept", ())
        if not self.regions:
            text = f"beside the golden sample nothing is missing or extra above a strength of {self.least:.4g}"
            return ReasonedVerdict("accept", (text,))
        told = [
            f"{region.label} at x {region.box[0]} to {region.box[0] + region.box[2]}, y {region.box[1]} to "
            f"{region.box[1] + region.box[3]} px, strength {region.measures[STRENGTH]:.4g}"
            for region in self.regions[:_TOLD]
        ]
        more = len(self.regions) - _TOLD
        told += [f"and {counted(more, 'more place')}"] if more > 0 else []
        text = f"beside the golden sample (counted above {self.least:.4g}): {'; '.join(told)}"
        return ReasonedVerdict("reject", (text,))


@dataclass(frozen=True, slots=True, eq=False)
class GoldenSample:
    """A golden sample and how pictures are compared with it."""

    golden: Golden
    settings: GoldenSettings

    def find(self, picture: Picture, look: PreparedPicture | None = None) -> GoldenFound:
        """Compare a picture; regions whose middle `look` leaves out do not count."""
        least = self.settings.least
        try:
            found = compare_with_golden(self.golden, picture.pixels, self.settings)
        except ImageError as error:
            return GoldenFound((), 0.0, least, error.message)
        regions = found.regions
        if look is not None and regions:
            middles = np.array([_middle(region) for region in regions])
            regions = tuple(
                region
                for region, there in zip(regions, look.counts_at(middles), strict=True)
                if there
            )
        score = max((region.measures[STRENGTH] for region in regions), default=0.0)
        return GoldenFound(counted_regions(regions, least), score, least)


@naming_damage()
def golden_of(recipe: Recipe) -> GoldenSample | None:
    """Read the golden sample of a recipe; None where it has none."""
    kept, settings = recipe.manifest.settings.get(GOLDEN), recipe.settings.golden
    if settings is None:
        return None
    if not isinstance(kept, Mapping):
        raise damaged("the golden sample of [golden] is not there")
    golden = Golden.from_arrays(kept, part_arrays(recipe.arrays, GOLDEN))
    return GoldenSample(golden, core_settings(settings))


def core_settings(settings: GoldenSampleSettings) -> GoldenSettings:
    """Convert the section of recipe.toml."""
    return GoldenSettings(
        slack=settings.slack,
        contrast=settings.contrast,
        least=settings.least,
        material=settings.material,
    )


def _middle(region: Region) -> tuple[float, float]:
    left, top, width, height = region.box
    return left + width / 2, top + height / 2


def marked(found: GoldenFound, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add the regions that count to a mask uint8 (h, w) of anomalies."""
    from flawline.core.golden.differences import class_mask

    size: Any = mask.shape
    return np.maximum(mask, np.minimum(class_mask(found.regions, size), 1))
