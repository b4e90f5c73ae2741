"""Result of an evaluation. A figure that could not be measured is None, with its reason in `missing`, never NaN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flawline.core.metrics import Share
from flawline.core.pixel_metrics import Area
from flawline.jobs.evaluate.segmentation import Estimated as Estimated
from flawline.jobs.evaluate.segmentation import RegionRecall, Segmentation
from flawline.types import EMPTY, Sample, Unjudged, Verdict


@dataclass(frozen=True, slots=True)
class Defect:
    """A region of a mask: its `label`, its `area` in pixels of the picture, and whether it was found.

    `named` tells whether a segmenter predicts its own class on it, None where the recipe knows no classes.
    """

    label: str
    area: int
    found: bool
    named: bool | None = None


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """One picture with its label and mask, and the judgement of the recipe.

    `part` names the part that it shows. `defects` are the regions of its mask, None without a usable mask, empty for a
    good picture. `p_value` is None for recipes that have none; `timings` are milliseconds by stage.
    """

    sample: Sample
    part: str
    defective: bool
    score: float
    p_value: float | None
    verdict: Verdict
    defects: tuple[Defect, ...] | None = None
    timings: Mapping[str, float] = field(default_factory=lambda: EMPTY)

    @property
    def label(self) -> str:
        """The label of the source, else "good" or "bad"."""
        return self.sample.label or ("bad" if self.defective else "good")


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of pictures, `hits` of `of`, and of parts, with an interval that counts every part once."""

    hits: int
    of: int
    parts: Share


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One defect label against all good pictures, and the verdicts on its parts."""

    label: str
    pictures: int
    auroc: Estimated | None
    average_precision: Estimated | None
    accepted: Rate
    review: Rate
    rejected: Rate


@dataclass(frozen=True, slots=True)
class PixelFigures:
    """Areas over pixels: under the ROC curve, and under the per-region overlap up to false-positive rates 0.3 and 0.05.

    `grid` is the longer side, in pixels, above which maps and masks are compared at reduced size.
    """

    auroc: Area
    aupro: Area
    aupro_strict: Area
    pictures: int
    regions: int
    grid: int


@dataclass(frozen=True, slots=True)
class Promise:
    """Good parts with a p-value up to `p`; at most the share `p` of them is promised (on average)."""

    p: float
    observed: Rate


@dataclass(frozen=True, slots=True)
class Rates:
    """Verdicts at the thresholds of the recipe; None where no picture is bad, or none good.

    `escape`: bad parts accepted. `overkill`: good parts rejected. Parts sent to review are counted separately.
    """

    escape: Rate | None
    bad_to_review: Rate | None
    overkill: Rate | None
    good_to_review: Rate | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One recipe on the pictures of one split.

    `pictures` are in the order of the source. `grouped` tells whether the source names parts; without, every picture
    counts as a part. `dropped` were known to the recipe and left out on demand. `messages` explain the figures, `notes`
    tell what was lost or chosen when a picture was decoded, by name. `missing` gives the reason for every figure that
    is None. `milliseconds` are medians by stage of one picture; `pictures_per_second` are decoded and inspected on all
    cores, measured for some seconds while nothing else runs. `thresholds` are review and reject of the score, None for
    a segmenter; `segmentation` holds figures of segmenters, None for others and without class masks.
    """

    source: str
    recipe: str
    part: str
    settings: Mapping[str, Any]
    thresholds: tuple[float, float] | None
    split: str | None
    grouped: bool
    pictures: tuple[JudgedPicture, ...]
    unjudged: tuple[Unjudged, ...]
    dropped: tuple[str, ...]
    messages: tuple[str, ...]
    auroc: Estimated | None
    average_precision: Estimated | None
    labels: tuple[LabelFigures, ...]
    pixels: PixelFigures | None
    recall: RegionRecall | None
    recall_by_size: tuple[RegionRecall, ...]
    recall_by_label: tuple[RegionRecall, ...]
    rates: Rates
    promises: tuple[Promise, ...]
    notes: Mapping[str, tuple[str, ...]]
    missing: Mapping[str, str]
    milliseconds: Mapping[str, float]
    pictures_per_second: float
    segmentation: Segmentation | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 2 a picture or mask could not be judged."""
        return 2 if self.unjudged else 0
