"""Figures of an evaluation for segmenters only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import Share
from flawline.core.pixel_threshold import ChosenThreshold
from flawline.core.pod import Pod
from flawline.core.segmentation_metrics import ClassFigures


@dataclass(frozen=True, slots=True)
class Estimated:
    """A metric over pictures; `interval` (95 %) comes from drawing parts, None where there are too few to draw from."""

    value: float
    interval: tuple[float, float] | None
    pictures: int
    parts: int


@dataclass(frozen=True, slots=True)
class RegionRecall:
    """Regions of masks that a reported region overlaps, and parts with at least one such region.

    The interval of `regions` takes them as independent, which regions of one part are not quite; that of `parts` does
    not.
    """

    name: str
    regions: Share
    parts: Share


@dataclass(frozen=True, slots=True)
class DefectClass:
    """One class of defects.

    `threshold` is that of the recipe. `found` counts regions with any class predicted on one of their pixels, `named`
    those with their own class on one; None where the class does not occur. `by_size` is `named` by area.
    `false_regions` are predicted regions of the class that touch no true one. `pod` is the probability of being named
    against the square root of the area, in `Segmentation.unit`: another class on a defect may be there by chance.
    """

    name: str
    threshold: float
    figures: ClassFigures
    found: RegionRecall | None
    named: RegionRecall | None
    by_size: tuple[RegionRecall, ...]
    false_regions: int
    pod: Pod | None


@dataclass(frozen=True, slots=True)
class RecallTarget:
    """Escape and overkill with thresholds that reach a target `recall` of pixels on the evaluated pictures.

    `chosen` are the thresholds of the classes of defects. A part counts as rejected where a pixel of it reaches one;
    sizes and specification are ignored. `escape` is None where no part is bad, `overkill` where none is good.
    """

    recall: float
    chosen: tuple[ChosenThreshold, ...]
    escape: Share | None
    overkill: Share | None


@dataclass(frozen=True, slots=True, eq=False)
class PartPixels:
    """Pixels of parts: their names, and int64 (P, C, C) by part, true class and predicted class."""

    names: tuple[str, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Predicted classes compared with class masks.

    `counts` are pixels, a row for each true class (background first) and a column for each predicted one;
    `by_true_class` divides each row by its sum, None for a class that does not occur. Means are over the classes of
    defects. `unmarked` are parts with a defect and no predicted one, `marked_good` parts without a defect but with a
    predicted one, whatever the verdict; over `pictures` with a mask, of `parts`. `unit` is "mm" or "px".
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    by_true_class: tuple[tuple[float, ...] | None, ...]
    accuracy: float | None
    background: ClassFigures
    defects: tuple[DefectClass, ...]
    mean_iou: Estimated | None
    mean_dice: float | None
    unmarked: Share | None
    marked_good: Share | None
    pictures: int
    parts: int
    unit: str
    targets: tuple[RecallTarget, ...]
    by_part: PartPixels
