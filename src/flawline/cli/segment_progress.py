"""A training of a segmenter as it goes: a line for each epoch, and pictures of what it marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.cli.console import ProgressBar, note, warn

if TYPE_CHECKING:
    from flawline.data.masks import MaskedSource
    from flawline.jobs.train.segment.progress_record import EpochRecord
    from flawline.jobs.train.segment.segment_split import Split
    from flawline.jobs.train.segment.train_segment import TrainedSegmenterRecipe


def train_with_progress(
    masked: MaskedSource, settings: Mapping[str, Any], folder: Path, *, resume: bool, quiet: bool
) -> TrainedSegmenterRecipe:
    """Train with checkpoints in `folder`, and say how to go on where it is interrupted."""
    from flawline.api.train import train_segment

    try:
        return train_segment(
            masked,
            **settings,
            folder=folder,
            resume=resume,
            each=SegmentProgress(masked, folder, quiet=quiet),
            track=ProgressBar(quiet=quiet),
        )
    except KeyboardInterrupt:
        # Before the first step there is nothing to keep.
        if any(folder.glob("*.safetensors")):
            warn(f"{folder} keeps the training so far; --resume goes on with it")
        raise


class SegmentProgress:
    """Says what each epoch gave, and writes examples/epoch-N.jpg into the folder of the training for each best one."""

    def __init__(self, source: MaskedSource, folder: Path, *, quiet: bool) -> None:
        self._source, self._folder, self._quiet = source, folder, quiet

    def __call__(self, record: EpochRecord, split: Split) -> None:
        """One epoch is over."""
        from flawline.jobs.train.segment.examples import write_examples

        note(line_of(record), quiet=self._quiet)
        if record.best:
            path = self._folder / "examples" / f"epoch-{record.epoch:03d}.jpg"
            write_examples(self._source, split.validation, self._folder, path)


def line_of(record: EpochRecord) -> str:
    """An epoch in words."""
    parts = [f"epoch {record.epoch}: loss {record.losses.get('total', 0.0):.3f}"]
    if record.validation_loss is not None:
        parts.append(f"validation {record.validation_loss:.3f}")
    for name, value in record.iou.items():
        if name != "background" and value is not None:
            parts.append(f"{name} IoU {100 * value:.1f} %")
    if record.mean_iou is not None:
        parts.append(f"mean {100 * record.mean_iou:.1f} %{', the best' if record.best else ''}")
    return f"{', '.join(parts)}; about {time_words(record.seconds_left)} left"


def time_words(seconds: float) -> str:
    """Seconds below two minutes, minutes above."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
