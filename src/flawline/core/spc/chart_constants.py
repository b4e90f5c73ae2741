"""Constants of control charts, computed from their definitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, log_ndtr, ndtr

_REACH = 9.0  # standard deviations; beyond them a normal variable adds less than 1e-18
_NODES = 128


@cache
def d2(size: int) -> float:
    """Compute the mean range of `size` independent standard normal numbers.

    The integral of 1 - F(x)^n - (1 - F(x))^n over x: L. H. C. Tippett, "On the extreme individuals and the range of
    samples taken from a normal population", Biometrika 17, 1925, pp. 364-387.

    Raises:
        ValueError: a size below 2.
    """
    _check(size)
    x, weights = _nodes()
    below = ndtr(x)
    above = ndtr(-x)
    return float(weights @ (1 - below**size - above**size))


@cache
def d3(size: int) -> float:
    """Compute the standard deviation of the range of `size` independent standard normal numbers.

    The mean square is twice the integral of 1 - F(y)^n - (1 - F(x))^n + (F(y) - F(x))^n over x < y (Tippett 1925).

    Raises:
        ValueError: a size below 2.
    """
    _check(size)
    x, weights = _nodes()
    # x runs from the lower end to y, so that no node lies on the edge of the region.
    share = (x + _REACH) / (2 * _REACH)
    y = x[:, None]
    inner = -_REACH + (y + _REACH) * share[None, :]
    below_y, above_x = ndtr(y), ndtr(-inner)
    between = np.clip(below_y - ndtr(inner), 0.0, 1.0)
    kernel = 1 - below_y**size - above_x**size + between**size
    inner_weights = (y + _REACH) * (weights / (2 * _REACH))[None, :]
    mean_square = 2 * float(weights @ (kernel * inner_weights).sum(axis=1))
    return float(np.sqrt(mean_square - d2(size) ** 2))


@cache
def deviation_of_median(size: int) -> float:
    """Compute the standard deviation of the median of `size` independent standard normal numbers.

    Of an odd number, from the density of the middle one; of an even one, from the joint density of the two in the
    middle (H. A. David and H. N. Nagaraja, "Order Statistics", 3rd ed. 2003, section 2.2).

    Raises:
        ValueError: a size below 2.
    """
    _check(size)
    x, weights = _nodes()
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    k = size // 2
    scale = float(gammaln(size + 1))
    if size % 2:
        logs = scale - 2 * gammaln(k + 1) + k * (log_ndtr(x) + log_ndtr(-x))
        return float(np.sqrt(weights @ (x**2 * np.exp(logs) * density)))
    share = (x + _REACH) / (2 * _REACH)
    y = x[:, None]
    inner = -_REACH + (y + _REACH) * share[None, :]
    logs = scale - 2 * gammaln(k) + (k - 1) * (log_ndtr(inner) + log_ndtr(-y))
    inner_density = np.exp(-(inner**2) / 2) / np.sqrt(2 * np.pi)
    kernel = ((inner + y) / 2) ** 2 * np.exp(logs) * inner_density * density[:, None]
    inner_weights = (y + _REACH) * (weights / (2 * _REACH))[None, :]
    return float(np.sqrt(weights @ (kernel * inner_weights).sum(axis=1)))


@cache
def c4(size: int) -> float:
    """Compute the mean sample standard deviation of `size` independent standard normal numbers.

    sqrt(2 / (n - 1)) G(n / 2) / G((n - 1) / 2) with the gamma function G: ASTM E2587, annex.

    Raises:
        ValueError: a size below 2.
    """
    _check(size)
    return float(np.sqrt(2 / (size - 1)) * np.exp(gammaln(size / 2) - gammaln((size - 1) / 2)))


def range_exceeds(widths: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the chance that the range of (G,) samples of standard normal numbers exceeds (G,) widths.

    1 - n times the integral of f(x) (F(x + w) - F(x))^(n - 1) over x (Tippett 1925).
    """
    x, weights = _nodes()
    density = weights * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    between = ndtr(x + widths[:, None]) - ndtr(x)
    inside = sizes * ((between ** (sizes[:, None] - 1)) @ density)
    return np.asarray(np.clip(1 - inside, 0.0, 1.0))


def c5(size: int) -> float:
    """Compute the deviation of the sample standard deviation of `size` standard normal numbers: sqrt(1 - c4^2)."""
    return float(np.sqrt(1 - c4(size) ** 2))


def per_size(constant: Callable[[int], float], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute a constant for each of (G,) subgroup sizes of at least 2."""
    different, place = np.unique(sizes, return_inverse=True)
    return np.array([constant(int(size)) for size in different], dtype=np.float64)[place]


def _check(size: int) -> None:
    if size < 2:
        raise ValueError(f"expected a subgroup of at least 2, got {size}")


@cache
def _nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, weights = np.polynomial.legendre.leggauss(_NODES)
    return x * _REACH, weights * _REACH
