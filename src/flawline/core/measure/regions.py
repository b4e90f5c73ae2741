"""Regions of a batch of masks, measured all at once with NumPy and OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.circle import Circles, enclosing_circles
from flawline.core.measure.gaps import close_pairs, grouped, nearest_gaps
from flawline.core.measure.hull import (
    Hulls,
    Rectangles,
    convex_areas,
    hulls,
    smallest_rectangles,
)
from flawline.core.measure.outline import Outlines, Points, joined, outlines, polygon_areas
from flawline.core.measure.outline import perimeters as outline_lengths
from flawline.core.measure.pixels import contrasts, mean_probabilities, subpixel
from flawline.core.measure.ragged import Floats, Integers
from flawline.core.measure.runs import (
    Labelled,
    Mask,
    Runs,
    Touching,
    label_runs,
    runs_of_masks,
    touching_runs,
)
from flawline.core.measure.strips import Strip, strips
from flawline.core.measure.sums import (
    Boxes,
    Moments,
    areas,
    areas_inside_contours,
    boxes,
    holes,
    moments,
)
from flawline.core.measure.widths import lengths_and_widths

Rings = tuple[tuple[Points, ...], ...]


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions by picture and then by their topmost leftmost pixel; arrays have one entry per region.

    `pieces` is the number of connected pieces of each. Everything else is computed on first use. Lengths are in px,
    areas in px2, and places from the top left corner of the picture.
    """

    labelled: Labelled
    touching: Touching
    pieces: Integers
    masks: Sequence[Mask]
    pictures: Sequence[NDArray[np.uint8] | None] | None = None
    probabilities: Sequence[NDArray[np.float32] | None] | None = None
    cluster_gap: float = 0

    @cached_property
    def boxes(self) -> Boxes:
        """Bounding boxes, pictures and classes."""
        return boxes(self.labelled)

    @cached_property
    def area(self) -> Integers:
        """Pixels."""
        return areas(self.labelled)

    @cached_property
    def edge_distance(self) -> Integers:
        """Gap to the nearest edge of the picture."""
        around, runs = self.boxes, self.labelled.runs
        wide, high = runs.width[around.picture], runs.height[around.picture]
        edges = [around.left, around.top, wide - around.right, high - around.bottom]
        return np.asarray(np.minimum.reduce(edges), dtype=np.int64)

    @cached_property
    def holes(self) -> Integers:
        """Background that the pixels enclose."""
        return holes(self.labelled, self.touching, self.pieces)

    @cached_property
    def moments(self) -> Moments:
        """Centroids and central second moments."""
        return moments(self.labelled, self.area, self.boxes.left, self.boxes.top)

    @cached_property
    def hulls(self) -> Hulls:
        """Convex hulls of pixel centres."""
        return hulls(self.labelled, self.boxes)

    @cached_property
    def convex_area(self) -> Floats:
        """Pixels of the convex hull."""
        return convex_areas(self.hulls)

    @cached_property
    def circles(self) -> Circles:
        """Smallest enclosing circles of pixel centres, from the centre of the first pixel."""
        return enclosing_circles(self.hulls)

    @cached_property
    def rectangles(self) -> Rectangles:
        """Smallest rotated rectangles."""
        return smallest_rectangles(self.hulls)

    @cached_property
    def nearest_distance(self) -> Floats:
        """Gap to the nearest other region of the picture; infinite where there is none."""
        return nearest_gaps(self.labelled, self.boxes, self.hulls)

    @cached_property
    def cluster(self) -> Integers:
        """The cluster of each region, numbered from 0 in every picture."""
        around, count = self.boxes, self.labelled.count
        limit = np.full(count, float(self.cluster_gap))
        group = grouped(count, close_pairs(self.labelled, around, limit))
        first = np.full(int(around.picture.max(initial=-1)) + 1, count)
        np.minimum.at(first, around.picture, group)
        return np.asarray(group - first[around.picture], dtype=np.int64)

    @cached_property
    def _traced(self) -> list[tuple[Strip, Outlines, Outlines]]:
        return [(strip, *outlines(strip)) for strip in strips(self.labelled, self.boxes)]

    @cached_property
    def outlines(self) -> Outlines:
        """Outer contours through pixel centres."""
        return joined([outer for _, outer, _ in self._traced])

    @cached_property
    def contour_area(self) -> Floats:
        """Area inside the outer contours, holes included; regions with holes are traced."""
        area = areas_inside_contours(self.labelled, self.touching)
        hollow = self.holes > 0
        if hollow.any():
            traced = joined([outlines(s)[0] for s in strips(self.labelled, self.boxes, hollow)])
            area[hollow] = polygon_areas(traced, self.labelled.count)[hollow]
        return area

    @cached_property
    def perimeter(self) -> Floats:
        """Length of the outer contours."""
        return outline_lengths(self.outlines, self.labelled.count)

    @cached_property
    def skeletons(self) -> Floats:
        """Length along the skeleton and largest width, (2, regions)."""
        both = np.zeros((2, self.labelled.count))
        for strip, _, every in self._traced:
            both[:, strip.regions] = lengths_and_widths(strip, every)
        return both

    @cached_property
    def contrast(self) -> Floats:
        """Mean grey level less that of the surroundings; 0 where a mask has no picture."""
        return contrasts(self.labelled, self.boxes, self.masks, self.pictures or ())

    @cached_property
    def probability(self) -> Floats:
        """Mean probability of the class; 0 where a mask has no probabilities."""
        return mean_probabilities(self.labelled, self.probabilities or ())

    @cached_property
    def _subpixel(self) -> tuple[Floats, list[tuple[Points, ...]]]:
        return subpixel(self.labelled, self.masks, self.probabilities or ())

    @cached_property
    def subpixel_area(self) -> Floats:
        """Area inside the sub-pixel contours less the holes; 0 where a mask has no probabilities."""
        return self._subpixel[0]

    @cached_property
    def contours(self) -> Rings:
        """Outer contours of the pieces of each region, finer than a pixel where there are probabilities."""
        rough = self.outlines.rings(self.labelled.count)
        if self.probabilities is None:
            return rough
        return tuple(fine or own for fine, own in zip(self._subpixel[1], rough, strict=True))


