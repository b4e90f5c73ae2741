"""A candidate for the set-up of a detector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from flawline.detectors.registry import METHODS
from flawline.jobs.train.anomaly_settings import AnomalySettings

_ALIGNMENTS: Mapping[str, float] = {"none": 0, "shift": 1, "polar": 2, "rigid": 2}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One choice of all settings that may be chosen; `window` is (height, width), px."""

    alignment: str
    light: str
    foreground: bool
    window: tuple[int, int]
    method: str

    @classmethod
    def of(cls, settings: AnomalySettings) -> Candidate:
        """Read the choice that settings hold."""
        view = settings.view
        return cls(view.alignment, view.light, view.region.foreground, view.window, settings.method)

    def applied(self, settings: AnomalySettings) -> AnomalySettings:
        """Put the choice into settings."""
        view = replace(
            settings.view,
            alignment=cast(Any, self.alignment),
            light=cast(Any, self.light),
            region=replace(settings.view.region, foreground=self.foreground),
            window=self.window,
        )
        return replace(settings, view=view, method=self.method)

    @property
    def complexity(self) -> float:
        """How much there is to it: what inspection has to do, and what can go wrong in a line."""
        return (
            _ALIGNMENTS[self.alignment]
            + (self.light != "none")
            + self.foreground
            + math.log2(self.window[0] * self.window[1])
            + list(METHODS).index(self.method)
        )

    @property
    def text(self) -> str:
        """Name it in a few words."""
        height, width = self.window
        words = [self.method, f"{width} x {height} px"]
        words += [f"aligned ({self.alignment})"] if self.alignment != "none" else []
        words += [f"light evened ({self.light})"] if self.light != "none" else []
        words += ["foreground"] if self.foreground else []
        return ", ".join(words)

    def as_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return {**asdict(self), "window": list(self.window)}
