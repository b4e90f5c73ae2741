"""Measure the defects of class masks: one row per defect, all pictures of a batch at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import COLUMNS, CONTOURS, NAMES
from flawline.core.measure.defects import Defects, joined
from flawline.core.measure.regions import find_regions
from flawline.core.measure.runs import Mask

ALL = (*NAMES, CONTOURS)
_BATCH = 256  # masks of some hundred kilobytes whose runs stay in the cache
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

    A defect is an 8-connected region of one class: pixels that touch by a corner belong together, and touching regions
    are not split. With `merge`, pieces of one class with at most that gap between them are one defect. Holes do not
    count to `area`; a region in a hole is a defect of its own. Defects end at the border of the picture.

    Args:
        masks: uint8 (height, width) of class indices, 0 background; sizes may differ.
        columns: the columns to compute, of `columns.COLUMNS` and "contours"; all by default, those of probability and
            contrast where their inputs are given.
        probabilities: for each mask float32 (K, height, width), plane k for class k with 0 the background, or
            (height, width) for the one class of a mask, or None. The contours then are sub-pixel ones.
        pictures: for each mask the uint8 picture (height, width) or (height, width, 3), or None.
        merge: largest gap in px, from pixel edge to pixel edge, between pieces of one defect; below 0 none are merged.
        cluster: largest gap in px between neighbours of one cluster, whatever their classes.
        smallest: defects of fewer pixels are left out before anything else is measured.
        workers: threads; the result does not depend on them.

    Raises:
        ValueError: a mask, map or picture does not have the shape it must have, or a column is not known.
    """
    names = _computable(columns, probabilities is not None, pictures is not None)
    _check_planes(masks, probabilities, pictures)
    portions = max(min(workers, len(masks) // _LEAST), -(-len(masks) // _BATCH), 1)
    edges = np.linspace(0, len(masks), portions + 1).astype(int).tolist()

    def one(begin: int, end: int) -> Defects:
        regions = find_regions(
            masks[begin:end],
            merge=merge,
            cluster=cluster,
            smallest=smallest,
            pictures=pictures[begin:end] if pictures is not None else None,
            probabilities=probabilities[begin:end] if probabilities is not None else None,
        )
        values = {column.name: column.of(regions) for column in COLUMNS if column.name in names}
        contours = regions.contours if CONTOURS in names else None
        return Defects(regions.boxes.picture, regions.boxes.value, values, contours)

    if portions == 1:
        return one(0, len(masks))
    with ThreadPoolExecutor(workers, thread_name_prefix="measure") as pool:
        parts = list(pool.map(one, edges[:-1], edges[1:]))
    return joined(parts, np.diff(edges).tolist())


def _computable(columns: Collection[str], probabilities: bool, pictures: bool) -> frozenset[str]:
    """Select the columns whose inputs are given."""
    unknown = sorted(set(columns) - set(ALL))
    if unknown:
        raise ValueError(f"expected columns of {', '.join(ALL)}, got {', '.join(unknown)}")
    given = {"": True, "pictures": pictures, "probabilities": probabilities}
    return frozenset(columns) - {column.name for column in COLUMNS if not given[column.needs]}


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
