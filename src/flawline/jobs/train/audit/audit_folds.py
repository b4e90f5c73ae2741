"""Train a segmenter for each fold and store its probabilities for the pictures of that fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flawline.errors import ModelError
from flawline.jobs.train.audit.audit_plan import AuditPlan
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.audit.audit_store import AuditStore
from flawline.jobs.train.segment.checkpoint import CHECKPOINT
from flawline.jobs.train.segment.fit import train_segmenter
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.jobs.train.segment.prediction import class_probabilities
from flawline.jobs.train.segment.torch_settings import choose_machine
from flawline.jobs.train.segment.trained import TrainedSegmenter, load_trained
from flawline.types import Sample, Track


def predict_folds(
    source: MaskedPictures,
    plan: AuditPlan,
    settings: AuditSettings,
    work: Path,
    store: AuditStore,
    track: Track,
) -> None:
    """Train the missing segmenters and store the missing probabilities of every picture.

    Ctrl-C loses at most the current training step or the current picture.
    """
    for fold in range(settings.folds):
        left = [number for number in plan.of_fold(fold) if not store.has(number)]
        if not left:
            continue
        name = f"Fold {fold + 1} of {settings.folds}"
        trained = _trained(source, plan.learnt_from(fold), settings, work, fold, name, track)
        _predict(source, plan, trained, left, store, track, f"{name}: predicting")


def _trained(
    source: MaskedPictures,
    samples: Sequence[Sample],
    settings: AuditSettings,
    work: Path,
    fold: int,
    name: str,
    track: Track,
) -> TrainedSegmenter:
    """Train or resume the segmenter of a fold; without validation pictures its last weights count."""
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


def _predict(
    source: MaskedPictures,
    plan: AuditPlan,
    trained: TrainedSegmenter,
    numbers: Sequence[int],
    store: AuditStore,
    track: Track,
    title: str,
) -> None:
    settings = trained.settings
    machine = choose_machine(settings.device, settings.precision)
    network = trained.built.network.to(machine.device)
    for number in track(numbers, title=title, total=len(numbers)):
        picture, mask = source.pair(plan.samples[number])
        probabilities = class_probabilities(
            network, picture.pixels, trained.built.preparation, settings.framing, machine
        )
        store.write(number, mask, probabilities)
