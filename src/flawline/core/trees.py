"""Decision trees as plain padded arrays, evaluated without executing saved code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Trees(Protocol):
    """Trees of equal padded length. All arrays are (trees, nodes); children are -1 at leaves.

    `feature` is the column that a node splits, `threshold` its limit (<= goes left).
    """

    @property
    def left(self) -> NDArray[np.int32]: ...
    @property
    def right(self) -> NDArray[np.int32]: ...
    @property
    def feature(self) -> NDArray[np.int32]: ...
    @property
    def threshold(self) -> NDArray[np.float64]: ...


def padded(parts: Sequence[Any], dtype: type, fill: int) -> Any:
    """Stack arrays of unequal length (n, ...) to (len(parts), longest, ...), filled up with `fill`."""
    arrays = [np.asarray(part) for part in parts]
    longest = max(len(part) for part in arrays)
    out = np.full((len(arrays), longest, *arrays[0].shape[1:]), fill, dtype=dtype)
    for row, part in zip(out, arrays, strict=True):
        row[: len(part)] = part
    return out


def descend(
    trees: Trees, tree: int, values: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Walk all rows down one tree, a level at a time: (rows that moved, node reached, node left)."""
    alive = np.arange(len(values))
    node = np.zeros(len(values), dtype=np.intp)
    while True:
        inner = trees.left[tree, node] >= 0
        alive, node = alive[inner], node[inner]
        if not len(alive):
            return
        field, limit = trees.feature[tree, node], trees.threshold[tree, node]
        goes_left = values[alive, field] <= limit
        parent = node
        node = np.where(goes_left, trees.left[tree, node], trees.right[tree, node]).astype(np.intp)
        yield alive, node, parent


def check_trees(trees: Trees, columns: int) -> None:
    """Raise ValueError where saved trees do not fit together or a walk down one might never end."""
    shape = trees.left.shape
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError("left holds no trees")
    for name in ("right", "feature", "threshold"):
        came = getattr(trees, name).shape
        if came != shape:
            raise ValueError(f"{name} must have the shape {shape}, it has {came}")
    here = np.arange(shape[1], dtype=np.int64)
    inner = trees.left >= 0
    for name in ("left", "right"):
        child = getattr(trees, name)
        # Children come after their parents, so a path cannot have a cycle.
        if not ((child > here) & (child < shape[1]))[inner].all():
            raise ValueError(f"{name} holds values out of range")
    if not ((trees.feature >= 0) & (trees.feature < columns))[inner].all():
        raise ValueError("feature holds values out of range")


def leaves(trees: Trees, tree: int, values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Find the leaf of one tree that each row of (N, F) reaches."""
    leaf = np.zeros(len(values), dtype=np.intp)
    for alive, node, _ in descend(trees, tree, values):
        leaf[alive] = node
    return leaf
