"""Settings of an audit of labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flawline.errors import UsageError
from flawline.jobs.train.audit.label_quality import TEMPERATURE
from flawline.jobs.train.segment.segment_settings import Augmentation, SegmentSettings

# An audit needs probabilities that tell how sure a segmenter is; class weights make it too sure of rare classes.
TRAINING = SegmentSettings(
    loss="cross-entropy+dice", encoder_rate=1.0, augmentation=Augmentation(rotation=180), epochs=20
)


@dataclass(frozen=True, slots=True)
class RegionLimits:
    """Limits of a suspicious region.

    It has at least `smallest` pixels, and somewhere the mean quality of a few pixels is at most `quality`, 0 to 1: a
    higher limit finds more and is wrong more often. A region within `border` pixels of the same class is an error of
    its border.
    """

    smallest: int = 20
    border: int = 8
    quality: float = 0.02

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.smallest < 1 or self.border < 0 or not 0 < self.quality <= 0.5:
            raise UsageError(
                "expected regions of at least 1 px, a border of 0 px or more and a quality above 0 and up to 0.5, "
                f"got {self.smallest}, {self.border} and {self.quality}",
                hint="leave them out for the usual values",
            )


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Settings of an audit of labels.

    Each of `folds` segmenters learns from the pictures outside its fold as `training` says; `training.minutes` are
    those of all folds together. `temperature` is that of `flawline.jobs.train.audit.label_quality.softmin`.
    """

    folds: int = 4
    training: SegmentSettings = TRAINING
    limits: RegionLimits = field(default_factory=RegionLimits)
    temperature: float = TEMPERATURE

    def __post_init__(self) -> None:
        """Refuse values out of range before any picture is read."""
        if not 2 <= self.folds <= 100:
            raise UsageError(f"expected 2 to 100 folds, got {self.folds}", hint="4 is usual")
        if not self.temperature > 0:
            raise UsageError(f"expected a temperature above 0, got {self.temperature}")

    @property
    def of_fold(self) -> SegmentSettings:
        """Return the settings of one segmenter: those of training, with its part of the minutes."""
        minutes = self.training.minutes
        return replace(self.training, minutes=minutes and minutes / self.folds)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "folds": self.folds,
            **asdict(self.limits),
            "temperature": self.temperature,
            "training": self.training.as_dict(),
        }
