"""Compare the class masks of a segmenter with the true ones, picture by picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import Share
from flawline.core.pixel_threshold import ChosenThreshold, PixelCurves, choose_thresholds
from flawline.core.pod import Pod, fit_pod
from flawline.core.segmentation_metrics import ConfusionMatrix, Detection
from flawline.jobs.evaluate import figures
from flawline.jobs.evaluate.evaluation import Defect, JudgedPicture
from flawline.jobs.evaluate.part_pixels import interval_of, mean_iou
from flawline.jobs.evaluate.segmentation import (
    DefectClass,
    Estimated,
    PartPixels,
    RecallTarget,
    Segmentation,
)
from flawline.recipe import segmenter_settings

if TYPE_CHECKING:
    from flawline.inspector import Inspector

TARGETS = tuple(k / 20 for k in range(1, 21))


class SegmentationCounter:
    """Counts the pixels of predicted classes; memory grows with parts, not with their pixels."""

    def __init__(self, inspector: Inspector) -> None:
        """Start without pictures."""
        self._inspector = inspector
        self._classes = tuple(inspector.classes)
        self._detection = Detection(self._classes)
        self._curves = PixelCurves(self._classes)
        self._parts: dict[str, NDArray[np.int64]] = {}
        self._peaks: dict[str, NDArray[np.float32]] = {}
        self._pictures = 0

    def add_peaks(self, part: str, probabilities: NDArray[np.float32]) -> None:
        """Add the highest probabilities of a picture of a part, with a mask or without."""
        peaks = probabilities[1:].max((1, 2))
        self._peaks[part] = np.maximum(self._peaks.get(part, peaks), peaks)

    def add(
        self,
        part: str,
        truth: NDArray[np.uint8],
        predicted: NDArray[np.uint8],
        probabilities: NDArray[np.float32],
    ) -> None:
        """Count one picture of a part with its class mask."""
        matrix = ConfusionMatrix(len(self._classes))
        matrix.add(truth, predicted)
        self._parts[part] = self._parts.get(part, 0) + matrix.counts
        self._detection.add(truth, predicted, part)
        self._curves.add(truth, probabilities)
        self._pictures += 1

    def done(self, pictures: Sequence[JudgedPicture], *, seed: int) -> Segmentation | None:
        """Return the figures, given the judged pictures; None where no picture has a mask."""
        if not self._parts:
            return None
        by_part = PartPixels(tuple(self._parts), np.stack(list(self._parts.values())))
        matrix = ConfusionMatrix.of(by_part.counts.sum(0))
        scale = self._inspector.recipe.settings.picture.mm_per_px
        of_classes = matrix.figures()
        false = self._detection.false_regions()
        settings = segmenter_settings(self._inspector.recipe)
        return Segmentation(
            classes=self._classes,
            counts=tuple(map(tuple, matrix.counts.tolist())),
            by_true_class=matrix.by_true_class(),
            accuracy=matrix.accuracy(),
            background=of_classes[0],
            defects=tuple(
                DefectClass(
                    name,
                    threshold,
                    own,
                    figures.recall_all(pictures, name),
                    figures.recall_all(pictures, name, named=True),
                    figures.recalls_by_size(pictures, name, named=True),
                    false[name],
                    _pod(pictures, name, scale),
                )
                for name, threshold, own in zip(
                    self._classes[1:], settings.thresholds, of_classes[1:], strict=True
                )
            ),
            mean_iou=self._mean_iou(by_part, len(pictures), seed),
            mean_dice=matrix.mean("dice"),
            unmarked=self._detection.escapes(),
            marked_good=self._detection.overkill(),
            pictures=self._pictures,
            parts=len(self._parts),
            unit="px" if scale is None else "mm",
            targets=self._targets(pictures),
            by_part=by_part,
        )

    def _mean_iou(self, by_part: PartPixels, pictures: int, seed: int) -> Estimated | None:
        if not by_part.counts[:, 1:].any():
            return None
        drawn = interval_of(mean_iou, by_part, draws=figures.draws_for(pictures), seed=seed)
        value = mean_iou(by_part.counts.sum(0))
        interval = (drawn.low, drawn.high) if drawn is not None else None
        return Estimated(value, interval, self._pictures, len(by_part.names))

    def _targets(self, pictures: Sequence[JudgedPicture]) -> tuple[RecallTarget, ...]:
        """Compute escape and overkill at each target recall; empty where no class has a pixel."""
        if not any(self._curves.pixels(name) for name in self._classes[1:]):
            return ()
        parts = figures.parts_of(pictures)
        bad = np.array([part.defective for part in parts], bool)
        peaks = np.stack([self._peaks[part.name] for part in parts])
        return tuple(
            _target(recall, choose_thresholds(self._curves, target_recall=recall), bad, peaks)
            for recall in TARGETS
        )


def _target(
    recall: float,
    chosen: tuple[ChosenThreshold, ...],
    bad: NDArray[np.bool_],
    peaks: NDArray[np.float32],
) -> RecallTarget:
    # A class without a pixel has no threshold that could reach a recall.
    known = [place for place, one in enumerate(chosen) if one.rule != "none"]
    cuts = np.array([chosen[place].threshold for place in known], np.float32)
    rejected = np.any(peaks[:, known] >= cuts, axis=1)
    return RecallTarget(
        recall,
        chosen,
        Share(int((~rejected[bad]).sum()), int(bad.sum())) if bad.any() else None,
        Share(int(rejected[~bad].sum()), int((~bad).sum())) if not bad.all() else None,
    )


def _pod(pictures: Sequence[JudgedPicture], name: str, mm_per_px: float | None) -> Pod | None:
    own: list[Defect] = [
        defect for picture in pictures for defect in picture.defects or () if defect.label == name
    ]
    if not own:
        return None
    sides = np.sqrt([defect.area for defect in own]) * (mm_per_px or 1.0)
    return fit_pod(sides, [bool(defect.named) for defect in own])
