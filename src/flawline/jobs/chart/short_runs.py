"""Short runs of several products in one series: which stand where, and which the limits do not know."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from flawline.core.spc.chart_points import Subgroups
from flawline.core.spc.charts_short_runs import unknown_products
from flawline.core.spc.limits import ControlLimits
from flawline.errors import FlawlineError
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series import Series, kept_points

FEW_OF_A_PRODUCT = 5
MOST_RUNS = 12
"""With more runs of products than this their names would touch on a drawing, and are left out."""


def products_of(series: Series) -> tuple[str, ...] | None:
    """Return the product of each point, (G,); None where points have none."""
    points = series.points
    return points.products if isinstance(points, Subgroups) else None


def product_runs(series: Series) -> list[tuple[str, int, int]]:
    """List product, first and last point of every run of one product; empty where points have none."""
    runs, start = [], 0
    for name, run in groupby(products_of(series) or ()):
        length = len(list(run))
        runs.append((name, start, start + length - 1))
        start += length
    return runs


def known_products(
    series: Series, limits: ControlLimits
) -> tuple[Series | None, tuple[Skipped, ...]]:
    """Leave out, and list, the points whose product given limits do not have; None where no point is left."""
    points = series.points
    if limits.chart != "z-mr" or not isinstance(points, Subgroups):
        return series, ()
    strange = unknown_products(limits, points)
    if not strange.any():
        return series, ()
    names = points.products or ()
    skipped = tuple(
        Skipped(series.labels[place], f"the limits have no mean and sigma of the product {name!r}")
        for place, name in enumerate(names)
        if strange[place]
    )
    return None if strange.all() else kept_points(series, ~strange), skipped


def refuse_unknown(series: Series, limits: ControlLimits) -> Series:
    """Leave out the points whose product given limits do not have.

    Raises:
        FlawlineError: ("chart-product") there are no others.
    """
    known, skipped = known_products(series, limits)
    if known is not None:
        return replace(known, skipped=(*series.skipped, *skipped)) if skipped else known
    names = ", ".join(level.name for level in limits.products[:12])
    raise FlawlineError(
        "the limits have no mean and sigma of any product in these rows",
        hint=f"they have {names}; estimate limits from points of the others too",
        code="chart-product",
    )


def few_of_a_product(limits: ControlLimits) -> str:
    """Say which products have few points behind their mean; empty where none has."""
    few = [level for level in limits.products if level.points < FEW_OF_A_PRODUCT]
    if not few:
        return ""
    told = ", ".join(f"{level.name} ({level.points})" for level in few[:12])
    return (
        f"fewer than {FEW_OF_A_PRODUCT} points are behind the mean of {told}: such points lie near their own mean and "
        "hardly signal"
    )
