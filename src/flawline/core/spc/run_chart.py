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


def chance_of_runs(values: ArrayLike) -> tuple[MedianRuns | None, float]:
    """Count the runs of (N,) values about their median, with the chance of so unusual ones in a stable process.

    The smaller chance of two, doubled: so few crossings (binomial), or so long a run, of which a stable process has
    (n - L + 2) / 2^L of length L or more (A. M. Mood, Annals of Mathematical Statistics 11, 1940). 1 without runs.
    """
    runs = runs_about_median(values)
    if runs is None:
        return None, 1.0
    few = float(bdtr(runs.crossings, runs.useful - 1, 0.5))
    long = (runs.useful - runs.longest + 2) / 2.0**runs.longest
    return runs, min(2 * min(few, long), 1.0)


def _lower_point(trials: int) -> int:
    """Find the smallest number that at most 95 % of binomial draws at one half exceed."""
    chances = bdtr(np.arange(trials + 1), trials, 0.5)
    return int(np.argmax(chances >= 0.05))
