"""Find pictures labelled good that do not look good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LIMIT = 4.0
"""Robust deviations above the median from which a picture is set aside."""
FEWEST = 20
"""With fewer pictures there is no telling what is usual."""
MOST = 0.1
"""Largest share of the pictures that is set aside: more would be no exception."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A picture that was set aside: its raw score and the reason."""

    name: str
    score: float
    reason: str


def find_suspects(scores: Mapping[str, float]) -> tuple[Suspect, ...]:
    """Find the training pictures that score far above the others, the most anomalous first.

    Far is four times the median absolute deviation, scaled by 1.4826 to a standard deviation, above the median
    (F. Hampel, "The influence curve and its role in robust estimation", JASA 69, 1974): a few bad pictures move
    neither. At most a tenth of the pictures, and none of fewer than twenty.

    Args:
        scores: raw scores by name, of a detector that averages over the pictures, bad ones included.
    """
    if len(scores) < FEWEST:
        return ()
    values = np.fromiter(scores.values(), np.float64, len(scores))
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if spread <= 0:
        return ()
    ordered = sorted(scores, key=lambda name: (-scores[name], name))
    far = [name for name in ordered if scores[name] > middle + LIMIT * spread]
    return tuple(
        Suspect(
            name,
            scores[name],
            f"scores {scores[name]:.4g}, {(scores[name] - middle) / spread:.1f} deviations above the usual "
            f"{middle:.4g}",
        )
        for name in far[: int(MOST * len(scores))]
    )
