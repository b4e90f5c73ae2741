"""Costs of decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flawline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of decisions, in one currency, and the share of bad parts in production.

    `escape`: a bad part accepted. `overkill`: a good part rejected. `review`: a part reviewed by a person, who then
    decides rightly. All costs are 0 or more, one of them above 0; `prevalence` is above 0 and below 1.

    Raises:
        UsageError: a value out of range.
    """

    escape: float
    overkill: float
    prevalence: float
    review: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        costs = (self.escape, self.overkill, self.review)
        if not all(math.isfinite(cost) and cost >= 0 for cost in costs) or not any(costs):
            raise UsageError(
                f"expected costs of 0 or more, one of them above 0, got {', '.join(map(str, costs))}",
                hint="give `cost_escape` and `cost_overkill` in the same currency",
            )
        if not 0 < self.prevalence < 1:
            raise UsageError(
                f"expected a prevalence above 0 and below 1, got {self.prevalence}",
                hint="write 1 % of bad parts as 0.01",
            )
