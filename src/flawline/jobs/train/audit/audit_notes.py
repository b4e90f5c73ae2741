"""Write notes on the limits of an audit of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from flawline.core.words import counted
from flawline.jobs.train.audit.audit_plan import AuditPlan
from flawline.jobs.train.audit.audit_scoring import LEAST_THRESHOLD, AuditScores

# Fewer marks than this share are invented by people; where more are not seen, the segmenters are to blame.
_MOST_EXTRA, _FEW = 0.1, 20


def notes_of(plan: AuditPlan, classes: Sequence[str], scored: AuditScores) -> tuple[str, ...]:
    """List classes and pictures that could not be audited, or that the segmenters see too badly."""
    return (
        *_hardly_seen(classes, scored),
        *_unlearnt(plan, classes),
        *_often_unseen(classes, scored),
        *_unknown(scored),
    )


def _hardly_seen(classes: Sequence[str], scored: AuditScores) -> Iterator[str]:
    for name, limit, one in zip(classes, scored.thresholds.tolist(), scored.learning, strict=True):
        if limit < LEAST_THRESHOLD and one is not None and one.learnt:
            yield (
                f"{name} is hardly seen (mean self-confidence {limit:.3f}): "
                "train longer before relying on its results"
            )


def _unlearnt(plan: AuditPlan, classes: Sequence[str]) -> Iterator[str]:
    for fold in range(max(plan.folds) + 1):
        for number in plan.unlearnt(fold).tolist():
            if plan.counts[plan.of_fold(fold), number].any():
                yield (
                    f"{classes[number]} occurs in fold {fold + 1} only: its labels were not audited, "
                    "since no segmenter could learn it elsewhere"
                )


def _often_unseen(classes: Sequence[str], scored: AuditScores) -> Iterator[str]:
    regions = (region for picture in scored.pictures for region in picture.regions)
    extra = Counter(region.given for region in regions if region.kind == "extra")
    for name, marks in zip(classes, scored.marks.tolist(), strict=True):
        if extra[name] > _MOST_EXTRA * max(marks, _FEW):
            yield (
                f"{extra[name]} of {marks} marks of {name} are not seen at all: probably more of them are faint "
                "than wrong; train longer, or on more pictures"
            )


def _unknown(scored: AuditScores) -> Iterator[str]:
    if scored.unknown:
        yield f"{counted(len(scored.unknown), 'picture')} without a known pixel, {scored.unknown[0]} among them"
