"""Records of the epochs of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flawline.core.segmentation_metrics import ConfusionMatrix


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch, counted from 1. Values that were not measured or do not exist are None.

    `losses` are means over the steps of the epoch: "total", and each term before its weight. The rest is measured with
    the averaged weights on whole validation pictures: `validation_loss` is the mean of -log p of the true class, `iou`
    the value of each class, `decision` the metric that the best epoch is chosen by. `best` tells whether it is the
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
        """Return plain values for JSON."""
        return asdict(self)


def record_from_dict(values: Mapping[str, Any]) -> EpochRecord:
    """Restore a record from `EpochRecord.as_dict`."""
    return EpochRecord(**values)


def figures_of(matrix: ConfusionMatrix, classes: tuple[str, ...]) -> dict[str, Any]:
    """Compute the fields of a record from a confusion matrix."""
    return {
        "iou": {name: one.iou for name, one in zip(classes, matrix.figures(), strict=True)},
        "mean_iou": matrix.mean("iou"),
        "mean_dice": matrix.mean("dice"),
        "accuracy": matrix.accuracy(),
    }
