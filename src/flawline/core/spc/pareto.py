"""Pareto analysis: causes in order of their counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flawline.errors import FlawlineError


@dataclass(frozen=True, slots=True)
class Pareto:
    """Names by falling count, equal counts by name; `shares` of the total, `cumulative` their running sum."""

    names: tuple[str, ...]
    counts: tuple[float, ...]
    shares: tuple[float, ...]
    cumulative: tuple[float, ...]


def pareto(counts: Mapping[str, float]) -> Pareto:
    """Order counts, or any amounts of 0 or more such as costs and areas.

    Raises:
        FlawlineError: nothing is above zero, or an amount is below zero or not finite.
    """
    total = float(sum(counts.values()))
    if not 0 < total < float("inf") or min(counts.values()) < 0:
        raise FlawlineError(
            f"expected finite amounts of 0 or more, not all 0, got a sum of {total:g}", code="chart"
        )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    running, cumulative = 0.0, []
    for _, count in ordered:
        running += count
        cumulative.append(min(running / total, 1.0))
    return Pareto(
        tuple(name for name, _ in ordered),
        tuple(float(count) for _, count in ordered),
        tuple(count / total for _, count in ordered),
        tuple(cumulative),
    )
