"""Say how rows of a table become the points of a chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flawline.errors import UsageError

SUMMARIES: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda row: float(np.mean(row)),
    "median": lambda row: float(np.median(row)),
    "max": max,
    "min": min,
    "sum": sum,
}


@dataclass(frozen=True, slots=True)
class Forming:
    """Settings for forming rows into points.

    `by` names a column: rows of equal value form one point. `every` forms one point of that many successive rows.
    `size` is the column of inspected units for counts, `label` and `stage` name points and stages. `summary` reduces a
    group to one number for charts of single values. `product` names the product of each row, for z-mr.
    """

    by: str | None = None
    every: int | None = None
    size: str | None = None
    label: str | None = None
    stage: str | None = None
    summary: str | None = None
    unit: str = ""
    product: str | None = None

    def __post_init__(self) -> None:
        """Validate the settings.

        Raises:
            UsageError: both ways of grouping, groups of none, or an unknown summary.
        """
        if self.by and self.every:
            raise UsageError("rows are grouped by a column or by number, not by both")
        if self.every is not None and self.every < 1:
            raise UsageError(f"a subgroup has at least 1 row, got {self.every}")
        if self.summary is not None and self.summary not in SUMMARIES:
            raise UsageError(f"expected a summary of {', '.join(SUMMARIES)}, got {self.summary!r}")

    def check_kind(self, kind: str) -> None:
        """Refuse a chart of short runs without a product, and a product on another chart.

        Raises:
            UsageError: one without the other.
        """
        if kind == "z-mr" and self.product is None:
            raise UsageError(
                "the chart z-mr needs the product of each row",
                hint="name the column that holds it with `product`",
            )
        if kind != "z-mr" and self.product is not None:
            raise UsageError(
                f"`product` goes with the chart z-mr, got {kind}",
                hint="chart several products at once by z-mr, or one of them alone",
            )

    @property
    def what(self) -> str:
        """Word for a point."""
        return self.by or (
            "subgroup" if self.every else "part" if self.label is None else self.label
        )

    def columns(self, measure: str) -> list[str]:
        """List the columns of the table that are needed."""
        named = (measure, self.by, self.size, self.label, self.stage, self.product)
        return [name for name in named if name]
