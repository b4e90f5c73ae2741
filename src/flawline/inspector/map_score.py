"""From the maps of the windows of a prepared picture to its score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import image_score
from flawline.errors import ImageError
from flawline.inspector.view import PreparedPicture

UNSEEN = 0.25
"""Share of the places to look at that may lie outside the picture; turned squares lose their corners."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredMap:
    """A `map` of an aligned picture, float32 (h, w), its raw `score` and the highest value inside, its `peak`."""

    map: NDArray[np.float32]
    score: float
    peak: float


def check_inside(look: PreparedPicture) -> None:
    """Refuse a picture of which nothing is to be looked at; raises ImageError ("image-view")."""
    if look.inside is not None and not look.inside.any():
        raise ImageError(
            "no place of the picture lies inside the region of interest",
            hint="check that the picture shows the part, and the recipe's region_of_interest and alignment",
            code="image-view",
        )


def score_maps(
    look: PreparedPicture, maps: Mapping[int, NDArray[np.float32]], cells: int
) -> ScoredMap:
    """Join the maps of the windows, in their order, and score the picture by the highest `cells` that count.

    Raises:
        ImageError: ("image-score") a score is not a finite number.
    """
    joined = look.join(maps)
    counting = joined if look.inside is None else joined[look.inside]
    if not np.isfinite(counting).all():
        raise ImageError(
            "its score is not a finite number",
            hint="look at this part by hand; the model overflows on its picture",
            code="image-score",
        )
    return ScoredMap(joined, image_score(joined, look.inside, cells), float(counting.max()))


def lost_reason(look: PreparedPicture) -> str:
    """Say why a part cannot be accepted whatever its score; empty where it can."""
    if look.pose is not None and not look.pose.found:
        return look.pose.reason
    if look.unseen > UNSEEN:
        return f"{100 * look.unseen:.0f} % of the places to look at lie outside the picture"
    return ""
