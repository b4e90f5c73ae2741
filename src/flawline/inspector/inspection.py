"""What was found in one picture and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flawline.types import EMPTY, Region, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What was found in one picture and what was decided.

    `score` is raw and unclamped. `p_value` is the share of good parts that score as high, by the held-out good
    pictures, None where there are none. `map` is float32 (h, w) of raw scores over the whole picture, at most as fine
    as it; NaN-free, with the lowest score of the map outside the region of interest. `recipe` is the recipe's hash,
    `sha256` that of the picture file, `timings` milliseconds by stage. `marked` is uint8 (H, W), the class of each
    pixel of the picture, 0 where there is no defect, None where nothing was measured; `measures` are those of the
    whole part by the names of its table, and `spec` the hash of the specification that it was judged by, empty where
    there is none.
    """

    image: str
    sha256: str
    size: tuple[int, int]
    score: float
    p_value: float | None
    verdict: Verdict
    reasons: tuple[str, ...]
    regions: tuple[Region, ...]
    map: NDArray[np.float32]
    recipe: str
    timings: Mapping[str, float]
    marked: NDArray[np.uint8] | None = None
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    spec: str = ""
