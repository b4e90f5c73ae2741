"""Score the pictures for thresholds, without their maps: those of thousands would not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flawline.core.threshold import highest_by_part
from flawline.inspector import Inspector
from flawline.jobs.train.calibration_targets import Scores
from flawline.types import EMPTY, Picture


class ScoredPicture(NamedTuple):
    """The raw score of a picture and the highest value of its map."""

    score: float
    peak: float


def measured(inspector: Inspector) -> Callable[[Picture], ScoredPicture]:
    """Return a function that scores a picture."""

    def scored(picture: Picture) -> ScoredPicture:
        found = inspector.find(picture)
        return ScoredPicture(found.score, found.peak)

    return scored


def scores_of(
    good: Mapping[str, ScoredPicture],
    bad: Mapping[str, ScoredPicture],
    parts: Mapping[str, str],
    *,
    cross_fitted: bool,
    set_aside: Mapping[str, ScoredPicture] = EMPTY,
) -> Scores:
    """Collect one score for each part from scores of pictures by name; `parts` names the part of each picture.

    Parts of pictures `set_aside` that score above all other good parts count as such: a threshold above them would
    trust that they are good.
    """

    def highest(found: Mapping[str, ScoredPicture], column: int) -> NDArray[np.float64]:
        return highest_by_part([one[column] for one in found.values()], [parts[n] for n in found])

    apart = {parts[name] for name in set_aside}
    kept = {name: scored for name, scored in good.items() if parts[name] not in apart}
    usual = highest(kept, 0).max(initial=-np.inf)
    scored = {**good, **set_aside}
    fine = highest(scored, 0)
    above = int((fine > usual).sum()) if apart and kept else 0
    return Scores(fine, highest(scored, 1), highest(bad, 0), cross_fitted, above)
