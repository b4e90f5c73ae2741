"""Work on the masks of a set: look for wrong ones, and train a segmenter on them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from flawline.jobs.label.label_store import LabelStore
from flawline.jobs.label.suspects import suspects_of_coco
from flawline.server.errors import ServerError
from flawline.server.work.chosen_pictures import remembered
from flawline.server.work.runner import JobTrack, Work
from flawline.server.work.training_job import TrainingWish, upload_training

LEAST = 4


def training_work(store: LabelStore, part: str, minutes: float) -> Work:
    """Make the work that trains a segmenter on the finished masks.

    Raises:
        DependencyError: the extra [train] is not installed.
        ServerError: ("usage") too few masks are finished.
    """
    masks = _finished(store)
    wish = TrainingWish(part, "masks", minutes=minutes, annotations=str(masks))
    return partial(upload_training, partial(remembered, Path(store.settings.pictures)), wish)


def audit_work(store: LabelStore, minutes: float) -> Work:
    """Make the work that looks for wrong masks; what it finds is a queue of the set. Errors as for `training_work`."""
    return partial(_audit, store, _finished(store), minutes)


def _finished(store: LabelStore) -> Path:
    """Write the finished masks, and return the COCO file of them."""
    from flawline.jobs.train.segment.extra import require_extra

    require_extra()
    done = sum(store.label(key).done for key in store.pictures.in_order())
    if done < LEAST:
        raise ServerError(
            f"expected at least {LEAST} finished masks, got {done}",
            hint="finish more pictures; those without a defect count too",
            code="usage",
        )
    return store.write_all()


def _audit(
    store: LabelStore, masks: Path, minutes: float, track: JobTrack, folder: Path
) -> dict[str, Any]:
    from flawline.api.train import audit_labels
    from flawline.jobs.train.audit.audit_tables import COCO, write_audit

    found = audit_labels(
        store.settings.pictures, annotations=masks, minutes=minutes, folder=folder, track=track
    )
    write_audit(found, folder)
    count = store.set_suspects(suspects_of_coco((folder / COCO).read_bytes()))
    return {"verdict": found.verdict.text, "usable": found.verdict.usable, "suspects": count}
