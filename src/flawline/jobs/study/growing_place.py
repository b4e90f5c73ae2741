"""Hold the places of a study of growth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.bends import Joined
from flawline.core.causes.camera_step import CameraStep
from flawline.core.causes.growth import Growth
from flawline.jobs.chart.row_groups import Skipped

Floats = NDArray[np.float64]
DAY = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class GrowingPlace:
    """One place: the times (N,) and areas (N,) of its labelled shots, in order, with their framings.

    `unlabelled` shots have no area and say nothing. `alarm` is the shot that first lies above `usual`, with the one
    after it. `moved` are the shots from which another framing is used. `joined` are joined straight lines through all
    labelled shots in the framing of the last one: their bends say when growth began and when it slowed.
    """

    name: str
    times: tuple[datetime, ...]
    areas: Floats
    framing: NDArray[np.int64]
    shots: int
    unlabelled: int
    alarm: int | None
    usual: float
    moved: tuple[int, ...]
    growth: Growth | None
    joined: Joined | None = None

    @property
    def days(self) -> Floats:
        """Return the times in days since the first labelled shot."""
        return np.array([(time - self.times[0]).total_seconds() / DAY for time in self.times])

    @property
    def epoch(self) -> Floats:
        """Return the times in days on a clock that all places share."""
        return np.array([time.timestamp() / DAY for time in self.times])


@dataclass(frozen=True, slots=True, eq=False)
class GrowthStudy:
    """All places, those that grow fastest first, then the others, then the unlabelled ones.

    `camera` is the clearest step of all places at once, None where a column gives the framing or too few places can be
    compared. It is used as a change of framing where it is sure.
    """

    places: tuple[GrowingPlace, ...]
    camera: CameraStep | None
    limit: float | None
    unit: str
    confidence: float
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
