"""A memory of patches of good parts: few that lie as far apart as possible, so that every good patch is near to one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from flawline.data.cores import cpu_count

SIZE = 4000
POOL = 400_000
"""Most patches that are held at once while a memory is chosen: 102 MB in 64 directions."""
_BLOCK = 1 << 12
_FEW = 1 << 7
_AHEAD, _LEAST_AHEAD = 64, 1024
"""The next patches are chosen among this share of all, or as many at least, before all are compared with them."""

Rows = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Patches (n, k) and their squared lengths (n,)."""


def spread_out(patches: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Rows of patches (n, k) that lie far apart: each next one is the farthest from those chosen.

    Greedy k-centre (O. Sener and S. Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach",
    ICLR 2018), from the patch farthest from the mean, so that no draw decides. At most `count` rows, in the order of
    choice; copies of a chosen patch are never chosen.

    It takes n k count multiplications, of whole matrices: distances only fall, so among the patches that are farthest
    now, the next ones are chosen until one is nearer than all others were; then all are compared with these at once.
    Blocks of a fixed length give the same choice on any number of cores.
    """
    lengths = np.einsum("nk,nk->n", patches, patches)
    chosen = [int(np.argmax(lengths - 2 * (patches @ patches.mean(axis=0))))]
    nearest = np.full(len(patches), np.inf, np.float32)
    least = float(1e-5 * lengths.max())  # Rounding leaves a little between equal patches.
    wanted, ahead = min(count, len(patches)), max(_LEAST_AHEAD, len(patches) // _AHEAD)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(patches), _BLOCK)]
    new = chosen
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="flawline") as pool:
        each = pool.map if len(blocks) > 1 else map
        while True:
            last = patches[new], lengths[new]

            def compare(block: slice, last: Rows = last) -> None:
                np.minimum(
                    nearest[block],
                    _nearest((patches[block], lengths[block]), last),
                    out=nearest[block],
                )

            deque(each(compare, blocks), maxlen=0)
            if len(chosen) == wanted:
                return np.array(chosen, np.intp)
            rows, limit = _farthest(nearest, ahead)
            own = patches[rows], lengths[rows]
            limits = least, limit
            new = [
                int(rows[place])
                for place in _in_turn(own, nearest[rows], limits, wanted - len(chosen))
            ]
            if not new:
                return np.array(chosen, np.intp)
            chosen += new


def _nearest(rows: Rows, others: Rows) -> NDArray[np.float32]:
    """Squared distances (n,) from each row to the nearest of the others."""
    return _lowest(rows[0], (-2 * others[0]).T, others[1]) + rows[1]


def _lowest(
    rows: NDArray[np.float32], factors: NDArray[np.float32], lengths: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Lowest squared distances (n,) of rows to patches, less their own lengths; `factors` are -2 times the patches."""
    found = rows @ factors
    found += lengths
    return np.asarray(found.min(axis=1), np.float32)


def _farthest(nearest: NDArray[np.float32], count: int) -> tuple[NDArray[np.intp], float]:
    """Choose the `count` rows with the highest values, in their order, and the highest value of the others."""
    if count >= len(nearest):
        return np.arange(len(nearest)), -np.inf
    order = np.argpartition(nearest, len(nearest) - count - 1)[len(nearest) - count - 1 :]
    return np.sort(order[1:]), float(nearest[order[0]])


def _in_turn(
    own: Rows, nearest: NDArray[np.float32], limits: tuple[float, float], count: int
) -> Iterator[int]:
    """Give the farthest of a few patches, one after the other, while it is farther than both limits.

    The first need only be farther than the first limit: it is the farthest of all, though others may be as far.
    """
    rows, lengths = own
    for number in range(count):
        best = int(nearest.argmax())
        if nearest[best] <= limits[0] or (number and nearest[best] <= limits[1]):
            return
        yield best
        found = rows @ rows[best]
        found *= -2
        found += lengths
        found += lengths[best]
        np.minimum(nearest, found, out=nearest)


def thinned(patches: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Rows of at most `count` of the patches (n, k), spread out, in their order."""
    if len(patches) <= count:
        return np.arange(len(patches))
    return np.sort(spread_out(patches, count))


def scale_of(variances: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each of k directions is multiplied with: one over the root of its variance plus the mean variance.

    Between the plain distance, in which a few strong directions decide, and the whitened one, in which noise does.
    """
    level = float(variances.mean(dtype=np.float64))
    return np.asarray(1 / np.sqrt(variances.astype(np.float64) + level + 1e-12), np.float32)


def distances(
    patches: NDArray[np.float32],
    memory: NDArray[np.float32],
    left_out: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """From each patch (n, k) to the nearest of the memory (m, k), both multiplied with `scale_of`; float64 (n,).

    Patches of the memory that are `left_out`, bool (m,), do not count, unless all of them are.
    """
    counting = memory if left_out is None or left_out.all() else memory[~left_out]
    own, others = (np.einsum("nk,nk->n", rows, rows) for rows in (patches, counting))
    factors = (-2 * counting).T
    starts = range(0, len(patches), _FEW)
    # Few at a time: products of all would go through the memory of the machine three times.
    parts = [slice(start, start + _FEW) for start in starts]
    nearest = np.concatenate(
        [_lowest(patches[part], factors, others) + own[part] for part in parts]
    )
    return np.asarray(np.sqrt(np.maximum(nearest, 0).astype(np.float64)), np.float64)
