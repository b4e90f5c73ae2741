"""One segmenter for each fold, and what it sees in the pictures that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flawline.errors import ModelError
from flawline.jobs.train.audit.audit_plan import AuditPlan
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.audit.audit_store import AuditStore
from flawline.jobs.train.segment.checkpoint import CHECKPOINT
from flawline.jobs.train.segment.fit import TrainedSegmenter, load_trained, train_segmenter
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.jobs.train.segment.prediction import class_shares
from flawline.jobs.train.segment.torch_settings import choose_machine
from flawline.types import Sample, Track


def look_at_folds(
    source: MaskedPictures,
    plan: AuditPlan,
    settings: AuditSettings,
    work: Path,
    kept: AuditStore,
    track: Track,
) -> None:
    """Train what is not yet trained and keep the probabilities of every picture that has none.

    Ctrl-C loses at most the running step of a training or the running picture.
    """
    for fold in range(settings.folds):
        left = [number for number in plan.of_fold(fold) if not kept.has(number)]
        if not left:
            continue
        name = f"Fold {fold + 1} of {settings.folds}"
        trained = _trained(source, plan.learnt_from(fold), settings, work, fold, name, track)
        _look(source, plan, trained, left, kept, track, f"{name}: looking")


def _trained(
    source: MaskedPictures,
    samples: Sequence[Sample],
    settings: AuditSettings,
    work: Path,
    fold: int,
    name: str,
    track: Track,
) -> TrainedSegmenter:
    """The segmenter of a fold, trained or trained on; without validation pictures its last weights count."""
    folder = work / f"fold-{fold + 1}"
    of_fold = settings.of_fold
    started = (folder / CHECKPOINT).is_file()
    try:
        epochs = train_segmenter(source, samples, (), folder, of_fold, resume=started, track=track)
        for _ in track(epochs, title=f"{name}: epochs", total=of_fold.epochs):
            pass
        return load_trained(folder)
    except ModelError as error:
        if error.code != "model-damaged":
            raise
        raise ModelError(
            error.message, hint=f"remove {folder} and run the audit again", code=error.code
        ) from error


def _look(
    source: MaskedPictures,
    plan: AuditPlan,
    trained: TrainedSegmenter,
    numbers: Sequence[int],
    kept: AuditStore,
    track: Track,
    title: str,
) -> None:
    settings = trained.settings
    machine = choose_machine(settings.device, settings.precision)
    network = trained.built.network.to(machine.device)
    for number in track(numbers, title=title, total=len(numbers)):
        picture, mask = source.pair(plan.samples[number])
        shares = class_shares(
            network, picture.pixels, trained.built.preparation, settings.framing, machine
        )
        kept.write(number, mask, shares)
