"""`shapes.shapes` by the compiled library: one call for all masks, during which other threads may run."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import BY_NAME, CONTOURS, NAMES
from flawline.core.measure.native.structures import Mask as Handed
from flawline.core.measure.native.structures import Result, Wishes
from flawline.core.measure.outline import Outlines
from flawline.core.measure.pixels import grey_of
from flawline.core.measure.runs import Labelled, Mask, Runs, checked_mask
from flawline.core.measure.shapes import MeasureRequest, Shapes

# Columns of the library's table: the place of the mask, the class, then all but those of probability.
_MEASURED = tuple(name for name in NAMES if BY_NAME[name].group != "probability")
_TABLE = 2 + len(_MEASURED)
_PLACE = {name: 2 + k for k, name in enumerate(_MEASURED)}
_TYPES = {"count": np.int64, "flag": np.bool_}
_WHOLE = frozenset(("area", "left", "top", "width", "height", "edge_distance"))
_WANTED = {
    "circle": 1,
    "rectangle": 2,
    "convex": 4,
    "moments": 8,
    "nearest": 16,
    "cluster": 32,
    "outline": 64,
    "skeleton": 128,
    CONTOURS: 256,
    "probability": 512,  # needs the runs
}
LARGEST = 2**31 - 1


def shapes(library: ctypes.CDLL, masks: Sequence[Mask], want: MeasureRequest) -> Shapes:
    """As `shapes.shapes`, for masks of at most `LARGEST` pixels.

    Raises:
        MemoryError: there is not enough memory.
    """
    kept = [np.ascontiguousarray(checked_mask(mask, k)) for k, mask in enumerate(masks)]
    greys = _greys(kept, want)
    handed = (Handed * len(kept))(
        *(
            Handed(mask.ctypes.data, None if grey is None else grey.ctypes.data, *mask.shape)
            for mask, grey in zip(kept, greys, strict=True)
        )
    )
    wishes = Wishes(
        sum(_WANTED.get(group, 0) for group in want.groups), want.smallest, want.merge, want.cluster
    )
    found = ctypes.POINTER(Result)()
    try:
        count = ctypes.c_int64(len(kept))
        if library.flawline_measure(handed, count, ctypes.byref(wishes), ctypes.byref(found)):
            raise MemoryError("not enough memory to measure the defects of these masks")
        return _taken(found.contents, kept, want)
    finally:
        library.flawline_free(found)


def fits(masks: Sequence[Mask]) -> bool:
    """Whether places in the masks are small enough for the library."""
    return all(mask.size <= LARGEST for mask in masks)


def _greys(masks: Sequence[Mask], want: MeasureRequest) -> list[NDArray[np.uint8] | None]:
    if want.pictures is None or "contrast" not in want.groups:
        return [None] * len(masks)
    return [None if p is None else np.ascontiguousarray(grey_of(p)) for p in want.pictures]


def _taken(found: Result, masks: Sequence[Mask], want: MeasureRequest) -> Shapes:
    rows: NDArray[np.float64] = _copied(found.table, (found.defects, _TABLE), np.float64)
    table = np.ascontiguousarray(rows.T)
    columns = {
        name: _typed(name, table[place])
        for name, place in _PLACE.items()
        if BY_NAME[name].group in want.groups
    }
    return Shapes(
        table[0].astype(np.int64),
        table[1].astype(np.int64),
        columns,
        _rings(found) if CONTOURS in want.groups else None,
        _labelled(found, masks) if "probability" in want.groups else None,
    )


def _typed(name: str, values: NDArray[np.float64]) -> NDArray[Any]:
    kind = np.int64 if name in _WHOLE else _TYPES.get(BY_NAME[name].unit)
    return values if kind is None else values.astype(kind)


def _rings(found: Result) -> tuple[tuple[NDArray[np.float32], ...], ...]:
    sizes = _copied(found.ring_sizes, (found.rings, 2), np.int32).astype(np.int64)
    points = _copied(found.ring_points, (found.points, 2), np.float32)
    return Outlines(points, sizes[:, 1], sizes[:, 0]).rings(found.defects)


def _labelled(found: Result, masks: Sequence[Mask]) -> Labelled:
    table = _copied(found.run_table, (found.runs, 6), np.int32).astype(np.int64)
    height, width = np.array([mask.shape for mask in masks], dtype=np.int64).reshape(-1, 2).T
    picture, row, start, stop, value, region = table.T.copy()
    runs = Runs(picture, row, start, stop, value, height, width)
    return Labelled(runs, region, found.defects)


def _copied(address: int | None, shape: tuple[int, int], kind: type[np.generic]) -> NDArray[Any]:
    made = np.empty(shape, kind)
    if made.size:
        ctypes.memmove(made.ctypes.data, address or 0, made.nbytes)
    return made
