"""Measure the defects of class masks: one row per defect, all pictures of a batch at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.circle import enclosing_circles
from flawline.core.measure.columns import BY_NAME, CONTOURS, NAMES
from flawline.core.measure.defects import Defects, joined
from flawline.core.measure.gaps import close_pairs, grouped, nearest_gaps
from flawline.core.measure.hull import Hulls, convex_areas, hulls, smallest_rectangles
from flawline.core.measure.outline import joined as joined_outlines
from flawline.core.measure.outline import outlines, perimeters, polygon_areas
from flawline.core.measure.pixels import contrasts, mean_probabilities, subpixel
from flawline.core.measure.ragged import Integers
from flawline.core.measure.runs import Labelled, Mask, Runs, label_runs, runs_of_masks
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

ALL = (*NAMES, CONTOURS)
_BATCH = 128  # masks of some hundred kilobytes whose runs stay in the cache
_LEAST = 8  # masks that are worth a thread


def measure(
    masks: Sequence[Mask],
    *,
    columns: Collection[str] = ALL,
    probabilities: Sequence[NDArray[np.float32] | None] | None = None,
    pictures: Sequence[NDArray[np.uint8] | None] | None = None,
    merge: float = -1,
    cluster: float = 0,
    smallest: int = 1,
    workers: int = 1,
) -> Defects:
    """Measure every defect of class masks.

    A defect is an 8-connected region of one class: pixels that touch by a corner belong together, regions that touch
    are one and are not split. With `merge`, pieces of one class with at most that gap between them are one defect.
    Holes do not count to `area`; what lies in a hole is a defect of its own. At the border a defect ends.

    Args:
        masks: uint8 (height, width) of class indices, 0 background; sizes may differ.
        columns: which columns to compute, of `columns.COLUMNS` and "contours"; all by default, those of probability
            and contrast where what they need is given.
        probabilities: for each mask float32 (K, height, width), plane k for class k with 0 the background, or
            (height, width) for the one class of a mask, or None. The contours then have sub-pixel places.
        pictures: for each mask the uint8 picture (height, width) or (height, width, 3), or None.
        merge: largest gap in px, from pixel edge to pixel edge, between pieces of one defect; below 0 none are merged.
        cluster: largest gap in px between neighbours of one cluster, whatever their classes.
        smallest: defects of fewer pixels are left out before anything else is measured.
        workers: threads; the result does not depend on them.

    Raises:
        ValueError: a mask, map or picture does not have the shape it must have, or a column is not known.
    """
    wanted = _checked_columns(columns, probabilities is not None, pictures is not None)
    _check_planes(masks, probabilities, pictures)
    portions = max(min(workers, len(masks) // _LEAST), -(-len(masks) // _BATCH), 1)
    edges = np.linspace(0, len(masks), portions + 1).astype(int).tolist()

    def one(begin: int, end: int) -> Defects:
        return _measure(
            masks[begin:end],
            wanted,
            probabilities[begin:end] if probabilities is not None else None,
            pictures[begin:end] if pictures is not None else None,
            merge,
            cluster,
            smallest,
        )

    if portions == 1:
        return one(0, len(masks))
    with ThreadPoolExecutor(workers, thread_name_prefix="measure") as pool:
        parts = list(pool.map(one, edges[:-1], edges[1:]))
    return joined(parts, np.diff(edges).tolist())


def _measure(
    masks: Sequence[Mask],
    wanted: frozenset[str],
    probabilities: Sequence[NDArray[np.float32] | None] | None,
    pictures: Sequence[NDArray[np.uint8] | None] | None,
    merge: float,
    cluster: float,
    smallest: int,
) -> Defects:
    labelled, pieces = _regions(runs_of_masks(masks), merge, smallest)
    around = boxes(labelled)
    found: dict[str, Any] = _sums(labelled, around, pieces)
    area = found["area"]
    if "moments" in wanted:
        found |= _moments(labelled, around, area)
    if wanted & {"circle", "rectangle", "convex", "nearest"}:
        found |= _hull_columns(labelled, around, hulls(labelled, around), wanted, area)
    if "cluster" in wanted:
        found["cluster"] = _clusters(labelled, around, cluster)
    rings = None
    if wanted & {"outline", "skeleton", CONTOURS}:
        columns, rings = _strip_columns(labelled, around, wanted, area)
        found |= columns
    elif "inside" in wanted:
        found["contour_area"] = _inside(labelled, around, found["holes"])
    if "contrast" in wanted and pictures is not None:
        found["contrast"] = contrasts(labelled, around, masks, pictures)
    if "probability" in wanted and probabilities is not None:
        found["probability"] = mean_probabilities(labelled, probabilities)
        found["subpixel_area"], finer = subpixel(labelled, masks, probabilities)
        rings = rings and tuple(fine or rough for fine, rough in zip(finer, rings, strict=True))
    ordered = {
        name: found[name] for name in NAMES if name in found and BY_NAME[name].group in wanted
    }
    return Defects(around.picture, around.value, ordered, rings if CONTOURS in wanted else None)


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
    place = np.cumsum(mine) - 1
    pairs = mine[labelled.upper]
    fewer = replace(
        runs,
        picture=runs.picture[mine],
        row=runs.row[mine],
        start=runs.start[mine],
        stop=runs.stop[mine],
        value=runs.value[mine],
    )
    return Labelled(
        fewer,
        number[labelled.region[mine]],
        int(kept.sum()),
        place[labelled.upper[pairs]],
        place[labelled.lower[pairs]],
    )


def _sums(labelled: Labelled, around: Boxes, pieces: Integers) -> dict[str, Any]:
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
        "holes": holes(labelled, pieces),
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


def _inside(labelled: Labelled, around: Boxes, with_holes: Integers) -> NDArray[np.float64]:
    """Area inside the contour without tracing; a region with holes is traced, for its contour passes them over."""
    area = areas_inside_contours(labelled)
    hollow = with_holes > 0
    if hollow.any():
        traced = joined_outlines([outlines(s)[0] for s in strips(labelled, around, hollow)])
        area[hollow] = polygon_areas(traced, labelled.count)[hollow]
    return area


def _checked_columns(
    columns: Collection[str], probabilities: bool, pictures: bool
) -> frozenset[str]:
    """The groups to compute for these columns."""
    unknown = sorted(set(columns) - set(ALL))
    if unknown:
        raise ValueError(f"expected columns of {', '.join(ALL)}, got {', '.join(unknown)}")
    wanted = {BY_NAME[name].group if name in BY_NAME else name for name in columns}
    missing = {"contrast"} if not pictures else set()
    missing |= {"probability"} if not probabilities else set()
    return frozenset(wanted - missing)


def _check_planes(
    masks: Sequence[Mask],
    probabilities: Sequence[NDArray[np.float32] | None] | None,
    pictures: Sequence[NDArray[np.uint8] | None] | None,
) -> None:
    for name, planes in (("probabilities", probabilities), ("pictures", pictures)):
        if planes is None:
            continue
        if len(planes) != len(masks):
            raise ValueError(f"expected {name} for {len(masks)} masks, got {len(planes)}")
        for place, (mask, plane) in enumerate(zip(masks, planes, strict=True)):
            if plane is None:
                continue
            shape = plane.shape[-2:] if name == "probabilities" else plane.shape[:2]
            if shape != mask.shape:
                raise ValueError(
                    f"expected {name} of mask {place} to be {mask.shape}, got {plane.shape}"
                )
            if name == "probabilities" and not np.isfinite(plane).all():
                raise ValueError(f"expected finite probabilities, mask {place} has others")