def find_regions(
    masks: Sequence[Mask],
    *,
    merge: float,
    cluster: float,
    smallest: int,
    pictures: Sequence[NDArray[np.uint8] | None] | None,
    probabilities: Sequence[NDArray[np.float32] | None] | None,
) -> Regions:
    """Find the regions of class masks; arguments as of `measure.measure`.

    Raises:
        ValueError: a mask is not uint8, not two-dimensional or empty.
    """
    runs = runs_of_masks(masks)
    touching = touching_runs(runs)
    labelled = label_runs(runs, touching)
    pieces = np.ones(labelled.count, dtype=np.int64)
    if merge >= 0 and labelled.count:
        limit = np.full(labelled.count, float(merge))
        pairs = close_pairs(labelled, boxes(labelled), limit, same_class=True)
        group = grouped(labelled.count, pairs)
        pieces = np.bincount(group)
        labelled = replace(labelled, region=group[labelled.region], count=len(pieces))
    if smallest > 1 and labelled.count:
        large = areas(labelled) >= smallest
        labelled, pieces = _selected(labelled, large), pieces[large]
        touching = touching_runs(labelled.runs)
    return Regions(labelled, touching, pieces, masks, pictures, probabilities, cluster)


def _selected(labelled: Labelled, regions: NDArray[np.bool_]) -> Labelled:
    runs, own = labelled.runs, regions[labelled.region]
    number = np.cumsum(regions) - 1
    fewer = Runs(
        runs.picture[own],
        runs.row[own],
        runs.start[own],
        runs.stop[own],
        runs.value[own],
        runs.height,
        runs.width,
    )
    return Labelled(fewer, number[labelled.region[own]], int(regions.sum()))
