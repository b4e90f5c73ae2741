"""Sources of masks with label errors of known places, and the true masks beside them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.masks import open_masks
from flawline.synthetic.heat_sink_files import HeatSinkSettings, write_heat_sinks
from flawline.synthetic.heat_sink_labels import LabelNoise
from flawline.types import Picture, Sample

Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]
Errors = dict[str, list[tuple[str, Box]]]

NOISE = LabelNoise(missing=0.03, extra=0.03, wrong_class=0.02, shifted=0.03)


class DrawnSource:
    """Drawn heat sinks with the label errors that were written beside them."""

    def __init__(self, folder: Path, classes: Sequence[str], pictures: int, seed: int) -> None:
        if not (folder / "samples.csv").is_file():
            write_heat_sinks(folder, HeatSinkSettings(pictures, seed, noise=NOISE))
        self._masked = open_masks(folder / "samples.csv", classes=list(classes))
        self._true = open_masks(
            folder / "images", annotations=folder / "truth", classes=list(classes)
        )
        self._samples = {sample.name: sample for sample in self._true.samples()}
        self.classes = self._masked.classes
        self.errors: Errors = {}
        with (folder / "label_errors.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                box = tuple(int(row[key]) for key in ("left", "top", "width", "height"))
                self.errors.setdefault(row["image"], []).append((row["error"], box))

    def samples(self) -> Sequence[Sample]:
        """All pictures."""
        return self._masked.samples()

    def pair(self, sample: Sample) -> tuple[Picture, Mask]:
        """A picture and its mask with errors."""
        return self._masked.pair(sample)

    def truth(self, sample: Sample) -> Mask:
        """The mask without errors."""
        return self._true.mask(self._samples[sample.name.rpartition("/")[2]])


class NoisySource:
    """Pictures of a manifest, with errors drawn into their masks."""

    def __init__(self, data: str, classes: Sequence[str], pictures: int, seed: int) -> None:
        self._masked = open_masks(data, classes=list(classes))
        self.classes = self._masked.classes
        known = [sample for sample in self._masked.samples() if sample.split == "train"]
        self._samples = known[:pictures]
        self._seed = seed
        self.errors: Errors = {}
        for sample in self._samples:
            _, self.errors[sample.name] = self._noisy(sample)

    def samples(self) -> Sequence[Sample]:
        """The first pictures of the train split."""
        return self._samples

    def pair(self, sample: Sample) -> tuple[Picture, Mask]:
        """A picture and its mask with errors."""
        return self._masked.pair(sample)[0], self._noisy(sample)[0]

    def truth(self, sample: Sample) -> Mask:
        """The mask as it came."""
        return self._masked.mask(sample)

    def _noisy(self, sample: Sample) -> tuple[Mask, list[tuple[str, Box]]]:
        rng = np.random.default_rng([self._seed, self._samples.index(sample)])
        true = self.truth(sample)
        mask, errors = np.zeros_like(true), []
        steps = np.cumsum([NOISE.missing, NOISE.wrong_class, NOISE.shifted])
        for value, box, pixels in regions_of(true, len(self.classes)):
            place = int(np.searchsorted(steps, rng.random(), side="right"))
            kind = ("missing", "wrong_class", "shifted", "")[place]
            errors += [(kind, box)] if kind else []
            if kind == "missing":
                continue
            if kind == "wrong_class":
                others = [n for n in range(1, len(self.classes)) if n != value]
                value = int(rng.choice(others))
            stamp(mask, pixels, _moved(box, rng) if kind == "shifted" else box[:2], value)
        donor = self.truth(self._samples[int(rng.integers(len(self._samples)))])
        for value, box, pixels in regions_of(donor, len(self.classes)):
            left = int(rng.integers(true.shape[1] - box[2] + 1))
            top = int(rng.integers(true.shape[0] - box[3] + 1))
            free = not true[top : top + box[3], left : left + box[2]][pixels].any()
            if rng.random() < NOISE.extra and free:
                stamp(mask, pixels, (left, top), value)
                errors.append(("extra", (left, top, box[2], box[3])))
        return mask, errors


def _moved(box: Box, rng: np.random.Generator) -> tuple[int, int]:
    """A corner 2.5 to 6 px beside that of a box."""
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(2.5, 6)
    return box[0] + round(length * np.cos(angle)), box[1] + round(length * np.sin(angle))


def regions_of(mask: Mask, classes: int) -> list[tuple[int, Box, NDArray[np.bool_]]]:
    """Class, box and pixels of the connected regions of a mask."""
    found = []
    for value in range(1, classes):
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(
            (mask == value).view(np.uint8), connectivity=8
        )
        for number in range(1, count):
            left, top, width, height = (int(side) for side in boxes[number, :4])
            own = labels[top : top + height, left : left + width] == number
            found.append((value, (left, top, width, height), own))
    return found


def stamp(mask: Mask, pixels: NDArray[np.bool_], corner: Sequence[int], value: int) -> None:
    """Write a class where `pixels` are, as far as they lie on the mask."""
    rows, columns = np.nonzero(pixels)
    rows, columns = rows + corner[1], columns + corner[0]
    on = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    mask[rows[on], columns[on]] = value
