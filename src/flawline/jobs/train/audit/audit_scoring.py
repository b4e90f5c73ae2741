"""Turn stored probabilities into ranks and regions, in two passes that hold one picture at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.class_learning import ClassLearning, LearningCurves
from flawline.core.run_lengths import column_runs
from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.audit.audit_plan import AuditPlan
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.audit.audit_store import AuditStore
from flawline.jobs.train.audit.label_audit import AuditedPicture, SuspectRegion
from flawline.jobs.train.audit.label_quality import ClassThresholds, ConfidentJoint, softmin
from flawline.jobs.train.audit.mark_shifts import gain_limits
from flawline.jobs.train.audit.shifted_regions import fits_of, shifted_regions, with_shifted
from flawline.jobs.train.audit.suspicious_regions import (
    Evidence,
    SuspiciousRegion,
    marks_of,
    suspicious_regions,
    weigh,
)
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.types import Track

# Below this self-confidence a class is not seen at all, and noise would count as confidence.
LEAST_THRESHOLD = 0.05

Pair = tuple[NDArray[np.uint8], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class AuditScores:
    """Pictures by rank, thresholds (C,), the confident joint, and the names of pictures without a known pixel.

    `marks` int64 (C,) counts the connected regions of each class in the masks, `learning` says what the segmenters
    learnt of each class. Where that is nothing of any class of defects, there are no pictures.
    """

    pictures: tuple[AuditedPicture, ...]
    thresholds: NDArray[np.float64]
    joint: ConfidentJoint
    unknown: tuple[str, ...]
    marks: NDArray[np.int64]
    learning: tuple[ClassLearning | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A picture before its shifted marks are known: the class and gain of every mark, and the regions of moved ones."""

    number: int
    size: tuple[int, int]
    score: float
    regions: tuple[SuspiciousRegion, ...]
    gains: list[tuple[int, float]]
    moved: list[tuple[int, float, tuple[SuspiciousRegion, ...]]]


def score_pictures(
    source: MaskedPictures,
    plan: AuditPlan,
    store: AuditStore,
    settings: AuditSettings,
    track: Track,
) -> AuditScores:
    """Rank the pictures of a plan by their stored probabilities, and find suspicious regions.

    Masks of a class of which the segmenters learnt nothing are not judged, and neither is where they see it.
    """
    classes = source.classes
    thresholds, learning = _learning(plan, len(classes), store, track)
    joint, marks = ConfidentJoint(len(classes)), np.zeros(len(classes), np.int64)
    failed = failed_classes(learning)
    if len(failed) == sum(one is not None for one in learning[1:]):
        return AuditScores((), thresholds, joint, (), marks, learning)
    least = np.maximum(thresholds, LEAST_THRESHOLD)
    least[failed] = np.inf
    audited: list[_Judged] = []
    unknown: list[str] = []
    for number, (mask, probabilities) in _pairs(plan, store, track, "Regions"):
        mask[np.isin(mask, failed)] = IGNORE
        if (mask == IGNORE).all():
            unknown.append(plan.samples[number].name)
            continue
        evidence = weigh(mask, probabilities, least)
        joint.add(mask, evidence.seen)
        marks += marks_of(mask, len(classes))
        pixels = source.pair(plan.samples[number])[0].pixels
        audited.append(_judged(number, evidence, pixels, settings))
    pictures = _pictures(audited, plan, classes)
    return AuditScores(pictures, thresholds, joint, tuple(unknown), marks, learning)


def failed_classes(learning: Sequence[ClassLearning | None]) -> list[int]:
    """List the classes of defects of which nothing was learnt, though masks have them."""
    pairs = enumerate(learning)
    return [number for number, one in pairs if number and one is not None and not one.learnt]


def _learning(
    plan: AuditPlan, classes: int, store: AuditStore, track: Track
) -> tuple[NDArray[np.float64], tuple[ClassLearning | None, ...]]:
    """Measure how sure the segmenters are of each class, and what they learnt of it."""
    confidence, curves = ClassThresholds(classes), LearningCurves(classes)
    for _, pair in _pairs(plan, store, track, "Thresholds"):
        confidence.add(*pair)
        curves.add(*pair)
    return confidence.values(), curves.values()


def _pairs(
    plan: AuditPlan, store: AuditStore, track: Track, title: str
) -> Iterator[tuple[int, Pair]]:
    """Yield masks and probabilities by number; labels of classes that a segmenter could not learn are unknown."""
    unlearnt = [plan.unlearnt(fold) for fold in range(max(plan.folds) + 1)]
    for number in track(range(len(plan.samples)), title=title, total=len(plan.samples)):
        mask, probabilities = store.read(number)
        mask[np.isin(mask, unlearnt[plan.folds[number]])] = IGNORE
        yield number, (mask, probabilities)


def _judged(
    number: int, evidence: Evidence, pixels: NDArray[np.uint8], settings: AuditSettings
) -> _Judged:
    fits = fits_of(evidence, pixels, settings.limits)
    known = evidence.quality[evidence.mask != IGNORE]
    height, width = evidence.mask.shape
    return _Judged(
        number,
        (height, width),
        softmin(known, settings.temperature),
        suspicious_regions(evidence, settings.limits),
        [(fit.value, fit.gain) for fit in fits],
        [(fit.value, fit.gain, shifted_regions(fit, evidence)) for fit in fits if fit.moved],
    )


def _pictures(
    judged: Sequence[_Judged], plan: AuditPlan, classes: Sequence[str]
) -> tuple[AuditedPicture, ...]:
    """Rank pictures; a mark is shifted where its gain stands out from those of the marks of all pictures."""
    limits = gain_limits(len(classes), [gain for one in judged for gain in one.gains])
    pictures = []
    for one in judged:
        moved = [regions for value, gain, regions in one.moved if gain >= limits[value]]
        found = with_shifted(one.regions, [region for regions in moved for region in regions])
        name, fold = plan.samples[one.number].name, plan.folds[one.number] + 1
        regions = tuple(_region(region, classes, one.size) for region in found)
        pictures.append(AuditedPicture(0, name, one.score, one.size, one.number, fold, regions))
    pictures.sort(key=lambda picture: (picture.score, picture.image))
    return tuple(replace(picture, rank=rank) for rank, picture in enumerate(pictures, 1))


def _region(
    region: SuspiciousRegion, classes: Sequence[str], size: tuple[int, int]
) -> SuspectRegion:
    return SuspectRegion(
        region.kind,
        classes[region.given],
        classes[region.seen],
        region.area,
        region.box,
        region.confidence,
        column_runs(region.pixels, region.box, size),
        region.shift,
    )
