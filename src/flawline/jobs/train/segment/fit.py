"""Train a segmenter epoch by epoch, with a checkpoint after each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flawline.jobs.train.segment.loop import Training
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.jobs.train.segment.predict_pseudo import predict_pseudo
from flawline.jobs.train.segment.progress_record import EpochRecord
from flawline.jobs.train.segment.pseudo_masks import PseudoMasks
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures
from flawline.types import Sample, Track, no_track

_MOST_PREDICTING = 0.1


def train_segmenter(
    source: MaskedPictures,
    train: Sequence[Sample],
    validation: Sequence[Sample],
    folder: Path,
    settings: SegmentSettings | None = None,
    *,
    unmasked: UnmaskedPictures | None = None,
    resume: bool = False,
    track: Track = no_track,
) -> Iterator[EpochRecord]:
    """Train on some samples of a source and validate on others; yield a record after each epoch.

    Masks are read and settings checked at once; each epoch runs when its record is asked for. After each epoch
    `folder` holds the best weights so far (`load_trained`). A checkpoint is written while the next epoch begins, and is
    complete once the iterator has ended or was closed. Ctrl-C ends a training after the current step, saves, and raises
    KeyboardInterrupt. With `resume` it continues from there; on a CPU with the same number of threads it ends with the
    same bits, unless `minutes` limit it. Without validation samples the last weights are the best.

    Pictures `unmasked` are learnt from as well once validation has levelled off, after two fifths of the training at
    the soonest: masks that the best network so far predicts on them, as far as validation shows that it has learnt
    (`flawline.core.pseudo_mask`), give half of the patches.

    Raises:
        UsageError: the settings are wrong, or differ from those of the training to resume.
        SourceError: there is nothing to learn from, or a mask is not usable.
        ModelError: the network cannot be built, the checkpoint cannot be used, or the loss is no longer finite.
    """
    settings = settings or SegmentSettings()
    training = Training.start(source, train, validation, folder, settings, track, unmasked)
    if resume:
        training.restore()
    return _epochs(training, track)


def _epochs(training: Training, track: Track) -> Iterator[EpochRecord]:
    try:
        while not training.ended():
            if training.wants_pseudo():
                training.learn_pseudo(_predicted(training, track))
            yield training.epoch()
    finally:
        training.saved()


def _predicted(training: Training, track: Track) -> PseudoMasks:
    """Predict masks of pictures without any, for a tenth of the time at most where it is limited."""
    assert training.unmasked is not None
    minutes, began = training.settings.minutes, training.clock.seconds()

    def late() -> bool:
        spent = training.clock.seconds() - began
        return minutes is not None and spent > 60 * minutes * _MOST_PREDICTING

    return predict_pseudo(
        training.folder,
        training.validation,
        training.unmasked,
        len(training.records),
        late=late,
        track=track,
    )
