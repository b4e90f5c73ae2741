"""Estimate the outlines of regions that were annotated with boxes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.box_outline import outline_in_box
from flawline.core.segmentation_metrics import IGNORE
from flawline.core.words import counted
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Paint,
    Shape,
)
from flawline.errors import ImageError
from flawline.types import Picture, Sample

MaskReader = Callable[[Sample, Callable[[], Picture]], Mask]


def size_of(picture: Picture) -> tuple[int, int]:
    """Return the size (height, width) of the pixels of a picture."""
    return picture.pixels.shape[0], picture.pixels.shape[1]


def with_outlines(picture: AnnotatedPicture, pixels: NDArray[np.uint8]) -> AnnotatedPicture:
    """Replace the boxes of a picture by shapes that paint what GrabCut finds in them (`outline_in_box`).

    Outside of all shapes is background. What is uncertain becomes 255 where no other shape is.
    """
    boxed = np.zeros(pixels.shape[:2], np.uint8)
    for shape in picture.shapes:
        # A broken shape raises its error when it is painted.
        with suppress(BrokenShape):
            shape.paint(boxed, 1)
    shapes = (
        replace(shape, paint=partial(_paint_outline, shape.paint, pixels, boxed > 0), box=False)
        if shape.box
        else shape
        for shape in picture.shapes
    )
    return AnnotatedPicture(picture.size, tuple(shapes))


def boxed_pictures(found: Annotations, entries: Mapping[str, str]) -> frozenset[str]:
    """Name the samples with a box among their shapes; `entries` are their names in the annotations."""

    def shapes(entry: str) -> tuple[Shape, ...]:
        # One that cannot be read raises its error when its mask is read.
        with suppress(ImageError):
            return found.read(entry).shapes
        return ()

    return frozenset(
        name for name, entry in entries.items() if any(shape.box for shape in shapes(entry))
    )


def estimate_note(pictures: int) -> str:
    """Say how many pictures have estimated outlines, and what that means."""
    return (
        f"outlines in the boxes of {counted(pictures, 'picture')} are estimated, not drawn: areas, thresholds and "
        "figures of pixels rest on boxes"
    )


def keeping(read: MaskReader, names: frozenset[str]) -> MaskReader:
    """Keep the masks of some samples once they were read, compressed: estimating them again would take long."""
    kept: dict[str, tuple[tuple[int, int], bytes]] = {}

    def again(sample: Sample, picture: Callable[[], Picture]) -> Mask:
        if sample.name not in names:
            return read(sample, picture)
        if sample.name not in kept:
            mask = read(sample, picture)
            kept[sample.name] = (mask.shape[0], mask.shape[1]), zlib.compress(mask.tobytes(), 1)
        shape, data = kept[sample.name]
        return np.frombuffer(bytearray(zlib.decompress(data)), np.uint8).reshape(shape)

    return again


def _paint_outline(
    paint: Paint, pixels: NDArray[np.uint8], boxed: NDArray[np.bool_], mask: Mask, value: int
) -> None:
    if value in (0, IGNORE):
        # No defect is looked for in a box of the background, or of a class that is to be ignored.
        paint(mask, value)
        return
    own = np.zeros_like(mask)
    paint(own, 1)
    if not own.any():
        return
    left, top, width, height = map(int, cv2.boundingRect(own))
    found = outline_in_box(pixels, (left, top, width, height), boxed)
    part = mask[top : top + height, left : left + width]
    part[(found == IGNORE) & (part == 0)] = IGNORE
    part[found == 1] = value
