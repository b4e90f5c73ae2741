"""Train a segmenter epoch by epoch, with a checkpoint after each, and load a finished training."""

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
    """The best network of a training in evaluation mode, its settings and its learning curve."""

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
    """Train on some samples of a source and validate on others; yield a record after each epoch.

    Masks are read and settings checked at once; each epoch runs when its record is asked for. After each epoch
    `folder` holds the best weights so far (`load_trained`). A checkpoint is written while the next epoch begins, and is
    complete once the iterator has ended or was closed. Ctrl-C ends a training after the current step, saves, and raises
    KeyboardInterrupt. With `resume` it continues from there; on a CPU with the same number of threads it ends with the
    same bits, unless `minutes` limit it. Without validation samples the last weights are the best.

    Raises:
        UsageError: the settings are wrong, or differ from those of the training to resume.
        SourceError: there is nothing to learn from, or a mask is not usable.
        ModelError: the network cannot be built, the checkpoint cannot be used, or the loss is no longer finite.
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
    """Load the best network of a training.

    Raises:
        ModelError: the folder holds no usable training.
    """
    saved = read_saved(folder / BEST)
    try:
        settings = settings_from_dict(saved.values["settings"])
        classes = tuple(saved.values["classes"])
        bare = NetworkSettings(
            settings.network.name, settings.network.encoder, "none", settings.network.preparation
        )
        built = build_network(bare, len(classes))
        built.network.load_state_dict(group_of(saved, "network"))
        records = tuple(map(record_from_dict, saved.values["records"]))
    except (KeyError, TypeError, RuntimeError, FlawlineError) as error:
        raise ModelError(
            f"{BEST} cannot be used as a segmenter: {error}",
            hint="train again with this version",
            code="model-damaged",
        ) from error
    best = Built(built.network.eval(), built.preparation, built.multiple, saved.values["network"])
    return TrainedSegmenter(best, classes, settings, records)


def training_records(folder: Path) -> tuple[EpochRecord, ...]:
    """Read the learning curve of a training so far; raises ModelError where the folder holds none."""
    try:
        return tuple(map(record_from_dict, read_saved(folder / CHECKPOINT).values["records"]))
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"{CHECKPOINT} holds no learning curve: {error}",
            hint="train again",
            code="model-damaged",
        ) from error
