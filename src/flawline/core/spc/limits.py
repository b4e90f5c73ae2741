"""Control limits: estimated and frozen in Phase I, used in Phase II."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flawline.core.spc.product_levels import (
    ProductLevel,
    check_product_sigma,
    levels_as_dicts,
    levels_from_dicts,
)
from flawline.core.spc.transforms import NONE, Transform, transform_as_dict, transform_from_dict
from flawline.errors import UsageError

MEASURED = (
    "i-mr",
    "xbar-r",
    "xbar-s",
    "median",
    "i-mr-r",
    "i-mr-s",
    "ma",
    "ewma",
    "cusum",
    "zone",
    "z-mr",
)
BETWEEN = ("i-mr-r", "i-mr-s")
RARE = ("g", "t")
COUNTED = ("p", "np", "c", "u", "laney-p", "laney-u")
KINDS = (*MEASURED, *COUNTED, *RARE, "run")
VERSION = 1
LONGEST_SPAN = 100
"""The most points of a moving average."""


@dataclass(frozen=True, slots=True)
class ControlLimits:
    """Parameters of a process in control, from which all limits of its chart follow.

    `chart` is one of `KINDS`. `centre` is the process mean: of the measure on the scale of `transform`, or the mean
    share (p, np), count (c) or rate (u) of defects, or number of good parts between bad ones (g); for a run chart the
    median. `sigma` is the standard deviation
    within subgroups on the scale of `transform`; for counts the factor on the binomial or Poisson deviation, 1 unless
    Laney's. `k` is the number of sigmas from the centre to a limit; for a CUSUM it is not used.

    `weight` is the EWMA's lambda. `reference`, `decision` and `head_start` are the CUSUM's k, h and first value, in
    standard errors of a point. `span` is the number of points in a moving average. `within` is sigma within subgroups
    where `sigma` is that of their means (i-mr-r, i-mr-s). `products` are the means and sigmas of a z-mr chart, whose
    own are 0 and 1, and `product_sigma` is how they were estimated. `points` is the number of points used, `set_aside`
    names those left out.
    """

    chart: str
    centre: float
    sigma: float
    k: float = 3.0
    transform: Transform = NONE
    weight: float = 0.2
    reference: float = 0.5
    decision: float = 5.0
    head_start: float = 0.0
    points: int = 0
    set_aside: tuple[str, ...] = ()
    span: int = 3
    within: float = 1.0
    products: tuple[ProductLevel, ...] = ()
    product_sigma: str = "by-product"

    def __post_init__(self) -> None:
        """Refuse parameters that cannot make limits.

        Raises:
            UsageError: an unknown chart, or a parameter out of its range.
        """
        check_kind(self.chart)
        check_product_sigma(self.product_sigma)
        numbers = [self.centre, self.sigma, self.k, self.weight]
        numbers += [self.reference, self.decision, self.head_start, self.span, self.within]
        if not all(np.isfinite(numbers)):
            raise UsageError(f"limits must be finite numbers, got {', '.join(map(str, numbers))}")
        if self.sigma <= 0 and self.chart != "run":
            raise UsageError(f"sigma must be above 0, got {self.sigma:g}")
        _check_range("k", self.k, 0, 10)
        _check_range("within", self.within, 0, np.inf)
        if self.span != int(self.span) or not 2 <= self.span <= LONGEST_SPAN:
            raise UsageError(
                f"expected a whole number from 2 to {LONGEST_SPAN} for `span`, got {self.span:g}"
            )
        _check_range("weight", self.weight, 0, 1)
        _check_range("decision", self.decision, 0, 100)
        if not 0 <= self.reference <= 10 or not 0 <= self.head_start < self.decision:
            raise UsageError(
                "expected a reference of 0 to 10 and a head start of 0 or more and below the decision interval, "
                f"got {self.reference:g} and {self.head_start:g}"
            )
        if self.chart in (*COUNTED, "g") and self.centre <= 0:
            raise UsageError(f"a mean count must be above 0, got {self.centre:g}")
        if self.chart in ("p", "np", "laney-p") and self.centre >= 1:
            raise UsageError(f"a mean share must be below 1, got {self.centre:g}")


def _check_range(name: str, value: float, above: float, most: float) -> None:
    if not above < value <= most:
        raise UsageError(f"{name} must be above {above:g} and at most {most:g}, got {value:g}")


def limits_as_dict(limits: ControlLimits) -> dict[str, Any]:
    """Convert limits to a document for a file or a recipe, with the parameters that the chart uses."""
    document: dict[str, Any] = {
        "format": "flawline-limits",
        "version": VERSION,
        "chart": limits.chart,
        "centre": limits.centre,
        "sigma": limits.sigma,
        "points": limits.points,
        "set_aside": list(limits.set_aside),
    }
    if limits.chart != "cusum":
        document["k"] = limits.k
    if limits.transform != NONE:
        document["transform"] = transform_as_dict(limits.transform)
    for chart, names in _OWN.items():
        if limits.chart == chart:
            document |= {name: getattr(limits, name) for name in names}
    if limits.chart == "z-mr":
        document["product_sigma"] = limits.product_sigma
        document["products"] = levels_as_dicts(limits.products)
    return document


def limits_from_dict(document: Mapping[str, Any]) -> ControlLimits:
    """Read the limits that `limits_as_dict` wrote.

    Raises:
        UsageError: not such a document, a newer version, or a value that makes no sense.
    """
    if document.get("format") != "flawline-limits":
        raise UsageError(
            f"expected a document of the format flawline-limits, got {document.get('format')!r}",
            hint="write one by charting with `freeze=FILE`",
        )
    if document.get("version") != VERSION:
        raise UsageError(
            f"expected version {VERSION} of frozen limits, got {document.get('version')!r}"
        )
    chart = str(document.get("chart"))
    own: dict[str, Any] = {name: _number(document, name) for name in _OWN.get(chart, ())}
    if chart == "z-mr":
        own["product_sigma"] = str(document.get("product_sigma"))
        own["products"] = levels_from_dicts(document.get("products"))
    if chart != "cusum":
        own["k"] = _number(document, "k")
    return ControlLimits(
        chart,
        _number(document, "centre"),
        _number(document, "sigma"),
        transform=_transform(document),
        points=int(_number(document, "points")),
        set_aside=tuple(str(label) for label in document.get("set_aside", ())),
        **own,
    )


_OWN = {
    "ewma": ("weight",),
    "cusum": ("reference", "decision", "head_start"),
    "ma": ("span",),
    "i-mr-r": ("within",),
    "i-mr-s": ("within",),
}


def _transform(document: Mapping[str, Any]) -> Transform:
    if "transform" not in document:
        return NONE
    try:
        return transform_from_dict(document["transform"])
    except (ValueError, AttributeError) as error:
        raise UsageError(f"frozen limits with a transform that cannot be read: {error}") from error


def _number(document: Mapping[str, Any], name: str) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"expected a number for {name!r} in frozen limits, got {value!r}")
    return float(value)


def check_kind(chart: str) -> str:
    """Check the name of a chart and return it; raises UsageError for any other."""
    if chart not in KINDS:
        raise UsageError(f"expected a chart of {', '.join(KINDS)}, got {chart!r}")
    return chart
