"""Draw differences of metrics between recipes by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.bootstrap import Difference, Metric, paired_difference
from flawline.errors import UsageError
from flawline.jobs.evaluate.comparison_row import Row

Booleans = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draw:
    """Seed and number of the draws of differences."""

    seed: int
    draws: int

    def row(
        self,
        name: str,
        higher: bool,
        metric: Metric,
        bad: Booleans,
        values: Sequence[Numbers],
        groups: Sequence[str],
        reason: str = "",
        *,
        only: bool | None = None,
    ) -> Row:
        """Compute a metric of the values of every recipe, and its paired differences to the first.

        Draws need bad and good groups. A metric that uses `only` one kind gets its interval without the other kind
        too.
        """
        if reason:
            nothing = (None,) * len(values)
            return Row(name, higher, nothing, nothing[1:], reason)
        results = tuple(metric(bad, own) for own in values)
        added = (
            0
            if only is None
            else max(0, 2 - len({g for g, b in zip(groups, bad, strict=True) if b != only}))
        )
        flags = np.append(bad, [not only] * added).astype(bool)
        names = [*groups, *(f"{k} of none" for k in range(added))]
        first, *others = (np.append(own, np.zeros(added)) for own in values)
        differences = tuple(
            self._difference(metric, flags, first, other, names, added) for other in others
        )
        why = "" if all(differences) else "too few parts for an interval"
        return Row(name, higher, results, differences, why)

    def _difference(
        self,
        metric: Metric,
        bad: Booleans,
        one: Numbers,
        other: Numbers,
        groups: Sequence[str],
        added: int,
    ) -> Difference | None:
        try:
            difference = paired_difference(
                metric, bad, one, other, groups, draws=self.draws, seed=self.seed
            )
        except UsageError as error:
            if error.code != "groups-too-few":
                raise
            return None
        return replace(difference, groups=difference.groups - added)
