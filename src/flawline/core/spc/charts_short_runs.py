"""Z-MR charts: short runs of several products on one chart, each value by the mean and sigma of its product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_constants import d2
from flawline.core.spc.chart_points import Panel, Subgroups, neighbours
from flawline.core.spc.charts_variables import (
    Memory,
    moving_ranges,
    positive,
    unit_of_rounding,
)
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.product_levels import ProductLevel
from flawline.core.spc.rounding import on_zones, rounding_of
from flawline.core.spc.transforms import NONE, Transform, apply, revert
from flawline.errors import FlawlineError, UsageError

LOG = Transform("log")
Z = "z"


def estimate_products(
    points: Subgroups, keep: NDArray[np.bool_], product_sigma: str
) -> tuple[Transform, tuple[ProductLevel, ...]]:
    """Estimate mean and sigma of each product from the points that `keep` (G,) selects.

    Sigma is the mean moving range over d2 of 2, of neighbours in one run of a product, both selected: those of each
    product, or of all together (`constant`), or of the logarithms of all together (`relative`), which is a sigma that
    grows with the mean. The mean is that of all runs of a product (D. J. Wheeler, "Short Run SPC", 1991).

    Returns:
        The scale on which means and sigmas are, and the products in the order of their first points.

    Raises:
        UsageError: points without products, or subgroups.
        FlawlineError: a product without points or neighbours to estimate from, or without variation.
    """
    names = product_names(points)
    transform = LOG if product_sigma == "relative" else NONE
    x = _scaled(transform, points.values)
    moved = np.abs(np.diff(x))
    codes, order = _codes(names)
    near = neighbours(points, keep) & (codes[1:] == codes[:-1])
    _check_estimable(codes, order, keep, near, own=product_sigma == "by-product")
    shared = None
    if product_sigma != "by-product":
        shared = positive(float(moved[near].mean()) / d2(2), x[keep])
    levels = []
    for code, name in enumerate(order):
        used = x[keep & (codes == code)]
        sigma = shared
        if sigma is None:
            sigma = _own_sigma(name, moved[near & (codes[1:] == code)], used)
        levels.append(ProductLevel(name, float(used.mean()), sigma, len(used)))
    return transform, tuple(levels)


def short_run_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the standardised values and their moving ranges; `memory` holds the last value and product, or nothing.

    A moving range spans neither a change of product nor a gap.

    Raises:
        FlawlineError: ("chart-product") a product that the limits do not have.
    """
    codes = _known(limits, points)
    x = _scaled(limits.transform, points.values)
    centre = np.array([level.centre for level in limits.products])[codes]
    sigma = np.array([level.sigma for level in limits.products])[codes]
    off = rounding_of(x, centre, unit_of_rounding(limits.transform)) / sigma
    z = (x - centre) / sigma + 0.0  # the sum turns -0.0 into 0.0
    zeros, edge = np.zeros(len(z)), np.full(len(z), limits.k)
    at = np.arange(len(z), dtype=np.int64)
    level = Panel(Z, at, z, zeros, -edge, edge, on_zones(z, off), off)
    before = codes[0] if not memory else int(memory[1])
    breaks = np.diff(codes, prepend=before) != 0
    if points.gaps is not None:
        breaks |= points.gaps
    standard = replace(points, values=z, gaps=breaks)
    moved = moving_ranges(replace(limits, transform=NONE), standard, z, memory[:1])
    return (float(z[-1]), float(codes[-1])), (level, moved)


def product_names(points: Subgroups) -> tuple[str, ...]:
    """Return the product of each point, (G,).

    Raises:
        UsageError: the points have none, or several measurements.
    """
    if points.products is None:
        raise UsageError(
            "the chart z-mr needs the product of each point",
            hint="name the column that holds it with `product`",
        )
    if points.sizes.max() > 1:
        raise UsageError(
            "the chart z-mr takes one measurement for each point, got subgroups",
            hint="leave `summary` out, or name one of its kinds",
        )
    return points.products


def unknown_products(limits: ControlLimits, points: Subgroups) -> NDArray[np.bool_]:
    """Find the points (G,) whose product the limits do not have."""
    known = {level.name for level in limits.products}
    return np.array([name not in known for name in product_names(points)])


def measured_limits(limits: ControlLimits, level: ProductLevel) -> tuple[float, float, float]:
    """Compute lower limit, centre and upper limit of a product as they are measured."""
    edges = level.centre + level.sigma * np.array([-limits.k, 0.0, limits.k])
    low, middle, high = (float(edge) for edge in revert(limits.transform, edges))
    return low, middle, high


def _known(limits: ControlLimits, points: Subgroups) -> NDArray[np.int64]:
    """Number the product of each point by its place in the limits."""
    known: Mapping[str, int] = {level.name: place for place, level in enumerate(limits.products)}
    strange = [name for name in dict.fromkeys(product_names(points)) if name not in known]
    if strange:
        raise FlawlineError(
            f"the limits have no mean and sigma of the product {strange[0]!r}",
            hint=f"estimate limits from points of it too; they have: {', '.join(list(known)[:12])}",
            code="chart-product",
        )
    return np.array([known[name] for name in product_names(points)], dtype=np.int64)


def _codes(names: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    order = tuple(dict.fromkeys(names))
    places = {name: code for code, name in enumerate(order)}
    return np.array([places[name] for name in names], dtype=np.int64), order


def _scaled(transform: Transform, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if transform != NONE and values.min() <= 0:
        raise FlawlineError(
            f"a relative sigma takes values above zero, got {values.min():g}",
            hint="take `product_sigma` by-product or constant",
            code="chart",
        )
    return apply(transform, values)


def _check_estimable(
    codes: NDArray[np.int64],
    order: tuple[str, ...],
    keep: NDArray[np.bool_],
    near: NDArray[np.bool_],
    *,
    own: bool,
) -> None:
    """Refuse products without points, and those without neighbours where each needs a sigma of its own."""
    count = len(order)
    bare = [order[code] for code in np.flatnonzero(np.bincount(codes[keep], minlength=count) == 0)]
    if bare:
        raise FlawlineError(
            f"every point of the product {', '.join(bare[:6])} is set aside: nothing is left to estimate from",
            code="chart",
        )
    pairs = np.bincount(codes[1:][near], minlength=count)
    single = [order[code] for code in np.flatnonzero(pairs == 0)]
    if own and single:
        raise FlawlineError(
            f"no two neighbouring points of the product {', '.join(single[:6])} say how it varies",
            hint="take one sigma for all with `product_sigma` constant or relative, or give more points",
            code="chart",
        )
    if not near.any():
        raise FlawlineError(
            "no two neighbouring points are of one product: nothing says how it varies",
            hint="give more points, or limits from another period with `limits`",
            code="chart",
        )


def _own_sigma(name: str, moved: NDArray[np.float64], used: NDArray[np.float64]) -> float:
    try:
        return positive(float(moved.mean()) / d2(2), used)
    except FlawlineError as error:
        raise FlawlineError(
            f"product {name}: {error.message}",
            hint="take one sigma for all with `product_sigma` constant or relative",
            code=error.code,
        ) from error
