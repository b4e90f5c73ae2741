"""What each epoch of a training gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flawline.core.segmentation_metrics import ConfusionMatrix


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch, counted from 1. What was not measured or has no value is None.

    `losses` are means over the epoch's steps: "total", and each term before its weight. The rest is measured with the
    averaged weights on whole validation pictures: `validation_loss` is the mean of -log p of the true class,
    `iou` has the value of each class, `decision` the figure that training is steered by. `best` tells whether it is the
    highest so far. `seconds` were spent since the start, `seconds_left` are expected until the end.
    """

    epoch: int
    steps: int
    rate: float
    losses: Mapping[str, float]
    validation_loss: float | None
    iou: Mapping[str, float | None]
    mean_iou: float | None
    mean_dice: float | None
    accuracy: float | None
    decision: float | None
    best: bool
    seconds: float
    seconds_left: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def record_from_dict(values: Mapping[str, Any]) -> EpochRecord:
    """The inverse of `EpochRecord.as_dict`."""
    return EpochRecord(**values)


def figures_of(matrix: ConfusionMatrix, classes: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a record that a confusion matrix gives."""
    return {
        "iou": {name: one.iou for name, one in zip(classes, matrix.figures(), strict=True)},
        "mean_iou": matrix.mean("iou"),
        "mean_dice": matrix.mean("dice"),
        "accuracy": matrix.accuracy(),
    }
