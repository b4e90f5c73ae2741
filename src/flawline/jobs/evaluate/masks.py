"""Regions of masks, and which of them a recipe found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from flawline.core.segmentation_metrics import IGNORE
from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits
from flawline.data.masks.layers import read_layers
from flawline.data.masks.marked import marked_pixels, mask_colours
from flawline.data.source import Source
from flawline.data.stream import in_order
from flawline.errors import FlawlineError
from flawline.types import Sample, Unjudged

GRID = 1024
"""Longest side of pictures for pixel figures at full size, px."""
MOST_CLASSES = 32
"""Most different values of masks with classes; more are soft edges in masks of one class."""
_EIGHT_CONNECTED = np.ones((3, 3))


@dataclass(frozen=True, slots=True, eq=False)
class RegionMask:
    """The regions of one mask: `regions` int32 (h, w) is 0 where good, else the number of the 8-connected region.

    `areas` (K,) are in pixels, `codes` (K,) the commonest value of each region: its grey level, or 0xRRGGBB. A class
    mask has the class of every pixel too, uint8 (h, w) with 255 for unknown, and the class of each region as `labels`.
    """

    regions: NDArray[np.int32]
    areas: NDArray[np.int64]
    codes: NDArray[np.int64]
    classes: NDArray[np.uint8] | None = None
    labels: tuple[str, ...] = ()


def read_masks(
    source: Source, samples: Iterable[Sample]
) -> Iterator[tuple[Sample, RegionMask | Unjudged]]:
    """Read the masks of those samples that have one, in order, decoded ahead on all cores."""

    def read(sample: Sample) -> RegionMask | Unjudged:
        name = str(sample.mask)
        try:
            return mask_of(source.read_mask(name), source.image_limits)
        except FlawlineError as error:
            return Unjudged(name, error.code, error.message)

    return in_order((sample for sample in samples if sample.mask is not None), read)


def mask_of(data: bytes, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> RegionMask:
    """Find the regions of a mask file: all pixels that are not black are defective.

    A mask drawn in one colour on transparent is the alpha channel. In masks stored with losses black is not exact, so
    defects begin at half of the brightest value.

    Raises:
        ImageError: it cannot be decoded, or colours and alpha state different masks.
    """
    layers = read_layers(data, limits, lossless=False)
    pixels = mask_colours(layers)
    colours = pixels.astype(np.int64)
    codes = colours[..., 0]
    if (pixels != pixels[..., :1]).any():
        codes = colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]
    defective = marked_pixels(pixels, lossy=bool(layers.lossy))
    if layers.lossy:
        codes = np.where(defective, 255, 0)
    regions, count = ndimage.label(defective, _EIGHT_CONNECTED)
    inside = regions[defective] - 1
    return RegionMask(
        np.asarray(regions, np.int32),
        np.bincount(inside, minlength=count),
        _commonest(inside, codes[defective], count),
    )


def _commonest(
    region: NDArray[np.int64], codes: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Find the commonest code of each region (K,); of equally common ones the lowest."""
    commonest = np.zeros(count, np.int64)
    if not count:
        return commonest
    pairs, often = np.unique(np.stack([region, codes]), axis=1, return_counts=True)
    # The last one written stays: the commonest comes last, of equals the lowest code.
    order = np.lexsort((-pairs[1], often))
    commonest[pairs[0, order]] = pairs[1, order]
    return commonest


def mask_of_classes(classes: NDArray[np.uint8], names: Sequence[str]) -> RegionMask:
    """Find the regions of a class mask (h, w): 8-connected pixels of one class, 0 being good and 255 unknown.

    `names` are those of the classes, background first.
    """
    regions = np.zeros(classes.shape, np.int32)
    codes: list[int] = []
    present = [number for number in np.unique(classes).tolist() if number not in (0, IGNORE)]
    # By name, so that recipes that number the same classes differently see the same regions in the same order.
    for number in sorted(present, key=names.__getitem__):
        own, count = ndimage.label(classes == number, _EIGHT_CONNECTED)
        np.add(own, len(codes), out=regions, where=own > 0, casting="unsafe")
        codes += [number] * count
    return RegionMask(
        regions,
        np.bincount(regions.ravel(), minlength=len(codes) + 1)[1:],
        np.array(codes, np.int64),
        classes,
        tuple(names[code] for code in codes),
    )


def found_regions(mask: RegionMask, reported: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each region of a mask whether any of the `reported` pixels, bool (h, w), lies on it: (K,) booleans."""
    found = np.zeros(len(mask.areas) + 1, bool)
    found[mask.regions[reported]] = True
    return found[1:]


def on_grid(
    scores: NDArray[np.float32], mask: RegionMask | None, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Resize a map and a mask to the size of the picture, or reduce them by a whole number to at most `GRID` pixels.

    Args:
        scores: float32 (h, w), over the whole picture.
        mask: its mask, None for a picture that is good everywhere.
        size: (height, width) of the picture, px.

    Returns:
        Scores by bilinear interpolation and whether any pixel there is defective, both (H, W). Unknown pixels count as
        good and have the lowest score, so that they change no figure.
    """
    step = ceil(max(size) / GRID)
    height, width = (max(1, round(side / step)) for side in size)
    resized = cv2.resize(scores, (width, height), interpolation=cv2.INTER_LINEAR)
    fine: NDArray[np.float32] = np.asarray(resized, np.float32)
    if mask is None:
        return fine, np.zeros((height, width), bool)
    defective = _reduced(mask.regions > 0, (height, width))
    if mask.classes is not None and (unknown := mask.classes == IGNORE).any():
        fine[_reduced(unknown, (height, width)) & ~defective] = fine.min()
    return fine, defective


def _reduced(pixels: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Reduce a mask; a pixel is set where any of those that it replaces is."""
    if pixels.shape == size:
        return pixels
    share = cv2.resize(pixels.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0)


def class_names(values: Mapping[str, set[int]]) -> Mapping[tuple[str, int], str]:
    """Name regions by the label of the picture and the code, from the codes that occur under each label.

    Where masks hold several classes, a code that occurs under one label only, and alone there, has the name of that
    label; others are called "class 3". Where all masks hold one class, the label of the picture names it.
    """
    all_codes = set().union(*values.values()) if values else set()
    several = 1 < len(all_codes) <= MOST_CLASSES
    names: dict[tuple[str, int], str] = {}
    for label, codes in values.items():
        for code in codes:
            owners = [other for other, their_codes in values.items() if code in their_codes]
            alone = len(owners) == 1 and len(codes) == 1
            names[label, code] = label if not several or alone else _class_name(code)
    return names


def _class_name(code: int) -> str:
    return f"class {code}" if code < 256 else f"class #{code:06x}"
