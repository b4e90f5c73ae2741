"""Choose among candidates by the bad parts that each lets through, in favour of the simpler one where it is as good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AROUND = (0.5, 1.0, 1.5, 2.0)
"""Times the wished overkill: the shares at which escapes are averaged."""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateScores:
    """Raw scores of parts that a candidate did not learn from, float64: `good` (n,) and `bad` (m,), n and m above 0.

    Infinite is a part that is never accepted whatever its score. The bad parts of all candidates are the same, in the
    same order.
    """

    good: Floats
    bad: Floats

    def escapes(self, overkill: float) -> NDArray[np.bool_]:
        """Which bad parts are accepted where a share of at most `overkill` of further good parts is rejected.

        The limit is the good score of rank ceil((1 - overkill) (n + 1)), the highest where there are too few (V. Vovk
        et al., "Algorithmic Learning in a Random World", 2005, section 4.2). Where more good parts than that are never
        accepted, no limit keeps the wish, and all bad parts count as let through: it is no merit to accept nothing.
        """
        # In steps of a billionth: (1 - 0.05) * 20 must not become 19.000000000000004.
        rank = math.ceil(round((1 - overkill) * (len(self.good) + 1), 9))
        limit = np.sort(self.good)[min(rank, len(self.good)) - 1]
        if not np.isfinite(limit):
            return np.ones(len(self.bad), bool)
        return np.asarray(self.bad <= limit)

    @property
    def above(self) -> Floats:
        """For each bad part the share of good parts that score above it, half of those that score the same."""
        ordered = np.sort(self.good)
        below = np.searchsorted(ordered, self.bad, "left")
        up_to = np.searchsorted(ordered, self.bad, "right")
        return np.asarray(1 - (below + up_to) / (2 * len(ordered)))

    @property
    def auroc(self) -> float:
        """The share of pairs in which the bad part scores higher."""
        return float(1 - self.above.mean())

    def losses(self, overkill: float) -> Floats:
        """The loss of each bad part: its escapes at overkills around the wished one, plus the share of good above it.

        Escapes are averaged over a half, one, one and a half and two times `overkill`: at one limit the few highest
        good parts would decide. The mean loss is the share of escapes plus one minus the AUROC, which tells candidates
        apart that let as many through.
        """
        around = [self.escapes(share * overkill) for share in AROUND if share * overkill < 1]
        return np.asarray(np.mean(around, axis=0) + self.above, np.float64)


def choose_candidate(
    losses: Sequence[Floats], complexities: Sequence[float], *, errors: float = 1.0
) -> int:
    """Choose the simplest candidate that is not worse than the best by more than a standard error of the difference.

    The rule of one standard error of L. Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3,
    for losses of the same parts: the difference is taken part by part. Among the equally simple the best is chosen,
    then the first.

    Args:
        losses: of each candidate, float64 (m,), part by part.
        complexities: of each candidate.
        errors: how many standard errors.

    Raises:
        ValueError: no candidate.
    """
    if not losses or len(losses) != len(complexities):
        raise ValueError("expected the losses and the complexity of one candidate or more")
    means = [float(loss.mean()) for loss in losses]
    best = min(range(len(losses)), key=lambda place: (means[place], complexities[place], place))
    near = [
        place
        for place, loss in enumerate(losses)
        if means[place] - means[best] <= errors * _error(loss - losses[best]) + 1e-12
    ]
    return min(near, key=lambda place: (complexities[place], means[place], place))


def _error(differences: Floats) -> float:
    """Standard error of a mean difference; infinite for one part that differs."""
    if not differences.any():
        return 0.0
    if len(differences) < 2:
        return math.inf
    return float(differences.std(ddof=1) / math.sqrt(len(differences)))
