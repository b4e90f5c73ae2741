"""Find the threshold that lets at most a share of known kinds of bad parts through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR

import numpy as np
from numpy.typing import ArrayLike

from flawline.core.threshold import (
    overkill_threshold,
    percent_text,
    pictures_needed,
    too_few_parts,
)

USUAL_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of bad parts let through that are worth offering, the strictest first."""


@dataclass(frozen=True, slots=True)
class EscapeGuarantee:
    """A threshold with its guarantee: with `confidence`, at most the share `escape` of such bad parts is let through.

    `threshold` lies just below the score of place `rank`, counted from the lowest as 1, among those of `n` bad parts.
    """

    threshold: float
    escape: float
    confidence: float
    n: int
    rank: int

    def __str__(self) -> str:
        """Format the guarantee as text, rounded so that it never claims more than holds."""
        share = percent_text(self.escape, 3, ROUND_CEILING)
        sure = percent_text(self.confidence, 6, ROUND_FLOOR)
        return f"at most {share} of such bad parts accepted, {sure} confidence, n = {self.n}"


def escape_threshold(bad: ArrayLike, escape: float, confidence: float) -> EscapeGuarantee:
    """Find the highest threshold that, with `confidence`, lets at most the share `escape` of such bad parts through.

    The tolerance limit of `overkill_threshold` from the other side: the share of bad parts below the score of place r
    among n has the distribution Beta(r, n - r + 1), so the highest r that suffices is taken. It holds for parts of
    the kinds that these are a random sample of, which nothing was learnt from; about other kinds it says nothing.

    Args:
        bad: (n,) scores of bad parts, one per part.
        escape: above 0 and below 1, 0.02 for 2 %.
        confidence: above 0 and below 1.

    Raises:
        UsageError: fewer scores than `pictures_needed` (code "calibration-too-few"), or a share outside 0 to 1.
        ValueError: a score is not finite.
    """
    scores = np.asarray(bad, dtype=np.float64)
    needed = pictures_needed(escape, confidence, name="escape")
    if len(scores) < needed:
        promise = EscapeGuarantee(math.nan, escape, confidence, needed, 1)
        raise too_few_parts(
            f'"{str(promise).rpartition(",")[0]}" needs',
            needed,
            len(scores),
            confidence,
            kind="bad",
            share="escape",
        )
    mirrored = overkill_threshold(-scores, escape, confidence)
    # A part is flagged above a threshold, and that of this score must be flagged itself.
    threshold = float(np.nextafter(-mirrored.threshold, -np.inf))
    return EscapeGuarantee(
        threshold, escape, confidence, mirrored.n, mirrored.n - mirrored.rank + 1
    )
