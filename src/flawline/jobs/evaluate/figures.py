"""Compute the figures of an evaluation from judged pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.bootstrap import DRAWS, Metric, metric_interval
from flawline.core.metrics import Share, auroc, average_precision
from flawline.core.pixel_metrics import SizeClass, recall_by_size
from flawline.errors import UsageError
from flawline.jobs.evaluate.evaluation import (
    Defect,
    Estimated,
    JudgedPicture,
    LabelFigures,
    Promise,
    Rate,
    Rates,
)
from flawline.jobs.evaluate.segmentation import RegionRecall
from flawline.types import Verdict

PROMISED = (0.01, 0.05, 0.1)
_SEVERITY: dict[Verdict, int] = {"accept": 0, "review": 1, "reject": 2}
_WORK = 20_000_000
"""Most pictures that all draws of a bootstrap use together; they take some seconds."""


@dataclass(frozen=True, slots=True)
class EvaluatedPart:
    """All pictures of one part: bad where one of them is, with the highest score and the strictest verdict."""

    name: str
    defective: bool
    score: float
    p_value: float | None
    verdict: Verdict


def parts_of(pictures: Sequence[JudgedPicture]) -> list[EvaluatedPart]:
    """Collect the parts that pictures show, in order of first appearance."""
    groups: dict[str, list[JudgedPicture]] = {}
    for picture in pictures:
        groups.setdefault(picture.part, []).append(picture)
    return [
        EvaluatedPart(
            name,
            any(picture.defective for picture in group),
            max(picture.score for picture in group),
            min((p.p_value for p in group if p.p_value is not None), default=None),
            max((picture.verdict for picture in group), key=_SEVERITY.__getitem__),
        )
        for name, group in groups.items()
    ]


def estimated(metric: Metric, pictures: Sequence[JudgedPicture], *, seed: int) -> Estimated | None:
    """Estimate a metric of scores with its interval over parts; None unless some pictures are good and some bad."""
    bad = np.array([picture.defective for picture in pictures], bool)
    if not bad.any() or bad.all():
        return None
    scores = np.array([picture.score for picture in pictures])
    names = [picture.part for picture in pictures]
    interval = None
    try:
        drawn = metric_interval(metric, bad, scores, names, draws=draws_for(len(bad)), seed=seed)
        interval = drawn.low, drawn.high
    except UsageError as error:
        if error.code != "groups-too-few":
            raise
    return Estimated(metric(bad, scores), interval, len(bad), len(set(names)))


def draws_for(pictures: int) -> int:
    """Choose the number of draws: 2000, and down to 200 above ten thousand pictures."""
    return min(DRAWS, max(200, _WORK // max(pictures, 1)))


def rate(
    pictures: Sequence[JudgedPicture], defective: bool, verdicts: Sequence[Verdict]
) -> Rate | None:
    """Count bad (or good) pictures and parts with one of some verdicts; None where there are no such pictures."""
    own = [picture for picture in pictures if picture.defective == defective]
    parts = [part for part in parts_of(pictures) if part.defective == defective]
    if not own or not parts:
        return None
    return Rate(
        sum(picture.verdict in verdicts for picture in own),
        len(own),
        Share(sum(part.verdict in verdicts for part in parts), len(parts)),
    )


def rates(pictures: Sequence[JudgedPicture]) -> Rates:
    """Count escapes, overkill and reviews."""
    return Rates(
        rate(pictures, True, ["accept"]),
        rate(pictures, True, ["review"]),
        rate(pictures, False, ["reject"]),
        rate(pictures, False, ["review"]),
    )


def label_figures(pictures: Sequence[JudgedPicture], *, seed: int) -> tuple[LabelFigures, ...]:
    """Compute the figures of each label of bad pictures against all good pictures, in alphabetical order."""
    good = [picture for picture in pictures if not picture.defective]
    labels = sorted({picture.label for picture in pictures if picture.defective})
    return tuple(_label(label, pictures, good, seed) for label in labels)


def _label(
    label: str, pictures: Sequence[JudgedPicture], good: Sequence[JudgedPicture], seed: int
) -> LabelFigures:
    own = [picture for picture in pictures if picture.defective and picture.label == label]

    def of(verdict: Verdict) -> Rate:
        counted = rate(own, True, [verdict])
        assert counted is not None
        return counted

    return LabelFigures(
        label,
        len(own),
        estimated(auroc, [*good, *own], seed=seed),
        estimated(average_precision, [*good, *own], seed=seed),
        of("accept"),
        of("review"),
        of("reject"),
    )


def promises(pictures: Sequence[JudgedPicture]) -> tuple[Promise, ...]:
    """Count good pictures and parts with a p-value up to those promised; empty where none is good or has one."""
    good = [p.p_value for p in pictures if not p.defective and p.p_value is not None]
    parts = [p.p_value for p in parts_of(pictures) if not p.defective and p.p_value is not None]
    if not good or not parts:
        return ()

    def observed(p: float) -> Rate:
        hits = Share(sum(value <= p for value in parts), len(parts))
        return Rate(sum(value <= p for value in good), len(good), hits)

    return tuple(Promise(p, observed(p)) for p in PROMISED)


def recall_all(
    pictures: Sequence[JudgedPicture], label: str | None = None, *, named: bool = False
) -> RegionRecall | None:
    """Count the regions of all masks, or of one label, that were found; None where no mask has such a region.

    With `named` only those count as found on which a segmenter predicts their own class.
    """
    return _recall(label or "all", pictures, lambda d: label in (None, d.label), named=named)


def recalls_by_label(pictures: Sequence[JudgedPicture]) -> tuple[RegionRecall, ...]:
    """Count the regions found by label, in alphabetical order."""
    labels = sorted({defect.label for p in pictures for defect in p.defects or ()})
    recalls = (recall_all(pictures, label) for label in labels)
    return tuple(recall for recall in recalls if recall is not None)


def recalls_by_size(
    pictures: Sequence[JudgedPicture], label: str | None = None, *, named: bool = False
) -> tuple[RegionRecall, ...]:
    """Count the regions found by area, in up to four classes of about equal number, the smallest first.

    All regions count, or those of one label; `named` as for `recall_all`.
    """
    defects = [d for p in pictures for d in p.defects or () if label in (None, d.label)]
    classes = recall_by_size([d.area for d in defects], [d.found for d in defects])
    recalls = (_of_size(pictures, label, size, named) for size in classes)
    return tuple(recall for recall in recalls if recall is not None)


def _of_size(
    pictures: Sequence[JudgedPicture], label: str | None, size: SizeClass, named: bool
) -> RegionRecall | None:
    low, high = size.smallest, float("inf") if size.limit is None else size.limit
    return _recall(
        _size(low, high),
        pictures,
        lambda d: low <= d.area < high and label in (None, d.label),
        named=named,
    )


def _size(low: float, high: float) -> str:
    if high == float("inf"):
        return f"{low:g} px² and more" if low else "every size"
    return f"{low:g} to below {high:g} px²" if low else f"below {high:g} px²"


def _recall(
    name: str,
    pictures: Sequence[JudgedPicture],
    belongs: Callable[[Defect], bool],
    *,
    named: bool = False,
) -> RegionRecall | None:
    hits: list[bool] = []
    parts: dict[str, bool] = {}
    for picture in pictures:
        for defect in filter(belongs, picture.defects or ()):
            hit = bool(defect.named) if named else defect.found
            hits.append(hit)
            parts[picture.part] = parts.get(picture.part, False) or hit
    if not hits:
        return None
    return RegionRecall(name, Share(sum(hits), len(hits)), Share(sum(parts.values()), len(parts)))


def trade_off(
    parts: Sequence[EvaluatedPart],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compute escape and overkill of parts at every threshold on the score: (thresholds, escape, overkill), each (K,).

    A part is flagged where its score is above the threshold. Thresholds rise from one below every score, which flags
    all parts, to the highest score, which flags none. Some parts must be good and some bad.
    """
    scores = np.array([part.score for part in parts])
    bad = np.array([part.defective for part in parts], bool)
    lowest = np.nextafter(scores.min(), -np.inf)
    thresholds = np.concatenate([[lowest], np.unique(scores)])
    escape = np.searchsorted(np.sort(scores[bad]), thresholds, side="right") / bad.sum()
    overkill = 1 - np.searchsorted(np.sort(scores[~bad]), thresholds, side="right") / (~bad).sum()
    return thresholds, escape, overkill


def worst_misses(pictures: Sequence[JudgedPicture], most: int) -> list[JudgedPicture]:
    """List bad pictures with the lowest scores, the lowest first; equal scores by name."""
    bad = [picture for picture in pictures if picture.defective]
    return sorted(bad, key=lambda p: (p.score, p.sample.name))[:most]


def most_missed(pictures: Sequence[JudgedPicture], most: int) -> list[JudgedPicture]:
    """List pictures with regions that were not found, most such regions first; equals by name."""
    missed = [(sum(not d.found for d in p.defects or ()), p) for p in pictures]
    order = sorted((m for m in missed if m[0]), key=lambda m: (-m[0], m[1].sample.name))
    return [picture for _, picture in order[:most]]


def worst_false_alarms(pictures: Sequence[JudgedPicture], most: int) -> list[JudgedPicture]:
    """List good pictures with the highest scores, the highest first; equal scores by name."""
    good = [picture for picture in pictures if not picture.defective]
    return sorted(good, key=lambda p: (-p.score, p.sample.name))[:most]
