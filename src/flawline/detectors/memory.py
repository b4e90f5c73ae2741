"""A memory of patches of good parts: few that lie as far apart as possible, so that every good patch is near to one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from flawline.data.cores import cpu_count

SIZE = 4000
POOL = 400_000
"""Most patches that are held at once while a memory is chosen: 102 MB in 64 directions."""
_BLOCK = 1 << 15


def spread_out(patches: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Rows of patches (n, k) that lie far apart: each next one is the farthest from those chosen.

    Greedy k-centre (O. Sener and S. Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach",
    ICLR 2018), from the patch farthest from the mean, so that no draw decides. At most `count` rows, in the order of
    choice; copies of a chosen patch are never chosen. It takes n k count multiplications, on all cores; blocks of a
    fixed length give the same choice on any number of them.
    """
    lengths = np.einsum("nk,nk->n", patches, patches)
    chosen = [int(np.argmax(lengths - 2 * (patches @ patches.mean(axis=0))))]
    nearest = np.full(len(patches), np.inf, np.float32)
    least = 1e-5 * lengths.max()  # Rounding leaves a little between equal patches.
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(patches), _BLOCK)]

    def farthest(block: slice) -> int:
        last = chosen[-1]
        found = patches[block] @ patches[last]
        found *= -2
        found += lengths[block]
        found += lengths[last]
        np.minimum(nearest[block], found, out=nearest[block])
        return int(block.start + nearest[block].argmax())

    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="flawline") as pool:
        each = pool.map if len(blocks) > 1 else map
        while True:
            best = max(each(farthest, blocks), key=nearest.__getitem__)
            if len(chosen) == min(count, len(patches)) or nearest[best] <= least:
                return np.array(chosen, np.intp)
            chosen.append(best)


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
    products = patches @ memory.T
    own, lengths = (np.einsum("nk,nk->n", rows, rows) for rows in (patches, memory))
    if left_out is not None and not left_out.all():
        lengths = np.where(left_out, np.float32(np.inf), lengths)
    nearest = (lengths - 2 * products).min(axis=1) + own
    return np.asarray(np.sqrt(np.maximum(nearest, 0).astype(np.float64)), np.float64)
