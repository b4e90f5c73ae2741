"""Tolerance intervals of a normal process: limits that hold a share of its parts with a stated confidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtrix, nctdtrit, ndtri

from flawline.core.spc.transforms import Transform, apply, revert
from flawline.errors import UsageError

_NODES = 200
# The mean of a sample lies farther from that of the process than this many standard errors in no case that counts.
_REACH = 9.0


@dataclass(frozen=True, slots=True)
class ToleranceInterval:
    """Limits that hold a share of the parts with a confidence; `low` or `high` is None where there is no limit.

    `factor` is k of mean ± k s on the scale on which the values are normal.
    """

    low: float | None
    high: float | None
    factor: float
    share: float
    confidence: float


def tolerance_interval(
    values: NDArray[np.float64],
    transform: Transform,
    *,
    sides: tuple[bool, bool],
    share: float,
    confidence: float,
) -> ToleranceInterval | None:
    """Compute the interval of (N,) values of a stable process, below, above or on both `sides`.

    None under a transform that does not make the values normal with a mean and deviation of their own.

    Raises:
        UsageError: a share outside 0 to 1.
    """
    if not 0 < share < 1:
        raise UsageError(f"the coverage must be above 0 and below 1, got {share:g}")
    if transform.zeros or transform.name not in ("none", "log", "box-cox"):
        return None
    scores = apply(transform, values)
    factor = (two_sided_factor if all(sides) else one_sided_factor)(len(values), share, confidence)
    centre, sigma = float(scores.mean()), float(scores.std(ddof=1))
    ends = revert(transform, [centre - factor * sigma, centre + factor * sigma]).tolist()
    low, high = (end if side else None for end, side in zip(ends, sides, strict=True))
    return ToleranceInterval(low, high, factor, share, confidence)


def one_sided_factor(count: int, share: float, confidence: float) -> float:
    """Compute k of mean + k s, below which the share of a normal process lies with this confidence; N is 2 or more.

    The quantile of Student's t with noncentrality z(share) sqrt(N), over sqrt(N): NIST/SEMATECH e-Handbook of
    Statistical Methods, 7.2.6.3.
    """
    root = np.sqrt(count)
    return float(nctdtrit(count - 1, float(ndtri(share)) * root, confidence) / root)


@lru_cache(maxsize=64)
def two_sided_factor(count: int, share: float, confidence: float) -> float:
    """Compute k of mean ± k s, which holds the share of a normal process with this confidence; N is 2 or more.

    Exact: the chance that s is large enough, averaged over the means of samples (W. A. Wallis, "Tolerance intervals for
    linear regression", Second Berkeley Symposium, 1951, pp. 43-51; ISO 16269-6).
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    z = _REACH / 2 * (nodes + 1)
    density = _REACH * weights * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    # Half the width that holds the share about a mean that is z / sqrt(N) off.
    squares = chndtrix(share, 1, z**2 / count)

    def excess(k: float) -> float:
        low = (count - 1) * squares / k**2
        return float(density @ chdtrc(count - 1, low)) - confidence

    return float(brentq(excess, 1e-3, 1e6))
