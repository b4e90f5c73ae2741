"""Find masks that look wrong, by segmenters that did not learn from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flawline.jobs.train.audit.audit_notes import notes_of
from flawline.jobs.train.audit.audit_plan import AuditPlan, claim, make_plan
from flawline.jobs.train.audit.audit_scoring import score_pictures
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.audit.audit_store import AuditStore
from flawline.jobs.train.audit.label_audit import LabelAudit
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.types import Track, no_track

WORK = "work"


def audit_labels(
    source: MaskedPictures,
    folder: Path,
    settings: AuditSettings | None = None,
    *,
    name: str = "",
    track: Track = no_track,
) -> LabelAudit:
    """Rank the masks of a source by how wrong they look, and list the suspicious regions.

    Pictures are dealt to folds by group; the segmenter of a fold learns from the other folds and predicts its own. A
    pixel is suspicious where that segmenter is more confident of another class than it usually is of that class
    (`flawline.jobs.train.audit.label_quality`). Masks of a class of which the segmenters learnt nothing are not judged
    (`flawline.core.class_learning`). The folder "work" in `folder` stores the work, so that a stopped audit
    can resume; other limits or another temperature need no new training.

    Args:
        source: pictures with masks; `flawline.data.masks.open_masks` opens them.
        folder: where the work is stored.
        settings: of the audit.
        name: of the source, for the result.
        track: shows progress.

    Raises:
        DependencyError: the extra [train] is not installed.
        SourceError: no picture with a masked defect can be read.
        UsageError: there are fewer groups than folds, or the folder holds the work of another audit.
    """
    from flawline.jobs.train.segment.extra import require_extra

    require_extra()
    from flawline.jobs.train.audit.audit_folds import predict_folds

    settings = settings or AuditSettings()
    plan = make_plan(source, settings, track)
    work = folder / WORK
    claim(plan, work)
    with AuditStore(work) as store:
        predict_folds(source, plan, settings, work, store, track)
        return audit_result(source, plan, settings, store, name, track)


def open_probabilities(folder: Path) -> AuditStore:
    """Open the stored masks and probabilities of an audit, by `AuditedPicture.number`; close it after use."""
    return AuditStore(folder / WORK)


def audit_result(
    source: MaskedPictures,
    plan: AuditPlan,
    settings: AuditSettings,
    store: AuditStore,
    name: str,
    track: Track,
) -> LabelAudit:
    """Summarise what the stored probabilities tell of the masks of a plan."""
    scored = score_pictures(source, plan, store, settings, track)
    limits = scored.thresholds.tolist()
    joint = scored.joint.joint()
    return LabelAudit(
        source=name,
        classes=tuple(source.classes),
        settings=settings,
        masks=len(plan.samples),
        pictures=scored.pictures,
        learning=scored.learning,
        thresholds=tuple(limit if np.isfinite(limit) else None for limit in limits),
        joint=tuple(tuple(row) for row in scored.joint.counts.tolist()),
        noise=float(max(joint.sum() - np.trace(joint), 0.0)) if scored.pictures else None,
        notes=notes_of(plan, source.classes, scored),
        unjudged=plan.unjudged,
    )
