"""Judge stored inspections by another version of their recipe, from what was measured: no picture is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, nan

import numpy as np

from flawline.core.regions import ANOMALY
from flawline.core.threshold import verdict
from flawline.recipe import Recipe, spec_of
from flawline.records.record import Record, StoredRecord
from flawline.specification.judge import Judgement, MeasuredPart, judge
from flawline.specification.model import Spec
from flawline.types import SEVERITY, Verdict

_SINGLE = ("nearest_distance", "nearest_distance_mm")
"""Columns that are infinite for a single defect, and that records therefore leave out."""


@dataclass(frozen=True, slots=True)
class ChangedVerdict:
    """An inspection that would be judged otherwise, and the reason for the new verdict."""

    kept: StoredRecord
    before: Verdict
    after: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What another version would have said about `looked` inspections.

    `changed` are those with another verdict, in the order given. `untold` could not be judged from their records: they
    have no verdict, or a number that the specification needs is missing.
    """

    looked: int
    changed: tuple[ChangedVerdict, ...]
    untold: int


def same_measures(one: Recipe, other: Recipe) -> bool:
    """Whether two recipes find and score alike, so that they differ in how they judge alone."""
    first, second = one.settings, other.settings
    regions = [
        (None if s.threshold is None else s.threshold.region, s.segmenter, s.golden, s.picture)
        for s in (first, second)
    ]
    return one.manifest.files == other.manifest.files and regions[0] == regions[1]


def what_if(records: Iterable[StoredRecord], olds: Mapping[str, Recipe], new: Recipe) -> WhatIf:
    """Judge inspections by a version of their recipe that measures the same (`same_measures`).

    A golden sample and a part that lay elsewhere leave no number in the record. Where a record is stricter than its
    recipe's thresholds and specification account for, it stays at least as strict.

    Args:
        records: inspections by one of `olds`.
        olds: the recipes that judged them, by hash.
        new: what would judge them.
    """
    specs = {one.sha256: spec_of(one.settings, one.text) for one in (*olds.values(), new)}
    looked = untold = 0
    changed: list[ChangedVerdict] = []
    for kept in records:
        record, looked = kept.record, looked + 1
        old = olds[record.recipe]
        was = _judged(record, old, specs[old.sha256])
        now = _judged(record, new, specs[new.sha256])
        if record.verdict is None or was is None or now is None:
            untold += 1
            continue
        after, reason = now
        if SEVERITY.index(record.verdict) > SEVERITY.index(was[0]):
            after = max(after, record.verdict, key=SEVERITY.index)
        if after != record.verdict:
            changed.append(ChangedVerdict(kept, record.verdict, after, reason))
    return WhatIf(looked, tuple(changed), untold)


def _judged(record: Record, recipe: Recipe, spec: Spec | None) -> tuple[Verdict, str] | None:
    """Judge the numbers of a record; None where one is missing."""
    decided: list[tuple[Verdict, str]] = []
    limit = recipe.settings.threshold
    detects = recipe.settings.task == "anomaly"
    if detects:
        if record.score is None or limit is None:
            return None
        found = verdict(record.score, limit.review, limit.reject)
        against = f"review {limit.review:.4g}, reject {limit.reject:.4g}"
        decided.append((found, f"score {record.score:.4g}; {against}"))
    elif spec is None:
        count = len(record.defects)
        words: Verdict = "reject" if count else "accept"
        decided.append((words, f"{count} defects, and without a specification none is allowed"))
    if spec is not None:
        part = measured_record(record, recipe)
        judged = judge(spec, part, decided=(ANOMALY,) if detects else ())
        if judged.verdict is None:
            return None
        decided.append((judged.verdict, _reason(judged)))
    return max(decided, key=lambda one: SEVERITY.index(one[0]))


def measured_record(record: Record, recipe: Recipe) -> MeasuredPart:
    """Convert a record to the part that a specification judges; defects lie at their centroids alone."""
    defects = record.defects
    names = dict.fromkeys(name for defect in defects for name in defect.measures)
    columns = {
        name: np.array(
            [one.measures.get(name, inf if name in _SINGLE else nan) for one in defects],
            np.float64,
        )
        for name in (*names, *(_SINGLE if len(defects) == 1 else ()))
    }
    nowhere = np.full(len(defects), nan)
    x, y = columns.get("centroid_x", nowhere), columns.get("centroid_y", nowhere)
    return MeasuredPart(
        record.image,
        tuple(defect.label for defect in defects),
        {**columns, "part_x": x, "part_y": y},
        np.stack([x, y], axis=1) if len(defects) else np.empty((0, 2)),
        record.size or (0, 0),
        recipe.settings.picture.mm_per_px,
        p_value=record.p_value,
    )


def _reason(judged: Judgement) -> str:
    if not judged.findings:
        return "within the specification"
    first = judged.findings[0]
    unit = f" {first.unit}" if first.unit else ""
    if first.line is None:
        return first.clause
    return f"{first.clause}: {first.value:.4g}{unit}, limit {first.bound:.4g}{unit}"
