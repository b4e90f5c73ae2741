"""Turn the probabilities of a segmenter into masks to learn from, as far as held-out masks show that it has learnt.

Self-training with a limit for each class, as in Y. Zou et al., "Unsupervised Domain Adaptation for Semantic
Segmentation via Class-Balanced Self-Training", ECCV 2018, section 4. There the limits keep a share of what it predicts.
Here they are those of the highest Dice on held-out masks, so that a class that it predicts too widely or too narrowly
gets about its true area, and a class of which it has learnt nothing gets no pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.class_learning import ClassLearning, LearningCurves
from flawline.core.pixel_curves import PixelCurves
from flawline.core.pixel_threshold import ChosenThreshold, choose_thresholds
from flawline.core.segmentation_metrics import IGNORE

MARGIN = 0.1
"""Pixels whose probability is nearer to the limit of a class are unknown."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What predicted masks may say of a class of defects, by held-out masks.

    `limit` is the probability from which a pixel gets the class, None where nothing was learnt of the class.
    `precision` is the share of the held-out pixels from there on that are of the class, `recall` the share of its
    pixels among them; None without a limit. `pictures` of those held out show the class, `learning` says what was
    learnt of it, None where no picture shows it.
    """

    name: str
    limit: float | None
    precision: float | None
    recall: float | None
    pictures: int
    learning: ClassLearning | None


class TrustCurves:
    """Counts of held-out pixels by the probability of each class, summed picture by picture."""

    def __init__(self, classes: Sequence[str]) -> None:
        """Start without pictures; `classes` are the names of all classes, background first."""
        self._learning = LearningCurves(len(classes))
        self._curves = PixelCurves(classes)
        self._pictures = np.zeros(IGNORE + 1, np.int64)

    def add(self, mask: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> None:
        """Count a mask (H, W) and probabilities (C, H, W), 0 to 1; pixels with `IGNORE` do not count."""
        self._learning.add(mask, probabilities)
        self._curves.add(mask, probabilities)
        self._pictures[np.unique(mask)] += 1

    def trust(self) -> tuple[Trust, ...]:
        """Choose the limit of each class of defects by highest Dice."""
        chosen = zip(choose_thresholds(self._curves), self._learning.values()[1:], strict=True)
        return tuple(
            _trust(threshold, int(self._pictures[number]), learning)
            for number, (threshold, learning) in enumerate(chosen, start=1)
        )


def _trust(chosen: ChosenThreshold, pictures: int, learning: ClassLearning | None) -> Trust:
    if learning is None or not learning.learnt:
        return Trust(chosen.name, None, None, None, pictures, learning)
    precision, recall = chosen.precision, chosen.recall
    return Trust(chosen.name, chosen.threshold, precision, recall, pictures, learning)


def pseudo_mask(
    probabilities: NDArray[np.float32], limits: Sequence[float | None]
) -> NDArray[np.uint8]:
    """Give each pixel the most probable of the classes whose limit is reached, and background where none is.

    Pixels near a limit are unknown. Where a class has no limit there is no background either: what the segmenter does
    not see would be taught to be good.

    Args:
        probabilities: float32 (C, H, W), background first.
        limits: of each class of defects; None for a class that no pixel gets.

    Returns:
        Classes uint8 (H, W), `IGNORE` where unknown.
    """
    background = IGNORE if any(limit is None for limit in limits) else 0
    mask = np.full(probabilities.shape[1:], background, np.uint8)
    highest = np.zeros(mask.shape, np.float32)
    near = np.zeros(mask.shape, np.bool_)
    for number, limit in enumerate(limits, start=1):
        if limit is None:
            continue
        chance = probabilities[number]
        wins = (chance >= limit) & (chance > highest)
        mask[wins], highest[wins] = number, chance[wins]
        near |= np.abs(chance - limit) < MARGIN
    mask[near] = IGNORE
    return mask
