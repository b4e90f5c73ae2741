"""Two masks of one picture: how well they agree, and what joins them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import ConfusionMatrix

Mask = NDArray[np.uint8]
Join = Literal["both", "common"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well two masks agree.

    `iou` is that of all defects whatever their class, 0 to 1, and 1 where neither mask has a defect; `by_class` gives
    that of each class of defects, None where neither mask has it. `one`, `other` and `both` count the pixels that are
    a defect in the first mask alone, in the second alone, and in both; `renamed` those of `both` whose classes differ.
    """

    iou: float
    by_class: tuple[float | None, ...]
    one: int
    other: int
    both: int
    renamed: int

    @property
    def least(self) -> float:
        """The lowest IoU of any class, that of all defects among them."""
        return min([self.iou, *(value for value in self.by_class if value is not None)])


def agreement(one: Mask, other: Mask, classes: int) -> Agreement:
    """Compare two masks uint8 (H, W) of `classes` classes, background first, by intersection over union (Jaccard).

    Raises:
        ValueError: the sizes differ, or a value is no class.
    """
    table = ConfusionMatrix(max(2, classes))
    table.add(one, other)
    counts = table.counts
    both = int(counts[1:, 1:].sum())
    first, second = int(counts[1:, 0].sum()), int(counts[0, 1:].sum())
    union = both + first + second
    return Agreement(
        iou=both / union if union else 1.0,
        by_class=tuple(figure.iou for figure in table.figures()[1:]),
        one=first,
        other=second,
        both=both,
        renamed=both - int(np.trace(counts[1:, 1:])),
    )


def join_masks(mine: Mask, theirs: Mask, how: Join) -> Mask:
    """Join two masks uint8 (H, W) of one picture.

    "both" takes what either has, and the class of `mine` where both have one. "common" takes the pixels with the same
    class in both.

    Raises:
        ValueError: the sizes differ.
    """
    if mine.shape != theirs.shape:
        raise ValueError(f"expected masks of one size, got {mine.shape} and {theirs.shape}")
    return _JOINS[how](mine, theirs)


def _both(mine: Mask, theirs: Mask) -> Mask:
    return np.where(mine > 0, mine, theirs).astype(np.uint8)


def _common(mine: Mask, theirs: Mask) -> Mask:
    return np.where(mine == theirs, mine, 0).astype(np.uint8)


_JOINS: Mapping[Join, Callable[[Mask, Mask], Mask]] = MappingProxyType(
    {"both": _both, "common": _common}
)
