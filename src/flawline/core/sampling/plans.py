"""Plan acceptance sampling by attributes and by variables, and compute what passes.

By attributes, n parts are checked and the lot is accepted with at most c bad ones: binomial, for lots of at least some
ten times the sample. By variables (the s-method of ISO 3951), it is accepted where the mean lies at least k standard
deviations inside the limit: non-central t (N. L. Johnson and B. L. Welch, "Applications of the non-central
t-distribution", Biometrika 31, 1940, pp. 362-389).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, betaincinv, nctdtr, nctdtrit, ndtri

from flawline.errors import FlawlineError, UsageError

MOST = 100_000
"""The largest sample that is planned."""


@dataclass(frozen=True, slots=True)
class AttributePlan:
    """Check `size` parts and accept with at most `accept` bad ones."""

    size: int
    accept: int

    def passes(self, bad: ArrayLike) -> NDArray[np.float64]:
        """Compute the chance that lots with shares of bad parts (...), 0 to 1, are accepted."""
        share = np.asarray(bad, np.float64)
        if self.accept >= self.size:
            return np.ones_like(share)
        return np.asarray(bdtr(self.accept, self.size, share))

    def quality(self, chance: float) -> float:
        """Compute the share of bad parts at which a lot is accepted with a chance."""
        if self.accept >= self.size:
            return 1.0
        return float(betaincinv(self.accept + 1, self.size - self.accept, 1 - chance))


@dataclass(frozen=True, slots=True)
class VariablesPlan:
    """Measure `size` parts and accept where (limit - mean) / s is at least `k`."""

    size: int
    k: float

    def passes(self, bad: ArrayLike) -> NDArray[np.float64]:
        """Compute the chance that normal lots with shares of bad parts (...) beyond one limit are accepted."""
        root = np.sqrt(self.size)
        share = np.clip(np.asarray(bad, np.float64), 1e-12, 1 - 1e-12)
        return np.asarray(1 - nctdtr(self.size - 1, -root * ndtri(share), self.k * root))

    def quality(self, chance: float) -> float:
        """Compute the share of bad parts at which a lot is accepted with a chance."""
        from scipy.optimize import brentq

        return float(brentq(lambda p: float(self.passes(p)) - chance, 1e-11, 1 - 1e-11))


Plan = AttributePlan | VariablesPlan


def attribute_plan(
    good: float, bad: float, producer: float = 0.05, consumer: float = 0.10
) -> AttributePlan:
    """Find the smallest plan by attributes that passes good lots and stops bad ones.

    Args:
        good: share of bad parts that should pass, 0 to 1 (AQL).
        bad: share that should not, above `good` (LTPD).
        producer: greatest chance to reject a lot of `good`.
        consumer: greatest chance to accept a lot of `bad`.

    Raises:
        UsageError: shares or risks that make no sense.
        FlawlineError: ("sampling-large") more than 100,000 parts would be needed.
    """
    _check(good, bad, producer, consumer)
    for accept in range(MOST):
        size = _least_size(accept, bad, consumer)
        if size > MOST:
            break
        plan = AttributePlan(size, accept)
        if float(plan.passes(good)) >= 1 - producer:
            return plan
    raise _too_large()


def variables_plan(
    good: float, bad: float, producer: float = 0.05, consumer: float = 0.10
) -> VariablesPlan:
    """Find the smallest plan by variables, s-method for one limit, that passes good lots and stops bad ones.

    Arguments and errors are those of `attribute_plan`; k is in the middle of what both risks allow.
    """
    _check(good, bad, producer, consumer)
    low, high = 2, 3
    while not _room(high, good, bad, producer, consumer):
        low, high = high, 2 * high
        if low > MOST:
            raise _too_large()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if _room(middle, good, bad, producer, consumer) else (middle, high)
        )
    size = 2 if _room(2, good, bad, producer, consumer) else high
    edges = _edges(size, good, bad, producer, consumer)
    return VariablesPlan(size, sum(edges) / 2)


def _room(size: int, good: float, bad: float, producer: float, consumer: float) -> bool:
    least, most = _edges(size, good, bad, producer, consumer)
    return least <= most


def _edges(
    size: int, good: float, bad: float, producer: float, consumer: float
) -> tuple[float, float]:
    """Compute the least k by the risk of accepting bad lots, and the most by that of rejecting good ones."""
    root = float(np.sqrt(size))
    least = nctdtrit(size - 1, -root * ndtri(bad), 1 - consumer)
    most = nctdtrit(size - 1, -root * ndtri(good), producer)
    return float(least) / root, float(most) / root


def _least_size(accept: int, bad: float, consumer: float) -> int:
    """Find the least sample at which lots of `bad` pass with at most the consumer's risk."""
    low, high = accept, max(2 * accept, 2)
    while bdtr(accept, high, bad) > consumer:
        low, high = high, 2 * high
        if low > MOST:
            return low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bdtr(accept, middle, bad) <= consumer else (middle, high)
    return high


def _check(good: float, bad: float, producer: float, consumer: float) -> None:
    if not 0 < good < bad < 1:
        raise UsageError(
            f"expected qualities with 0 < `aql` < `ltpd` < 100 %, got {100 * good:g} and {100 * bad:g} %"
        )
    if not (0 < producer < 1 and 0 < consumer < 1 and producer + consumer < 1):
        raise UsageError(
            f"expected risks above 0 that are together below 100 %, got {100 * producer:g} and {100 * consumer:g} %"
        )


def _too_large() -> FlawlineError:
    return FlawlineError(
        f"more than {MOST} parts would have to be checked",
        hint="take qualities that differ more, or greater risks",
        code="sampling-large",
    )
