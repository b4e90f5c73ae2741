"""Hold the places of a study of growth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.bends import Joined
from flawline.core.causes.camera_step import CameraStep
from flawline.core.causes.growth import Growth, alarm_runs
from flawline.jobs.chart.row_groups import Skipped

Floats = NDArray[np.float64]
DAY = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class GrowingPlace:
    """One place: the times (N,) and areas (N,) of its labelled shots, in order, with their framings.

    `unlabelled` shots have no area and say nothing. `alarm` is the shot that first lies above `usual`, with the one
    after it. `moved` are the shots from which another framing is used. `joined` are joined straight lines through all
    labelled shots in the framing of the last one: their bends say when growth began and when it slowed. Alarms are
    looked for among the first `compared` shots, all if None.
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
    compared: int | None = None

    @property
    def alarms(self) -> list[tuple[int, int]]:
        """List first and last shot of every alarm, among the `compared` ones."""
        return alarm_runs(self.areas[: self.compared], self.usual)

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
    compared. It is used as a change of framing where it is sure. `what` is what was measured of a shot: the "area" of
    defects, or the "change" since the first shots, in percent.
    """

    places: tuple[GrowingPlace, ...]
    camera: CameraStep | None
    limit: float | None
    unit: str
    confidence: float
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    what: Literal["area", "change"] = "area"
