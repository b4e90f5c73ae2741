"""Search many pictures for possible copies by compact texture descriptors and nearest neighbours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from flawline.jobs.groups.similarity import polar, texture_centre

_ANGLES, _RADII = 256, 40
_INNERMOST = 4
_FREQUENCIES = 64
_POOLED = 2
_GRID = 16
_COMPRESSION = 0.15  # exponent on power: strong rings must not dominate fine texture
_FIELDS = 128
_RIDGE = 0.003
_BLOCK = 512


def turn_free_descriptor(contrast: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe the frequencies around circles of growing radius, float32 (1134,); invariant to turns and mirroring."""
    circles = polar(contrast, texture_centre(contrast), _ANGLES, _RADII)[:, _INNERMOST:]
    power = np.abs(fft.rfft(circles, axis=0)[1:_FREQUENCIES]) ** 2
    pooled = power.reshape(len(power), -1, _POOLED).sum(axis=2)
    values: NDArray[np.float32] = (pooled**_COMPRESSION).ravel().astype(np.float32)
    return values / max(float(np.linalg.norm(values)), 1e-12)


def grid_descriptor(contrast: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe the coarse layout of a picture, float32 (256,) of length 1; tolerates other crops, not turns."""
    smooth = cv2.GaussianBlur(contrast, (0, 0), 1.5)
    grid = cv2.resize(smooth, (_GRID, _GRID), interpolation=cv2.INTER_AREA).ravel()
    grid = grid - grid.mean()
    return np.asarray(grid / max(float(np.linalg.norm(grid)), 1e-12), dtype=np.float32)


def whitened(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Project rows (N, D) on at most 128 principal axes of equal spread, each of length 1.

    The first axes hold what all parts of one design have in common; whitening keeps it from hiding the differences
    (H. Jegou and O. Chum, "Negative evidences and co-occurences in image retrieval", ECCV 2012).
    """
    fields = min(_FIELDS, len(values) // 2)
    if fields < 2:
        return values
    centred = values - values.mean(axis=0, dtype=np.float64)
    along, spread, _ = np.linalg.svd(centred, full_matrices=False)
    along, variance = along[:, :fields], spread[:fields] ** 2
    weight = spread[:fields] / np.sqrt(variance + _RIDGE * max(float(variance[0]), 1e-12))
    scaled = along * weight
    length = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.maximum(length, 1e-12), dtype=np.float32)


def dihedral_variants(grids: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Build the grid descriptors (N, 256) of the eight quarter turns and mirror images."""
    maps = grids.reshape(len(grids), _GRID, _GRID)
    both = (maps, maps[:, :, ::-1])
    turned = [np.rot90(side, quarter, (1, 2)) for side in both for quarter in range(4)]
    return [np.ascontiguousarray(variant).reshape(grids.shape) for variant in turned]


def nearest(
    queries: list[NDArray[np.float32]], values: NDArray[np.float32], count: int
) -> NDArray[np.intp]:
    """Find for each row the `count` other rows nearest to any of its variants, nearest first: (N, count).

    `queries` are variants of `values` (N, D), N > count; nearness is the inner product, equal ones in order of index.
    """
    indices = []
    for start in range(0, len(values), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(values)))
        near = np.max([variant[rows] @ values.T for variant in queries], axis=0)
        near[np.arange(len(rows)), rows] = -np.inf
        indices.append(np.argsort(-near, axis=1, kind="stable")[:, :count])
    return np.concatenate(indices)
