"""Cut the patches that a segmenter learns from: balanced around defects, determined by seed, epoch and number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.data.cores import cpu_count
from flawline.jobs.train.segment.augment import in_colour, pasted, relit
from flawline.jobs.train.segment.pairs import DefectPlaces, Pair, Pairs
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.jobs.train.segment.warp import cut_patch, draw_warp, place_anywhere, place_around

PREDICTED = 0.5
"""The share of patches that are cut out of pictures with predicted masks, where there are any."""


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Random patches of the pictures of a training; defects are pasted from `donors`, if not from the same."""

    pairs: Pairs
    defects: DefectPlaces
    settings: SegmentSettings
    donors: Patches | None = None

    def __call__(self, epoch: int, number: int) -> Pair:
        """Cut one patch, pixels uint8 (h, w, 3) and classes uint8 (h, w), determined by arguments and seed."""
        augmentation = self.settings.augmentation
        rng = np.random.default_rng([self.settings.seed, epoch, number])
        patch = self._cut(rng)
        donors = self.donors or self
        if augmentation.paste and rng.random() < augmentation.paste and donors.defects.present:
            patch = pasted(patch, *donors._around(rng))
        return in_colour(relit(patch[0], augmentation, rng)), patch[1]

    def _cut(self, rng: np.random.Generator) -> Pair:
        size, augmentation = self.settings.patch, self.settings.augmentation
        if self.settings.resolution == "fit":
            number = self._picture(rng)
            pair = self.pairs[number]
            middle = (np.array(size[::-1]) - 1) / 2
            return cut_patch(pair, middle, draw_warp(size, augmentation, rng), size)
        if self.defects.present and rng.random() < self.settings.around_defects:
            return self._around(rng)[0]
        pair = self.pairs[int(rng.integers(len(self.pairs)))]
        height, width = pair[1].shape
        centre = place_anywhere((height, width), size, rng)
        return cut_patch(pair, centre, draw_warp(size, augmentation, rng), size)

    def _picture(self, rng: np.random.Generator) -> int:
        """Draw a whole picture: with a defect of a class drawn evenly, or any."""
        if self.defects.present and rng.random() < self.settings.around_defects:
            return self._defect(rng)[0]
        return int(rng.integers(len(self.pairs)))

    def _defect(self, rng: np.random.Generator) -> tuple[int, NDArray[np.int32]]:
        """Draw a picture and a pixel (2,) of a defect in it: class, picture and region are each drawn evenly."""
        pictures = self.defects.places[int(rng.choice(self.defects.present))]
        number, regions = pictures[int(rng.integers(len(pictures)))]
        region = regions[int(rng.integers(len(regions)))]
        return number, region[int(rng.integers(len(region)))]

    def _around(self, rng: np.random.Generator) -> tuple[Pair, NDArray[np.float64]]:
        """Cut a patch that shows a defect, and return the place of the defect."""
        size = self.settings.patch
        number, pixel = self._defect(rng)
        warp = draw_warp(size, self.settings.augmentation, rng)
        pair = self.pairs[number]
        height, width = pair[1].shape
        centre, at = place_around(pixel, (height, width), warp, size, rng)
        return cut_patch(pair, centre, warp, size), at


@dataclass(frozen=True, slots=True, eq=False)
class MixedPatches:
    """Random patches, a half of them of pictures with masks and the others of pictures with predicted masks."""

    masked: Patches
    predicted: Patches

    def __call__(self, epoch: int, number: int) -> Pair:
        """Cut one patch as `Patches` does, determined by arguments and seed."""
        rng = np.random.default_rng([self.masked.settings.seed, epoch, number, 1])
        return (self.predicted if rng.random() < PREDICTED else self.masked)(epoch, number)


def batches(
    patches: Callable[[int, int], Pair], epoch: int, steps: range, batch: int, *, workers: int = 0
) -> Iterator[Pair]:
    """Cut the batches of some steps of an epoch: pixels uint8 (B, h, w, 3) and classes uint8 (B, h, w), in order.

    They do not depend on the number of `workers`, threads that cut the next batches ahead; without them the patches of
    a batch are cut in parallel when it is asked for.
    """
    pool = ThreadPoolExecutor(workers or cpu_count(), thread_name_prefix="flawline-patches")
    pending: deque[list[Future[Pair]]] = deque()
    try:
        for step in steps:
            numbers = range(step * batch, (step + 1) * batch)
            pending.append([pool.submit(patches, epoch, number) for number in numbers])
            if len(pending) > workers:
                yield _stacked(pending.popleft())
        while pending:
            yield _stacked(pending.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _stacked(futures: list[Future[Pair]]) -> Pair:
    drawn = [future.result() for future in futures]
    return np.stack([pixels for pixels, _ in drawn]), np.stack([mask for _, mask in drawn])
