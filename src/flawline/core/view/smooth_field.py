"""Fit smooth fields over a picture robustly: polynomials in x and y."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Tukey's biweight ignores values more than this many deviations off (J. Fox and S. Weisberg, "Robust
# Regression", 2002, table 1: 95 % as good as least squares on normal errors).
_CUTOFF = 4.685
_ABSOLUTE, _BIWEIGHT = 10, 5
# Keeps the field near its mean where there are few values.
_RIDGE = 1e-3


def polynomials(size: tuple[int, int], degree: int) -> Floats:
    """Compute Legendre polynomials in x and y of total degree up to `degree`: (height * width, M), constant first."""
    down, across = (
        np.polynomial.legendre.legvander((np.arange(side) + 0.5) * 2 / side - 1, degree)
        for side in size
    )
    pairs = [(i, n - i) for n in range(degree + 1) for i in range(n + 1)]
    return np.stack([np.outer(down[:, i], across[:, j]).ravel() for i, j in pairs], axis=1)


def fit_field(basis: Floats, values: NDArray[Any], floor: float) -> tuple[Floats, float]:
    """Fit coefficients (M, C) of values (N, C) in a basis (N, M), with the spread of the values that follow it.

    Iteratively reweighted least squares, first towards least absolute deviations, then with Tukey's biweight; one
    weight for the channels of a place. The spread is 1.4826 times the median deviation, at least `floor`, which must
    be above 0.
    """
    y = values.astype(np.float64)
    ridge = _RIDGE * np.diag([1e-9] + [1.0] * (basis.shape[1] - 1))
    weights = np.ones(len(y))
    for step in range(_ABSOLUTE + _BIWEIGHT):
        weighted = basis * weights[:, None]
        coefficients = np.linalg.solve(weighted.T @ basis + weights.sum() * ridge, weighted.T @ y)
        off = np.abs(y - basis @ coefficients).max(axis=1)
        spread = max(1.4826 * float(np.median(off)), floor)
        if step < _ABSOLUTE:
            weights = floor / np.maximum(off, floor)
        else:
            weights = np.square(np.clip(1 - np.square(off / (_CUTOFF * spread)), 0, 1))
    return np.asarray(coefficients, np.float64), spread
