"""Place the last scores of a line in a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flawline.records.record import StoredRecord

TOP = 2.0
"""The chart reaches up to so many times the highest limit; what lies above is drawn at its upper edge."""


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One inspection: its place from the left and from the top, 0 to 1, and whether it lies `above` the chart."""

    kept: StoredRecord
    x: float
    y: float
    above: bool


@dataclass(frozen=True, slots=True)
class LineChart:
    """Scores in the order of time, and limits by name: value and place from the top, 0 to 1."""

    points: tuple[ChartPoint, ...]
    limits: Mapping[str, tuple[float, float]]


def line_chart(last: Sequence[StoredRecord], limits: Mapping[str, float]) -> LineChart | None:
    """Place the scores of the last inspections, the newest first, which is drawn at the right; None without scores."""
    scored = [(kept, kept.record.score) for kept in reversed(last)]
    known = [(kept, score) for kept, score in scored if score is not None]
    if not known:
        return None
    scores = [score for _, score in known]
    lowest = min(0.0, *scores)
    highest = max(scores)
    if limits:
        highest = max(min(highest, TOP * max(limits.values())), 1.1 * max(limits.values()))
    span = max(highest - lowest, 1e-12)
    points = tuple(
        ChartPoint(
            kept,
            (number + 0.5) / len(known),
            min(1.0, max(0.0, 1 - (score - lowest) / span)),
            score > highest,
        )
        for number, (kept, score) in enumerate(known)
    )
    placed = {name: (value, 1 - (value - lowest) / span) for name, value in limits.items()}
    return LineChart(points, placed)
