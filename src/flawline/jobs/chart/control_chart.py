"""A control chart: stages, limits and signals of a series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import Rule
from flawline.core.spc.run_chart import MedianRuns
from flawline.core.spc.signals import Signal
from flawline.jobs.chart.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Points `first` to `last` (from 0, both included) judged by the same limits.

    `panels` count their points from `first`. `phase` is 1 if the limits were estimated from these points, 2
    if they were given.
    """

    name: str
    first: int
    last: int
    limits: ControlLimits
    phase: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ControlChart:
    """A series on a control chart.

    `set_aside` (G,) is True for points that are judged but left out of the estimate. Only a run chart has `runs`.
    """

    series: Series
    kind: str
    rules: tuple[Rule, ...]
    stages: tuple[Stage, ...]
    signals: tuple[Signal, ...]
    set_aside: NDArray[np.bool_]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    runs: MedianRuns | None = None

    @property
    def in_control(self) -> bool:
        """True if there is no signal and no unusual run."""
        return not self.signals and not (self.runs and self.runs.unusual)

    @property
    def panel_names(self) -> tuple[str, ...]:
        """Names of the panels."""
        return tuple(panel.name for panel in self.stages[0].panels)
