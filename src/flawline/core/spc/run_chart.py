"""Test a run chart: length of runs about the median and number of crossings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from flawline.core.spc.rounding import rounding_of

FEWEST = 10


@dataclass(frozen=True, slots=True)
class MedianRuns:
    """Runs about the median: `useful` points not on it, the `longest` run and the `crossings`, with their limits.

    A run may be `longest_allowed` long, and there must be `fewest_allowed` crossings. `start` is the place of the
    longest run's first point.
    """

    useful: int
    longest: int
    longest_allowed: int
    crossings: int
    fewest_allowed: int
    start: int

    @property
    def unusual(self) -> bool:
        """Whether a run is too long or crossings are too few for chance."""
        return self.longest > self.longest_allowed or self.crossings < self.fewest_allowed


def runs_about_median(values: ArrayLike) -> MedianRuns | None:
    """Count runs of (N,) finite values about their median; None for fewer than 10 points that are not on it.

    A run may be as long as log2(n) + 3 rounded, and there must be as many crossings as the lower 5 % point of the
    binomial distribution of n - 1 trials at one half: J. Anhoej and A. V. Olesen, "Run charts revisited", PLoS ONE 9,
    2014, e113825. Points on the median are left out.
    """
    x = np.asarray(values, dtype=np.float64)
    median = np.median(x)
    places = np.flatnonzero(np.abs(x - median) > rounding_of(x, median))
    if len(places) < FEWEST:
        return None
    above = x[places] > median
    changes = np.flatnonzero(above[1:] != above[:-1]) + 1
    edges = np.concatenate([[0], changes, [len(above)]])
    lengths = np.diff(edges)
    longest = int(np.argmax(lengths))
    count = len(above)
    return MedianRuns(
        useful=count,
        longest=int(lengths[longest]),
        longest_allowed=round(float(np.log2(count)) + 3),
        crossings=len(changes),
        fewest_allowed=_lower_point(count - 1),
        start=int(places[edges[longest]]),
    )


def _lower_point(trials: int) -> int:
    """Find the smallest number that at most 95 % of binomial draws at one half exceed."""
    chances = bdtr(np.arange(trials + 1), trials, 0.5)
    return int(np.argmax(chances >= 0.05))
