"""What the demo found, step by step, and its sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.core.words import counted
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import finding
from flawline.jobs.rank.ranking import RankedPicture, Ranking, RankingRecall, recall
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.jobs.train.training_verdict import training_verdict


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """One part of the second lot: what it is, how it was judged, the places found and the `largest` area, px2."""

    image: str
    bad: bool
    verdict: str
    score: float
    reasons: tuple[str, ...]
    places: int
    largest: float


@dataclass(frozen=True, slots=True)
class LatePart:
    """A bad part that ranks after sound ones: its place, with reasons, and the sound part before all others."""

    picture: RankedPicture
    before: int
    first: RankedPicture


@dataclass(frozen=True, slots=True)
class Story:
    """The steps of the demo.

    `limit` is the score above which a part is rejected, `drift_from` the part of the line, from 1, at which its lens
    begins to get dirty and
    `line_stopped` the first of its parts that was not accepted; `unjudged` counts pictures that no step could judge.
    """

    ranking: Ranking
    late: tuple[LatePart, ...]
    training: AnomalyTraining
    parts: tuple[JudgedPart, ...]
    limit: float
    chart: ControlChart
    drift_from: int
    line_stopped: int | None
    unjudged: int
    folder: Path

    @property
    def page(self) -> Path:
        """Return the page that tells the story."""
        return self.folder / "report.html"

    @property
    def found(self) -> RankingRecall | None:
        """Tell how early the ranking has the bad parts; None where the lot has none."""
        return recall(self.ranking)

    @property
    def missed(self) -> tuple[JudgedPart, ...]:
        """List the bad parts of the second lot that were accepted."""
        return tuple(part for part in self.parts if part.bad and part.verdict == "accept")

    @property
    def false_alarms(self) -> tuple[JudgedPart, ...]:
        """List the sound parts of the second lot that were not accepted."""
        return tuple(part for part in self.parts if not part.bad and part.verdict != "accept")

    @property
    def first_signal(self) -> int | None:
        """Return the part of the line, from 1, at which the chart gave its first signal; None without one."""
        return min((signal.triggered + 1 for signal in self.chart.signals), default=None)

    @property
    def sentence(self) -> str:
        """Summarise the demo, misses and false alarms first."""
        bad = sum(part.bad for part in self.parts)
        good = len(self.parts) - bad
        text = (
            f"Missed {len(self.missed)} of {counted(bad, 'bad part')} and stopped {len(self.false_alarms)} of "
            f"{counted(good, 'good part')} in a second lot of {len(self.parts)} that it had never seen"
        )
        return f"{text}; {self.ranked}; {self.drift}."

    @property
    def ranked(self) -> str:
        """Summarise the ranking of the first lot."""
        found = self.found
        if found is None:
            return f"{counted(len(self.ranking.pictures), 'unlabelled part')} ranked"
        near, bad = found.defective + 1, counted(found.defective, "bad part")
        return f"{found.found[near - 1]} of {bad} came within the top {near} without labels"

    @property
    def drift(self) -> str:
        """Say when the control chart caught the dirt."""
        at, dirt = (
            self.first_signal,
            f"the dirt that grows on the lens from part {self.drift_from} on",
        )
        if at is None:
            return f"the control chart did not catch {dirt}"
        if at < self.drift_from:
            return f"the control chart gave a false alarm at part {at}, before {dirt}"
        return f"the control chart caught {dirt} at part {at}"

    @property
    def verdict(self) -> str:
        """Give the verdict on the recipe, as training gives it."""
        return training_verdict(self.training).text

    def as_dict(self) -> dict[str, Any]:
        """Build the part of the JSON document that sums up the demo; the same demo gives the same."""
        bad = sum(part.bad for part in self.parts)
        return {
            "sentence": self.sentence,
            "second_lot": {
                "bad": bad,
                "good": len(self.parts) - bad,
                "escapes": len(self.missed),
                "overkill": len(self.false_alarms),
                "missed": [part.image for part in self.missed],
                "false_alarms": [part.image for part in self.false_alarms],
            },
            "recipe": {"verdict": self.verdict},
            "chart": {
                "finding": finding(self.chart),
                "drift_from": self.drift_from,
                "first_signal": self.first_signal,
            },
        }
