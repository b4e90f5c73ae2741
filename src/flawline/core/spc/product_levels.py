"""Mean and sigma of each product of a chart of short runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flawline.errors import UsageError

PRODUCT_SIGMAS = ("by-product", "constant", "relative")
"""Each product's own sigma; one for all; one for all, relative to the size of the measurement."""


@dataclass(frozen=True, slots=True)
class ProductLevel:
    """A product: its mean and sigma, of the logarithms where sigma is relative, and the points behind them."""

    name: str
    centre: float
    sigma: float
    points: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot make limits.

        Raises:
            UsageError: a mean that is not finite, or a sigma that is not above 0.
        """
        if not np.isfinite(self.centre) or not 0 < self.sigma < np.inf:
            raise UsageError(
                f"expected a finite mean and a sigma above 0 for the product {self.name!r}, got {self.centre:g} and "
                f"{self.sigma:g}"
            )


def check_product_sigma(name: str) -> str:
    """Check how sigma comes from products and return it; raises UsageError for any other."""
    if name not in PRODUCT_SIGMAS:
        raise UsageError(
            f"expected one of {', '.join(PRODUCT_SIGMAS)} for `product_sigma`, got {name!r}"
        )
    return name


def levels_as_dicts(levels: Sequence[ProductLevel]) -> list[dict[str, Any]]:
    """Convert products to a document for a file."""
    return [
        {"name": one.name, "centre": one.centre, "sigma": one.sigma, "points": one.points}
        for one in levels
    ]


def levels_from_dicts(documents: Any) -> tuple[ProductLevel, ...]:
    """Read the products that `levels_as_dicts` wrote.

    Raises:
        UsageError: not such a list, or a product that is named twice.
    """
    if not isinstance(documents, list) or not all(isinstance(one, Mapping) for one in documents):
        raise UsageError(f"expected a list of products in frozen limits, got {documents!r}")
    levels = tuple(
        ProductLevel(
            str(one.get("name")),
            _number(one, "centre"),
            _number(one, "sigma"),
            int(_number(one, "points")),
        )
        for one in documents
    )
    names = [one.name for one in levels]
    if len(set(names)) < len(names):
        raise UsageError("a product is named twice in frozen limits")
    return levels


def _number(document: Mapping[str, Any], name: str) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UsageError(f"expected a number for {name!r} of a product, got {value!r}")
    return float(value)
