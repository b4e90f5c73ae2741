"""What masks alone say of their defects, all regions of a batch at once with NumPy and OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.circle import enclosing_circles
from flawline.core.measure.columns import CONTOURS
from flawline.core.measure.gaps import close_pairs, grouped, nearest_gaps
from flawline.core.measure.hull import Hulls, convex_areas, hulls, smallest_rectangles
from flawline.core.measure.outline import Points, outlines, perimeters, polygon_areas
from flawline.core.measure.outline import joined as joined_outlines
from flawline.core.measure.pixels import contrasts
from flawline.core.measure.ragged import Integers
from flawline.core.measure.runs import (
    Labelled,
    Mask,
    Runs,
    Touching,
    label_runs,
    runs_of_masks,
    touching_runs,
)
from flawline.core.measure.strips import strips
from flawline.core.measure.sums import (
    Boxes,
    areas,
    areas_inside_contours,
    boxes,
    eccentricities,
    holes,
    moments,
)
from flawline.core.measure.widths import lengths_and_widths

Rings = tuple[tuple[Points, ...], ...]


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """What to measure: `groups` of columns and "contours", and how pieces become defects (see `measure.measure`)."""

    groups: frozenset[str]
    merge: float
    cluster: float
    smallest: int
    pictures: Sequence[NDArray[np.uint8] | None] | None


@dataclass(frozen=True, slots=True)
class Shapes:
    """Regions by picture and then by their topmost leftmost pixel; all arrays have one entry per region.

    `columns` holds the columns of the groups that were wanted, and maybe others. `rings` are the contours where they
    were wanted, `labelled` the runs where "probability" was.
    """

    picture: Integers
    value: Integers
    columns: dict[str, NDArray[Any]]
    rings: Rings | None
    labelled: Labelled | None


def shapes(masks: Sequence[Mask], want: MeasureRequest) -> Shapes:
    """Find and measure the regions of class masks.

    Raises:
        ValueError: a mask is not uint8, not two-dimensional or empty.
    """
    wanted = want.groups
    labelled, pieces = _regions(runs_of_masks(masks), want.merge, want.smallest)
    around = boxes(labelled)
    touching = touching_runs(labelled.runs)
    found: dict[str, Any] = _sums(labelled, touching, around, pieces)
    area = found["area"]
    if "moments" in wanted:
        found |= _moments(labelled, around, area)
    if wanted & {"circle", "rectangle", "convex", "nearest"}:
        found |= _hull_columns(labelled, around, hulls(labelled, around), wanted, area)
    if "cluster" in wanted:
        found["cluster"] = _clusters(labelled, around, want.cluster)
    rings = None
    if wanted & {"outline", "skeleton", CONTOURS}:
        columns, rings = _strip_columns(labelled, around, wanted, area)
        found |= columns
    elif "inside" in wanted:
        found["contour_area"] = _inside(labelled, touching, around, found["holes"])
    if "contrast" in wanted and want.pictures is not None:
        found["contrast"] = contrasts(labelled, around, masks, want.pictures)
    return Shapes(around.picture, around.value, found, rings, labelled)


def _regions(runs: Runs, merge: float, smallest: int) -> tuple[Labelled, Integers]:
    """Regions after merging and leaving out small ones, and the pieces of each."""
    labelled = label_runs(runs)
    pieces = np.ones(labelled.count, dtype=np.int64)
    if merge >= 0 and labelled.count:
        limit = np.full(labelled.count, float(merge))
        pairs = close_pairs(labelled, boxes(labelled), limit, same_class=True)
        group = grouped(labelled.count, pairs)
        pieces = np.bincount(group)
        labelled = replace(labelled, region=group[labelled.region], count=len(pieces))
    if smallest > 1 and labelled.count:
        kept = areas(labelled) >= smallest
        labelled, pieces = _only(labelled, kept), pieces[kept]
    return labelled, pieces


def _only(labelled: Labelled, kept: NDArray[np.bool_]) -> Labelled:
    runs, mine = labelled.runs, kept[labelled.region]
    number = np.cumsum(kept) - 1
    fewer = replace(
        runs,
        picture=runs.picture[mine],
        row=runs.row[mine],
        start=runs.start[mine],
        stop=runs.stop[mine],
        value=runs.value[mine],
    )
    return Labelled(fewer, number[labelled.region[mine]], int(kept.sum()))


def _sums(
    labelled: Labelled, touching: Touching, around: Boxes, pieces: Integers
) -> dict[str, Any]:
    wide = labelled.runs.width[around.picture]
    high = labelled.runs.height[around.picture]
    edge = np.minimum.reduce([around.left, around.top, wide - around.right, high - around.bottom])
    return {
        "area": areas(labelled),
        "left": around.left,
        "top": around.top,
        "width": around.right - around.left,
        "height": around.bottom - around.top,
        "edge_distance": edge,
        "touches_border": edge == 0,
        "holes": holes(labelled, touching, pieces),
        "pieces": pieces,
    }


def _clusters(labelled: Labelled, around: Boxes, distance: float) -> Integers:
    """The cluster of each region, numbered from 0 in every picture."""
    pairs = close_pairs(labelled, around, np.full(labelled.count, float(distance)))
    group = grouped(labelled.count, pairs)
    first = np.full(int(around.picture.max(initial=-1)) + 1, labelled.count)
    np.minimum.at(first, around.picture, group)
    return np.asarray(group - first[around.picture], dtype=np.int64)


def _moments(labelled: Labelled, around: Boxes, area: Integers) -> dict[str, Any]:
    found = moments(labelled, area, around.left, around.top)
    return {
        "centroid_x": found.x,
        "centroid_y": found.y,
        "eccentricity": eccentricities(found),
    }


def _hull_columns(
    labelled: Labelled, around: Boxes, corners: Hulls, wanted: frozenset[str], area: Integers
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "circle" in wanted:
        circles = enclosing_circles(corners)
        found |= {"circle_x": circles.x + 0.5, "circle_y": circles.y + 0.5}
        found["circle_radius"] = circles.radius
    if "rectangle" in wanted:
        rectangles = smallest_rectangles(corners)
        for name in ("x", "y", "length", "width", "angle"):
            found[f"rectangle_{name}"] = getattr(rectangles, name)
    if "convex" in wanted:
        found["convex_area"] = convex_areas(corners)
        found["solidity"] = area / found["convex_area"]
    if "nearest" in wanted:
        found["nearest_distance"] = nearest_gaps(labelled, around, corners)
    return found


def _strip_columns(
    labelled: Labelled, around: Boxes, wanted: frozenset[str], area: Integers
) -> tuple[dict[str, Any], tuple[tuple[Any, ...], ...]]:
    """What needs the shape of each region and not its runs: contours and skeletons."""
    made = list(strips(labelled, around))
    found: dict[str, Any] = {}
    pairs = [outlines(strip) for strip in made]
    traced = joined_outlines([outer for outer, _ in pairs])
    found["contour_area"] = polygon_areas(traced, labelled.count)
    perimeter = perimeters(traced, labelled.count)
    found["perimeter"] = perimeter
    found["circularity"] = np.minimum(1, 4 * np.pi * area / perimeter**2)
    if "skeleton" in wanted:
        both = np.zeros((2, labelled.count))
        for strip, (_, every) in zip(made, pairs, strict=True):
            both[:, strip.regions] = lengths_and_widths(strip, every)
        length, widest = both
        found |= {"skeleton_length": length, "mean_width": area / length, "max_width": widest}
    return found, traced.rings(labelled.count) if CONTOURS in wanted else ()


def _inside(
    labelled: Labelled, touching: Touching, around: Boxes, with_holes: Integers
) -> NDArray[np.float64]:
    """Area inside the contour without tracing; a region with holes is traced, for its contour passes them over."""
    area = areas_inside_contours(labelled, touching)
    hollow = with_holes > 0
    if hollow.any():
        traced = joined_outlines([outlines(s)[0] for s in strips(labelled, around, hollow)])
        area[hollow] = polygon_areas(traced, labelled.count)[hollow]
    return area
