"""Find masks that look wrong: what segmenters that did not learn from a mask see in its picture."""

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
    """Rank the masks of a source by how wrong they look, and tell the regions that do.

    The pictures are dealt to folds by group; a segmenter for each fold learns from the others and looks at the
    pictures of its own. Where it is more confident of another class than it usually is of that class, a pixel is
    suspicious (`flawline.jobs.train.audit.label_quality`). `folder` holds the work in a folder "work", so that an
    audit that was stopped goes on; with other limits or another temperature nothing is trained again.

    Args:
        source: pictures with masks; `flawline.data.masks.open_masks` opens them.
        folder: where the work is kept.
        settings: how it is done.
        name: what the source is called in the result.
        track: shows progress.

    Raises:
        DependencyError: the extra [train] is not installed.
        SourceError: no picture with a masked defect can be read.
        UsageError: there are fewer groups than folds, or the folder holds the work of another audit.
    """
    from flawline.jobs.train.segment.extra import require_extra

    require_extra()
    from flawline.jobs.train.audit.audit_folds import look_at_folds

    settings = settings or AuditSettings()
    plan = make_plan(source, settings, track)
    work = folder / WORK
    claim(plan, work)
    with AuditStore(work) as kept:
        look_at_folds(source, plan, settings, work, kept, track)
        return result_of(source, plan, settings, kept, name, track)


def kept_probabilities(folder: Path) -> AuditStore:
    """Open the masks and probabilities of the pictures of an audit, by `AuditedPicture.number`; to be closed."""
    return AuditStore(folder / WORK)


def result_of(
    source: MaskedPictures,
    plan: AuditPlan,
    settings: AuditSettings,
    kept: AuditStore,
    name: str,
    track: Track,
) -> LabelAudit:
    """What the kept probabilities of all pictures of a plan say of their masks."""
    scored = score_pictures(plan, source.classes, kept, settings, track)
    limits = scored.thresholds.tolist()
    shares = scored.joint.joint()
    return LabelAudit(
        source=name,
        classes=tuple(source.classes),
        settings=settings,
        pictures=scored.pictures,
        thresholds=tuple(limit if np.isfinite(limit) else None for limit in limits),
        joint=tuple(tuple(row) for row in scored.joint.counts.tolist()),
        noise=float(max(shares.sum() - np.trace(shares), 0.0)),
        notes=notes_of(plan, source.classes, scored),
        unjudged=plan.unjudged,
    )
