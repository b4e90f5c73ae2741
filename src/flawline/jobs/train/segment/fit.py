"""Train a segmenter, epoch by epoch, with a checkpoint after each; and read what a training left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flawline.errors import FlawlineError, ModelError
from flawline.jobs.train.segment.architectures import Built, build_network
from flawline.jobs.train.segment.checkpoint import BEST, CHECKPOINT, group_of, read_saved
from flawline.jobs.train.segment.loop import Training
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.jobs.train.segment.progress_record import EpochRecord, record_from_dict
from flawline.jobs.train.segment.segment_settings import (
    NetworkSettings,
    SegmentSettings,
    settings_from_dict,
)
from flawline.types import Sample, Track, no_track


@dataclass(frozen=True, slots=True, eq=False)
class TrainedSegmenter:
    """The best network of a training in evaluation mode, and what it was trained with and reached."""

    built: Built
    classes: tuple[str, ...]
    settings: SegmentSettings
    records: tuple[EpochRecord, ...]


def train_segmenter(
    source: MaskedPictures,
    train: Sequence[Sample],
    validation: Sequence[Sample],
    folder: Path,
    settings: SegmentSettings | None = None,
    *,
    resume: bool = False,
    track: Track = no_track,
) -> Iterator[EpochRecord]:
    """Train on some samples of a source and measure on others; a record after each epoch.

    Masks are read and settings checked at once; each epoch is run when its record is asked for.
    After each epoch `folder` holds the best weights so far (`load_trained`). A checkpoint is written while the next
    epoch begins, and is there once the records have ended or were closed. Ctrl-C ends a training after the running
    step, saves, and raises KeyboardInterrupt. With `resume` it goes on from there, and on a CPU with
    the same number of threads it ends with the same bits, unless time bounds it. Without validation samples the last
    weights are the best.

    Raises:
        UsageError: the settings make no sense, or differ from those of the training to be resumed.
        SourceError: there is nothing to learn from, or a mask is not usable.
        ModelError: the network cannot be built, the checkpoint cannot be used, or the loss is no longer a number.
    """
    settings = settings or SegmentSettings()
    training = Training.start(source, train, validation, folder, settings, track)
    if resume:
        training.restore()
    return _epochs(training)


def _epochs(training: Training) -> Iterator[EpochRecord]:
    try:
        while not training.ended():
            yield training.epoch()
    finally:
        training.saved()


def load_trained(folder: Path) -> TrainedSegmenter:
    """The best network of a training.

    Raises:
        ModelError: the folder holds no usable training.
    """
    saved = read_saved(folder / BEST)
    try:
        settings = settings_from_dict(saved.told["settings"])
        classes = tuple(saved.told["classes"])
        bare = NetworkSettings(
            settings.network.name, settings.network.encoder, "none", settings.network.preparation
        )
        built = build_network(bare, len(classes))
        built.network.load_state_dict(group_of(saved, "network"))
        records = tuple(map(record_from_dict, saved.told["records"]))
    except (KeyError, TypeError, RuntimeError, FlawlineError) as error:
        raise ModelError(
            f"{BEST} cannot be used as a segmenter: {error}",
            hint="train again with this version",
            code="model-damaged",
        ) from error
    kept = Built(built.network.eval(), built.preparation, built.multiple, saved.told["network"])
    return TrainedSegmenter(kept, classes, settings, records)


def training_records(folder: Path) -> tuple[EpochRecord, ...]:
    """The learning curve of a training so far; raises ModelError where the folder holds none."""
    try:
        return tuple(map(record_from_dict, read_saved(folder / CHECKPOINT).told["records"]))
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"{CHECKPOINT} holds no learning curve: {error}",
            hint="train again",
            code="model-damaged",
        ) from error
