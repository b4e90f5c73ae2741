"""Show what the best network of a training so far predicts on a few pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.jobs.train.segment.prediction import class_probabilities
from flawline.jobs.train.segment.segment_panels import three_panels, write_sheet
from flawline.jobs.train.segment.torch_settings import choose_machine
from flawline.jobs.train.segment.trained import load_trained
from flawline.types import Sample

COUNT = 6


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture uint8 RGB (H, W, 3), its mask and the predicted one, uint8 (H, W) each; 255 in the mask is unknown."""

    name: str
    pixels: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    predicted: NDArray[np.uint8]


def examples(
    source: MaskedPictures, samples: Sequence[Sample], folder: Path, count: int
) -> list[Example]:
    """Predict the most probable class on the first `count` samples with a defect."""
    trained = load_trained(folder)
    machine = choose_machine("cpu", trained.settings.precision)
    found: list[Example] = []
    for sample in samples:
        if len(found) == count:
            break
        picture, truth = source.pair(sample)
        if not ((truth > 0) & (truth != IGNORE)).any():
            continue
        probabilities = class_probabilities(
            trained.built.network,
            picture.pixels,
            trained.built.preparation,
            trained.settings.framing,
            machine,
        )
        predicted = probabilities.argmax(0).astype(np.uint8)
        found.append(Example(sample.name, picture.pixels, truth, predicted))
    return found


def write_examples(
    source: MaskedPictures, samples: Sequence[Sample], folder: Path, path: Path
) -> Path:
    """Write a JPEG of some validation pictures: picture, mask, and what the best network so far predicts."""
    found = examples(source, samples, folder, COUNT)
    return write_sheet([three_panels(one.pixels, one.truth, one.predicted) for one in found], path)
