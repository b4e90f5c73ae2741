"""Compare segmenters by intersection over union."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flawline.jobs.evaluate.comparison_row import Row
from flawline.jobs.evaluate.evaluation import Evaluation
from flawline.jobs.evaluate.part_pixels import Figure, difference_of, iou_of, mean_iou
from flawline.jobs.evaluate.segmentation import PartPixels, Segmentation

MEAN_IOU = "mean IoU of defects"


def iou_rows(found: Sequence[Evaluation], same: bool, draws: int, seed: int) -> list[Row]:
    """Compute rows of the mean over the defect classes and of each class that occurs; none without a segmenter.

    `same` tells that all recipes judged the same pictures. Differences are drawn by part.
    """
    segmentations = [one.segmentation for one in found]
    names = list(dict.fromkeys(n for one in segmentations if one is not None for n in one.classes))
    if not names:
        return []
    if not same:
        nothing = (None,) * len(segmentations)
        why = "the recipes did not judge the same pictures"
        return [Row(MEAN_IOU, True, nothing, nothing[1:], why)]
    parts = [None if one is None else _in_order(one, names) for one in segmentations]
    counts = sum(one.counts.sum((0, 2)) for one in parts if one is not None)
    rows = [_row(MEAN_IOU, mean_iou, parts, draws, seed)]
    for place, name in enumerate(names):
        if place and counts[place]:
            rows.append(_row(f"IoU of {name}", iou_of(place), parts, draws, seed))
    return rows


def _in_order(one: Segmentation, names: Sequence[str]) -> PartPixels:
    """Count the pixels of parts with classes in a common order; classes that a recipe does not know have none."""
    places = np.array([names.index(name) for name in one.classes])
    counts = np.zeros((len(one.by_part.names), len(names), len(names)), np.int64)
    counts[:, places[:, None], places] = one.by_part.counts
    return PartPixels(one.by_part.names, counts)


def _row(
    name: str, figure: Figure, parts: Sequence[PartPixels | None], draws: int, seed: int
) -> Row:
    first = parts[0]
    values = tuple(None if one is None else figure(one.counts.sum(0)) for one in parts)
    differences = tuple(
        None
        if first is None or one is None
        else difference_of(figure, first, one, draws=draws, seed=seed)
        for one in parts[1:]
    )
    if all(differences):
        return Row(name, True, values, differences)
    reason = "only a segmenter has classes" if None in values else "too few parts for an interval"
    return Row(name, True, values, differences, reason)
