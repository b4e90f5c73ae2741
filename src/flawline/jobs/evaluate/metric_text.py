"""Format metrics and their confidence intervals as text."""

from __future__ import annotations

from flawline.core.metrics import Share
from flawline.jobs.evaluate.evaluation import Estimated, Rate


def number(value: float | None, how: str = ".3f") -> str:
    """Format a figure, or "none"."""
    return "none" if value is None else format(value, how)


def estimate(one: Estimated | None) -> str:
    """Format a metric with its interval: "0.962 (0.941 to 0.978)"."""
    if one is None:
        return "none"
    if one.interval is None:
        return f"{one.value:.3f} (too few parts for an interval)"
    return f"{one.value:.3f} ({one.interval[0]:.3f} to {one.interval[1]:.3f})"


def share(one: Share) -> str:
    """Format a share with its interval: "12 of 50: 24.0 % (13.1 to 38.2)"."""
    low, high = one.interval
    return f"{one.hits} of {one.of}: {100 * one.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def rate(one: Rate | None) -> str:
    """Format a rate of parts with its interval, and of pictures where it differs."""
    if one is None:
        return "none"
    same = (one.hits, one.of) == (one.parts.hits, one.parts.of)
    return share(one.parts) + ("" if same else f"; pictures {one.hits} of {one.of}")
