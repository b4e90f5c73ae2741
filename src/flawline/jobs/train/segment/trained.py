"""Load the best network of a training, and its learning curve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flawline.errors import FlawlineError, ModelError
from flawline.jobs.train.segment.architectures import Built, build_network
from flawline.jobs.train.segment.checkpoint import BEST, CHECKPOINT, group_of, read_saved
from flawline.jobs.train.segment.progress_record import EpochRecord, record_from_dict
from flawline.jobs.train.segment.pseudo_masks import PseudoMasks, pseudo_from_dict
from flawline.jobs.train.segment.segment_settings import (
    NetworkSettings,
    SegmentSettings,
    settings_from_dict,
)


@dataclass(frozen=True, slots=True, eq=False)
class TrainedSegmenter:
    """The best network of a training in evaluation mode, its settings and its learning curve."""

    built: Built
    classes: tuple[str, ...]
    settings: SegmentSettings
    records: tuple[EpochRecord, ...]


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


def training_pseudo(folder: Path) -> PseudoMasks | None:
    """Read what a training predicted on pictures without masks; None where it came to nothing, or had none."""
    values = read_saved(folder / CHECKPOINT).values.get("pseudo")
    return values and pseudo_from_dict(values)
