"""What patches of good parts are like, as Gaussians: one for each place, and some for each kind of content.

The energy of a patch is its negative log-likelihood but for constants: its squared Mahalanobis distance plus the
logarithm of the determinant. T. Defard et al., "PaDiM", ICPR Workshops 2021, has the Gaussian for each place, without
the determinant; the Gaussians by content know nothing of places, as a mixture does, with the likeliest taken alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Floats = NDArray[np.float64]

RIDGE = 0.1
CONTENT_RIDGE = 0.1
# How many patches the covariance of all patches counts for in addition to a place's or a content's own.
_PLACE_PRIOR, _CONTENT_PRIOR = 10.0, 500.0
_ROUNDS = 10
_CHUNK, _CHUNK_BYTES = 32, 2**23
_LEAST_REST = 0.1  # of a variance that leaving a window out may leave

MOST_PLACES = 1024
"""Where a window has more cells, blocks of them share a Gaussian: memory stays bounded, and each has seen more."""


@dataclass(frozen=True, slots=True, eq=False)
class PatchMoments:
    """Sums over patches in k dimensions for G Gaussians: `count` (G,), `total` (G, k), `scatter` (G, k, k), float64."""

    count: Floats
    total: Floats
    scatter: Floats

    @property
    def means(self) -> Floats:
        """(G, k); zero where nothing was counted."""
        return np.asarray(self.total / np.maximum(self.count, 1)[:, None])

    @property
    def covariances(self) -> Floats:
        """(G, k, k), about the means."""
        means = self.means
        found = self.scatter / np.maximum(self.count, 1)[:, None, None]
        found -= means[:, :, None] * means[:, None, :]
        return np.asarray(found)

    def plus(self, other: PatchMoments) -> PatchMoments:
        """Add the sums of others."""
        return PatchMoments(
            self.count + other.count, self.total + other.total, self.scatter + other.scatter
        )


def no_moments(gaussians: int, dimensions: int) -> PatchMoments:
    """Make sums over nothing."""
    return PatchMoments(
        np.zeros(gaussians),
        np.zeros((gaussians, dimensions)),
        np.zeros((gaussians, dimensions, dimensions)),
    )


def place_moments(windows: Iterable[NDArray[np.float32]], moments: PatchMoments) -> PatchMoments:
    """The moments of each place with windows of patches added, each float32 (G, n, k), n patches of a place."""
    count, total, scatter = moments.count.copy(), moments.total.copy(), moments.scatter.copy()
    for chunk in _chunks(windows):
        rows = np.concatenate(chunk, axis=1)
        count += rows.shape[1]
        total += rows.sum(axis=1, dtype=np.float64)
        # Products of so few numbers lose nothing that matters in float32; their sums go on in float64.
        scatter += rows.transpose(0, 2, 1) @ rows
    return PatchMoments(count, total, scatter)


def _chunks(windows: Iterable[NDArray[np.float32]]) -> Iterator[list[NDArray[np.float32]]]:
    source = iter(windows)
    for first in source:
        yield [first, *islice(source, min(_CHUNK - 1, _CHUNK_BYTES // first.nbytes))]


def block_side(grid: tuple[int, int]) -> int:
    """Cells along the side of the blocks that share a Gaussian: 1 up to `MOST_PLACES` cells, else a power of 2.

    Sides of a grid that such blocks do not fill evenly keep smaller ones.
    """
    side = 1
    while grid[0] * grid[1] > MOST_PLACES * side**2 and not any(n % (2 * side) for n in grid):
        side *= 2
    return side


def blocks(patches: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Patches (h * w, k) by the blocks that share a Gaussian: (G, side * side, k)."""
    side = block_side(grid)
    cut = patches.reshape(grid[0] // side, side, grid[1] // side, side, -1)
    return cut.transpose(0, 2, 1, 3, 4).reshape(-1, side * side, patches.shape[1])


def unblocked(values: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """Values of `blocks`, (G, side * side), by cell, (h * w,)."""
    side = block_side(grid)
    cut = values.reshape(grid[0] // side, grid[1] // side, side, side)
    return np.asarray(cut.transpose(0, 2, 1, 3).reshape(-1))


def distances_apart(
    windows: Iterable[NDArray[np.float32]], count: NDArray[Any], gaussians: Gaussians
) -> Iterator[Floats]:
    """Squared Mahalanobis distances (G, n) of learnt windows (G, n, k), as if each had not been learnt from.

    Leaving a window out moves the mean away from it and takes it out of the covariance, by the formula of J. Sherman
    and W. J. Morrison (Annals of Mathematical Statistics 21, 1950, p. 124); the little more weight of the covariance of
    all patches is left out of account. `count` (G,) are the patches that were learnt from.
    """
    means = gaussians.means[:, None]
    roots = np.ascontiguousarray(gaussians.factors.transpose(0, 2, 1))
    for window in windows:
        scaled = (window - means) @ roots
        found = np.einsum("gnk,gnk->gn", scaled, scaled).astype(np.float64)
        size = window.shape[1]
        number = float(count[0]) / size
        if number > 1:
            weight = (number - 1) / (number - 1 + _PLACE_PRIOR / size)
            rest = 1 - weight * number / (number - 1) ** 2 * found
            found *= (number / (number - 1)) ** 2 / np.maximum(rest, _LEAST_REST)
        yield found


def content_distances(patches: NDArray[np.float32], gaussians: Gaussians) -> Floats:
    """Lowest energies (n,) of patches (n, k) by Gaussians of kinds of content."""
    found = np.full(len(patches), np.inf)
    for mean, factor, constant in zip(
        gaussians.means, gaussians.factors, gaussians.constants, strict=True
    ):
        scaled = (patches - mean) @ factor.T
        np.minimum(found, np.einsum("nk,nk->n", scaled, scaled) + constant, out=found)
    return found


def content_moments(patches: NDArray[np.float32], centres: NDArray[np.float32]) -> PatchMoments:
    """The moments of the patches (n, k) that lie nearest to each centre (G, k)."""
    moments = no_moments(len(centres), centres.shape[1])
    nearest = assign(patches, centres)
    for place in range(len(centres)):
        own = patches[nearest == place].astype(np.float64)
        moments.count[place] = len(own)
        moments.total[place] = own.sum(axis=0)
        moments.scatter[place] = own.T @ own
    return moments


def assign(patches: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """Find the nearest centre (G, k) of each patch (n, k)."""
    lengths = np.einsum("gk,gk->g", centres, centres)
    return np.asarray(np.argmin(lengths - 2 * patches @ centres.T, axis=1))


def find_centres(patches: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    """At most `count` centres (G, k) of patches (n, k) by k-means (S. Lloyd 1982), from patches drawn at random.

    None is without patches: among many equal ones, fewer centres are all that there is to find.
    """
    rng = np.random.default_rng(seed)
    count = min(count, len(patches))
    centres = patches[np.sort(rng.choice(len(patches), count, replace=False))]
    for _ in range(_ROUNDS):
        nearest = assign(patches, centres)
        sums = np.stack(
            [np.bincount(nearest, column, count) for column in patches.T.astype(np.float64)], axis=1
        )
        sizes = np.bincount(nearest, minlength=count)[:, None]
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres).astype(np.float32)
    return np.asarray(centres[np.unique(assign(patches, centres))], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Gaussians:
    """`means` float32 (G, k), `factors` float32 (G, k, k) and `constants` float32 (G,).

    With y = factor @ (x - mean), the energy of a patch x is y @ y + constant: `factor` is the inverse of the Cholesky
    factor of the covariance, a lower triangle, `constant` the logarithm of the determinant.
    """

    means: NDArray[np.float32]
    factors: NDArray[np.float32]
    constants: NDArray[np.float32]


def place_gaussians(moments: PatchMoments) -> Gaussians:
    """A Gaussian for each place. Where windows are few, the covariance of all patches speaks for the place's own."""
    common = _common(moments)
    mixed = moments.covariances
    count = moments.count[:, None, None]
    mixed *= count / (count + _PLACE_PRIOR)
    mixed += _PLACE_PRIOR / (count + _PLACE_PRIOR) * common
    level = RIDGE * float(np.trace(mixed, axis1=1, axis2=2).mean()) / len(common)
    mixed += _ridge(level, len(common))
    return _gaussians(moments.means, mixed)


def content_gaussians(moments: PatchMoments) -> Gaussians:
    """A Gaussian for each kind of content."""
    own, count = moments.covariances, moments.count[:, None, None]
    pooled = (count * own).sum(axis=0) / moments.count.sum()
    mixed = (count * own + _CONTENT_PRIOR * pooled) / (count + _CONTENT_PRIOR)
    levels = CONTENT_RIDGE * np.trace(mixed, axis1=1, axis2=2) / own.shape[1]
    return _gaussians(moments.means, mixed + levels[:, None, None] * np.eye(own.shape[1]))


def _common(moments: PatchMoments) -> Floats:
    """The covariance of all patches, whatever their place."""
    whole = PatchMoments(
        moments.count.sum(keepdims=True),
        moments.total.sum(axis=0, keepdims=True),
        moments.scatter.sum(axis=0, keepdims=True),
    )
    return np.asarray(whole.covariances[0])


def _ridge(level: float, dimensions: int) -> Floats:
    # A constant picture has no variance at all, and anything else is infinitely anomalous next to it.
    return np.asarray(max(level, 1e-6) * np.eye(dimensions))


def _gaussians(means: Floats, covariances: Floats) -> Gaussians:
    floor = 1e-6 * np.eye(covariances.shape[1])
    factors = np.empty(covariances.shape, np.float32)
    constants = np.empty(len(covariances), np.float32)
    # A few at a time: what lies between takes several times the memory of the result.
    for start in range(0, len(covariances), _CHUNK):
        part = slice(start, start + _CHUNK)
        roots = np.linalg.cholesky(covariances[part] + floor)
        for place, root in enumerate(roots, start=start):
            # A general inverse takes four times as long.
            factors[place] = lapack.dtrtri(root.T)[0].T
        constants[part] = 2 * np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return Gaussians(means.astype(np.float32), factors, constants)


def unpacked(
    packed: NDArray[np.float32], dimensions: int, *, upper: bool = False
) -> NDArray[np.float32]:
    """Unpack lower triangles (G, k (k + 1) / 2), column after column, to matrices (G, k, k), or to their transposes."""
    full, start = np.zeros((len(packed), dimensions, dimensions), np.float32), 0
    for column in range(dimensions):
        stop = start + dimensions - column
        if upper:
            full[:, column, column:] = packed[:, start:stop]
        else:
            full[:, column:, column] = packed[:, start:stop]
        start = stop
    return full


def packed(matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pack lower triangles (G, k, k) as `unpacked` reads them."""
    side = matrices.shape[1]
    columns, rows = np.triu_indices(side)
    flat = matrices.reshape(len(matrices), -1)
    return np.asarray(np.take(flat, side * rows + columns, axis=1), np.float32)
