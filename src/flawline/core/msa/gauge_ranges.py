"""Estimate the spread of a gauge from average and range, as on the form of AIAG.

AIAG, "Measurement Systems Analysis", 4th ed. 2010, chapter III section B; the constants are 1 / d2 and 1 / d2* (A. J.
Duncan, "Quality Control and Industrial Statistics", 5th ed. 1986, table D3), with d2*^2 = d2^2 + d3^2 for one range.
"""

from __future__ import annotations

import numpy as np

from flawline.core.msa.gauge_anova import OPERATOR, PART, REPEATS
from flawline.core.msa.gauge_data import GaugeData
from flawline.core.spc.chart_constants import d2, d3
from flawline.errors import FlawlineError, UsageError

LARGEST = 15
"""More repeats, operators or parts than this make ranges a poor measure of spread."""


def range_variances(data: GaugeData) -> dict[str, float]:
    """Estimate the variances of repeats, operators and parts of a balanced crossed study by ranges.

    Raises:
        UsageError: the study is nested.
        FlawlineError: ("gauge-ranges") readings are missing or not repeated, or more than 25 make one range.
    """
    if data.nested:
        raise UsageError(
            "the method of ranges is for parts that every operator reads", hint="take anova"
        )
    trials = data.trials
    if trials is None or trials < 2 or max(trials, len(data.operators), len(data.parts)) > 25:
        raise FlawlineError(
            "the method of ranges needs 2 to 25 readings of each part by each operator, and at most 25 parts",
            hint="take anova, which works with any number and with missing readings",
            code="gauge-ranges",
        )
    repeats = float(data.cells.ranges().mean()) / d2(trials)
    found = {REPEATS: repeats**2}
    if OPERATOR in data.factors:
        means = np.bincount(data.operator, weights=data.values) / np.bincount(data.operator)
        between = (float(np.ptp(means)) / _single(len(means))) ** 2
        found[OPERATOR] = max(between - repeats**2 / (len(data.parts) * trials), 0.0)
    if PART in data.factors:
        means = np.bincount(data.part, weights=data.values) / np.bincount(data.part)
        found[PART] = (float(np.ptp(means)) / _single(len(means))) ** 2
    return found


def _single(size: int) -> float:
    """Compute d2* of one range of `size` values."""
    return float(np.hypot(d2(size), d3(size)))
