"""The set-up that was chosen for a detector, and what was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flawline.core.words import counted
from flawline.jobs.train.calibration_targets import OVERKILL
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.effort import Search
from flawline.jobs.train.setup.trial import Trial


@dataclass(frozen=True, slots=True, eq=False)
class SetUp:
    """The chosen set-up.

    `trials` are all that was tried, `chosen` among them; `known` and `drawn` count the bad parts that decided. With no
    trial, `reason` says why. `by_picture` is True where `good` counts pictures that were judged each by itself.
    """

    search: Search
    chosen: Candidate
    trials: tuple[Trial, ...] = ()
    known: int = 0
    drawn: int = 0
    good: int = 0
    overkill: float = OVERKILL
    reason: str = ""
    by_picture: bool = False

    @property
    def judged_by(self) -> str:
        """Say what decided."""
        kinds = []
        if self.known:
            kinds.append(counted(self.known, "known bad part"))
        if self.drawn:
            kinds.append(counted(self.drawn, "drawn defect"))
        unit = "good picture" if self.by_picture else "good part"
        return f"{' and '.join(kinds)} against {counted(self.good, unit)}"

    @property
    def sentence(self) -> str:
        """Say in one sentence what was chosen and by what; empty where nothing was left to choose."""
        if not self.trials:
            if not self.reason:
                return ""
            return f"set-up as usual ({self.chosen.text}): {self.reason}"
        tried = sum(trial.scores is not None for trial in self.trials)
        return f"set-up chosen among {counted(tried, 'candidate')}: {self.chosen.text}, by {self.judged_by}"

    def as_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return {
            "effort": self.search.effort,
            "free": list(self.search.free),
            "chosen": self.chosen.as_dict(),
            "judged_by": {"good": self.good, "known_bad": self.known, "drawn": self.drawn},
            "overkill": self.overkill,
            "tried": [trial.as_dict(self.overkill) for trial in self.trials],
            "reason": self.reason or self.sentence,
        }
