"""A charted series."""

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
    """Points `first` to `last` (from 0, both included) that are judged by the same limits.

    `panels` count their points from `first`. `phase` is 1 where the limits were estimated from these very points, 2
    where they were given.
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

    `set_aside` (G,) marks points that are drawn and judged but not estimated from. `runs` is there for a run chart.
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
        """Whether no rule found a signal, and no run is unusual."""
        return not self.signals and not (self.runs and self.runs.unusual)

    @property
    def panel_names(self) -> tuple[str, ...]:
        """The rows of the chart."""
        return tuple(panel.name for panel in self.stages[0].panels)
