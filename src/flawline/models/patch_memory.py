"""A memory of patches of good parts: few that lie as far apart as possible, so that every good patch is near to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 2000
PER_WINDOW = 50
POOL = 40_000


def spread_out(patches: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Rows of patches (n, k) that lie far apart: each next one is the farthest from those chosen.

    Greedy k-centre (O. Sener and S. Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach",
    ICLR 2018), from the patch farthest from the mean, so that no draw decides. At most `count` rows, in the order of
    choice; copies of a chosen patch are never chosen.
    """
    lengths = np.einsum("nk,nk->n", patches, patches)
    centre = patches.mean(axis=0)
    chosen = [int(np.argmax(lengths - 2 * patches @ centre))]
    nearest = np.full(len(patches), np.inf, np.float32)
    while True:
        last = patches[chosen[-1]]
        np.minimum(nearest, lengths - 2 * (patches @ last) + lengths[chosen[-1]], out=nearest)
        farthest = int(np.argmax(nearest))
        # Rounding leaves a little between equal patches.
        if len(chosen) == min(count, len(patches)) or nearest[farthest] <= 1e-5 * lengths.max():
            return np.array(chosen, np.intp)
        chosen.append(farthest)


def thinned(patches: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """At most `count` of the patches (n, k), spread out."""
    return patches if len(patches) <= count else patches[np.sort(spread_out(patches, count))]


def scale_of(variances: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each of k directions is multiplied with: one over the root of its variance plus the mean variance.

    Between the plain distance, in which a few strong directions decide, and the whitened one, in which noise does.
    """
    level = float(variances.mean(dtype=np.float64))
    return np.asarray(1 / np.sqrt(variances.astype(np.float64) + level + 1e-12), np.float32)
