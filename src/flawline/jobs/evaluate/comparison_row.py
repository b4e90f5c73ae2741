"""One row of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flawline.core.bootstrap import Difference

Finding = Literal["better", "worse", "not told apart"]


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of every recipe.

    `values` has one entry per recipe, None where there is none, for the `reason`. `differences` are those to the first
    recipe, one entry per recipe but the first; None where parts are too few to draw from or the metric has no interval.
    """

    name: str
    higher_is_better: bool | None
    values: tuple[float | None, ...]
    differences: tuple[Difference | None, ...]
    reason: str = ""

    def finding(self, place: int) -> Finding | None:
        """Tell whether recipe `place`, from 1, is better than the first; not where the interval holds 0."""
        difference = self.differences[place - 1]
        if difference is None or self.higher_is_better is None:
            return None
        if difference.low <= 0 <= difference.high:
            return "not told apart"
        return "better" if (difference.low > 0) == self.higher_is_better else "worse"
