"""Measure regions by the largest circle inside and the length along the skeleton."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.outline import Outlines
from flawline.core.measure.ragged import Floats, Integers, first_of_each
from flawline.core.measure.skeleton import chain_lengths, prune, thin
from flawline.core.measure.strips import Strip

Sides = tuple[Integers, Floats, Floats]


def lengths_and_widths(strip: Strip, borders: Outlines) -> tuple[Floats, Floats]:
    """Measure skeleton length and largest width of each region of a strip, px.

    `borders` are all contours of the regions of the strip, including those of holes, sorted by region. The width is the
    diameter of the largest circle inside the contour, which runs through pixel centres, plus 1 px. Its centre is the
    centre or a corner of a pixel: the one farthest from the background.

    The skeleton without its side branches stops about half a width before the ends of the region, so the radius at
    each of its ends is added: a bar has its own length, a disc its diameter, a ring that of its middle line.
    """
    pixels = strip.pixels()
    depth = _depth(pixels)
    corners = pixels[:-1, :-1] & pixels[1:, :-1] & pixels[:-1, 1:] & pixels[1:, 1:]
    between = np.zeros_like(depth)
    between[:-1, :-1] = _depth(corners)
    sides = borders.segments()
    widest: Floats = np.maximum(
        _widths(strip, sides, depth, 0.0), _widths(strip, sides, between, 0.5)
    )
    skeleton = prune(strip, thin(strip), np.ceil(0.75 * widest).astype(np.int64))
    length, ends = chain_lengths(strip, skeleton)
    row, bit = np.nonzero(np.unpackbits(ends.view(np.uint8), axis=1, bitorder="little"))
    owner = strip.owner[row]
    length += np.bincount(owner, np.sqrt(depth[row, bit]) - 0.5, len(strip.regions))
    # A single pixel is both ends of its skeleton.
    alone = np.bincount(owner, minlength=len(strip.regions)) == 1
    return np.where(alone & (length < widest), widest, length), widest


def _depth(pixels: NDArray[np.uint8]) -> Integers:
    """Compute the squared distance from each pixel to the nearest 0 as integers, so that equal ones are equal."""
    distance = cv2.distanceTransform(pixels, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.rint(np.square(distance, dtype=np.float64)).astype(np.int64)


def _widths(strip: Strip, sides: Sides, depth: Integers, shift: float) -> Floats:
    """Compute the diameter of the circle around the deepest point of each region, `shift` px off the pixel centre."""
    bit = depth.argmax(axis=1)
    deepest = depth[np.arange(len(depth)), bit]
    row = _first_highest(deepest, strip)
    x = bit[row] - 0.5 + strip.left + shift
    y = row - strip.first - 0.5 + strip.top + shift
    distance = _distances(np.stack([x, y], axis=1), strip.regions, sides)
    return np.where(deepest[row] > 0, 2 * distance + 1, 0.0)


def _first_highest(values: Integers, strip: Strip) -> Integers:
    highest = np.maximum.reduceat(values, strip.first)
    rows = np.flatnonzero(values == highest[strip.owner])
    return np.asarray(rows[first_of_each(strip.owner[rows])], dtype=np.int64)


def _distances(places: Floats, regions: Integers, sides: Sides) -> Floats:
    """Compute the distance from one place in each of `regions` (ascending) to the nearest point of its contours."""
    owner, begin, end = sides
    number = np.searchsorted(regions, owner)
    along, reach = end - begin, places[number] - begin
    size = (along**2).sum(axis=1)
    share = np.divide((along * reach).sum(axis=1), size, out=np.zeros(len(size)), where=size > 0)
    off = reach - np.clip(share, 0, 1)[:, None] * along
    first = np.searchsorted(number, np.arange(len(regions)))
    return np.asarray(np.sqrt(np.minimum.reduceat((off**2).sum(axis=1), first)), dtype=np.float64)
