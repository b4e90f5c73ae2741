"""The protocol of models: detectors and segmenters alike find defects in a picture."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flawline.inspector.decision import ReasonedVerdict
from flawline.networks.network import Preparation
from flawline.types import Picture, Region

BACKGROUND = "background"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The output of a model for one picture, before it is measured and judged.

    `class_mask` is uint8 (H, W), the class of each pixel of the picture, 0 where there is no defect. `planes` are the
    scores by pixel, float32 (H, W) for each class of defects in turn; there may be none where the mask is empty. `map`
    is float32 (h, w), the raw scores over the whole picture, at most as fine as it. `score` is the raw score of the
    picture, `peak` the highest that counts in `map`. `lost` says why the part was not found in its place, empty where
    it was. `timings` are milliseconds by stage. `probabilities` are those of a segmenter, float32 (C, H, W), background
    first; None of a detector. `more` are verdicts beside that of the score, such as that of a golden sample.
    """

    class_mask: NDArray[np.uint8]
    planes: Sequence[NDArray[np.float32]]
    map: NDArray[np.float32]
    score: float
    peak: float
    lost: str
    timings: Mapping[str, float]
    probabilities: NDArray[np.float32] | None = None
    more: tuple[ReasonedVerdict, ...] = ()


class Model(Protocol):
    """A loaded model. Calls are safe from several threads, and no result depends on other pictures."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of all classes, background first; their index is the value in class masks."""

    @property
    def precision(self) -> str:
        """The arithmetic that it computes in: "f32" or "bf16"."""

    @property
    def preparation(self) -> Preparation:
        """The preparation of pixels that its network expects."""

    @property
    def tells_classes(self) -> bool:
        """Whether it learnt classes from masks and gives their probabilities."""

    @property
    def merge(self) -> float | None:
        """Pieces of one class with at most this gap in px are one defect; None: no pieces are joined."""

    @property
    def highest_first(self) -> bool:
        """Whether regions are listed by their peaks, the highest first, and not by their places."""

    @property
    def spec_decides(self) -> bool:
        """Whether a specification judges in place of `decide`; otherwise the stricter of both verdicts counts."""

    @property
    def heat_range(self) -> tuple[float, float] | None:
        """Map scores at the ends of the overlay's colour scale; None where the overlay shows the class mask."""

    def find(self, picture: Picture) -> Found:
        """Find anomalies or defects in one picture.

        Raises:
            ImageError: the picture does not suit the recipe ("image-view"), or the model overflows on it
                ("image-score").
        """

    def with_p_values(self, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        """Add the p-values of regions, where peaks of held-out good pictures are known."""

    def decide(
        self, score: float, p_value: float | None, regions: Sequence[Region]
    ) -> ReasonedVerdict:
        """Judge a picture by its score and its regions, without a specification.

        Raises:
            ModelError: ("recipe-uncalibrated") it needs thresholds and the recipe has none.
        """


def since(began: float) -> float:
    """Measure the milliseconds since a moment of `time.perf_counter`."""
    return 1000 * (time.perf_counter() - began)
