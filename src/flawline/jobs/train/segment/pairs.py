"""Pictures with their masks, in memory as far as they fit, and the places of their defects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE
from flawline.core.view.framing import Size
from flawline.core.view.tiling import resize
from flawline.errors import FlawlineError, SourceError
from flawline.types import Picture, Sample, Track, no_track

CACHE_BYTES = 2**31
_PLACES = 32

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pixels uint8 (H, W, 3) RGB and classes uint8 (H, W), 255 where unknown.

Where it says so, the pixels of grey pictures are (H, W).
"""


class MaskedPictures(Protocol):
    """Pictures with masks of defect classes."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by number; number 0 is "background"."""
        ...

    def samples(self) -> Sequence[Sample]:
        """List all samples, each time in the same order."""
        ...

    def pair(self, sample: Sample) -> tuple[Picture, NDArray[np.uint8]]:
        """Read a picture and its mask, uint8 (H, W) of class numbers, 255 where unknown."""
        ...


class Pairs:
    """The pictures and masks of samples, by number; thread-safe."""

    def __init__(
        self,
        source: MaskedPictures,
        samples: Sequence[Sample],
        *,
        fit: Size | None = None,
        keep: int = CACHE_BYTES,
        lean: bool = False,
    ) -> None:
        """Read nothing yet; `fit` resizes all to one size, at most `keep` bytes stay in memory.

        If `lean`, pictures with three equal channels are stored and returned as one channel.
        """
        self.source = source
        self.samples = tuple(samples)
        self._fit = fit
        self._room = keep
        self._lean = lean
        self._cache: dict[int, Pair] = {}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: int) -> Pair:
        """Return pixels and classes of a sample.

        Raises:
            SourceError: the picture or its mask cannot be read, they are not of one size, or a value is no class.
        """
        if number in self._cache:
            return self._cache[number]
        pair = self._read(self.samples[number])
        size = pair[0].nbytes + pair[1].nbytes
        if size <= self._room:
            self._room -= size
            self._cache[number] = pair
        return pair

    def _read(self, sample: Sample) -> Pair:
        try:
            picture, mask = self.source.pair(sample)
        except FlawlineError as error:
            raise SourceError(
                f"{sample.name} cannot be learnt from: {error.message}",
                hint=error.hint,
                code=error.code,
            ) from error
        pixels = picture.pixels
        if mask.shape != pixels.shape[:2] or mask.dtype != np.uint8:
            raise SourceError(
                f"the mask of {sample.name} is {mask.dtype} {mask.shape}, expected uint8 {pixels.shape[:2]}",
                hint="give a mask of the size of its picture",
            )
        wrong = np.setdiff1d(np.unique(mask), [*range(len(self.source.classes)), IGNORE])
        if len(wrong):
            raise SourceError(
                f"the mask of {sample.name} has the value {wrong[0]}, which is no class",
                hint=f"expected 0 to {len(self.source.classes) - 1}, and {IGNORE} where unknown",
            )
        if self._fit is not None and mask.shape != self._fit:
            shrunk = cv2.resize(mask, self._fit[::-1], interpolation=cv2.INTER_NEAREST)
            pixels, mask = resize(pixels, self._fit), np.asarray(shrunk, np.uint8)
        if self._lean and (pixels == pixels[..., :1]).all():
            return np.ascontiguousarray(pixels[..., 0]), mask
        return pixels, mask


@dataclass(frozen=True, slots=True, eq=False)
class DefectPlaces:
    """Places of defects: `places[c]` has for each picture with class c its number and pixels (K, 2) of x, y by region.

    `pixels` int64 (N, C) counts the pixels of each class by picture.
    """

    places: tuple[tuple[tuple[int, tuple[NDArray[np.int32], ...]], ...], ...]
    pixels: NDArray[np.int64]

    @property
    def present(self) -> tuple[int, ...]:
        """Classes of defects that occur."""
        return tuple(c for c, pictures in enumerate(self.places) if c and pictures)


def find_defects(pairs: Pairs, *, seed: int = 0, track: Track = no_track) -> DefectPlaces:
    """Read all masks once and collect some pixels of every region."""
    classes = len(pairs.source.classes)
    found: list[list[tuple[int, tuple[NDArray[np.int32], ...]]]] = [[] for _ in range(classes)]
    counts = np.zeros((len(pairs), classes), np.int64)
    for number in track(range(len(pairs)), title="reading masks", total=len(pairs)):
        mask = pairs[number][1]
        counts[number] = np.bincount(mask.ravel(), minlength=IGNORE + 1)[:classes]
        rng = np.random.default_rng([seed, number])
        for c in np.flatnonzero(counts[number][1:]) + 1:
            found[c].append((number, _places(mask == c, rng)))
    return DefectPlaces(tuple(tuple(pictures) for pictures in found), counts)


def _places(of_class: NDArray[np.bool_], rng: np.random.Generator) -> tuple[NDArray[np.int32], ...]:
    """Draw some pixels (K, 2) of x and y of each region."""
    count, labels = cv2.connectedComponents(of_class.view(np.uint8), connectivity=8)
    y, x = np.nonzero(labels)
    region = labels[y, x]
    order = np.argsort(region, kind="stable")
    ends = np.cumsum(np.bincount(region, minlength=count)[1:])
    points = np.stack([x[order], y[order]], axis=1).astype(np.int32)
    return tuple(
        part if len(part) <= _PLACES else rng.choice(part, _PLACES, replace=False)
        for part in np.split(points, ends[:-1])
    )
