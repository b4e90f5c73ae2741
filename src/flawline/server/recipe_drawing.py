"""Lay out the charts of a recipe's page: a histogram of scores, and detection by size. Templates draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

BINS = 48
WIDE, HIGH = 720, 240
LEFT, RIGHT, TOP, BELOW = 36, 48, 26, 28
_SPREAD = 8.0
_POD_WIDE, _POD_HIGH, _POD_LEFT, _POD_BELOW = 300, 182, 34, 38


def histogram_layout(scores: Mapping[str, Any]) -> dict[str, Any] | None:
    """Lay out the bars of good and bad scores; None where there are none.

    `axis` has `low`, `high` and whether it is `log`, by which a page finds the place of a threshold.
    """
    good = np.array([row["score"] for row in scores["good"]], float)
    bad = np.array([row["score"] for row in scores["bad"]], float)
    limits = [scores[name] for name in ("review", "reject") if scores[name] is not None]
    known = np.concatenate([good, bad, limits])
    if not len(good) + len(bad):
        return None
    low, high = float(known.min()), float(known.max())
    log = low > 0 and high > _SPREAD * float(np.median(good if len(good) else bad))
    margin = (high / low) ** 0.04 if log else max(high - low, 1e-9) * 0.04
    low, high = (low / margin, high * margin) if log else (low - margin, high + margin)
    edges = np.geomspace(low, high, BINS + 1) if log else np.linspace(low, high, BINS + 1)
    counts = {"good": np.histogram(good, edges)[0], "bad": np.histogram(bad, edges)[0]}
    most = max(1, int((counts["good"] + counts["bad"]).max()))
    return {
        "wide": WIDE,
        "high": HIGH,
        "left": LEFT,
        "right": WIDE - RIGHT,
        "top": TOP,
        "floor": HIGH - BELOW,
        "axis": {"low": low, "high": high, "log": log},
        "bars": _bars(counts, most),
        "most": most,
        "ticks": [
            {
                "x": _x(value, low, high, log),
                "text": f"{value:.3g}" if value < 1000 else f"{value:.0f}",
            }
            for value in _ticks(edges)
        ],
        "limits": {
            name: None if scores[name] is None else round(_x(scores[name], low, high, log), 2)
            for name in ("review", "reject")
        },
    }


def pod_layout(document: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Lay out one chart for each kind of drawn defect: the share found by size, a line for each contrast."""
    charts: dict[str, dict[str, Any]] = {}
    for limit in (document or {}).get("limits") or ():
        chart = charts.setdefault(
            limit["name"],
            {"name": limit["name"], "lines": [], "wide": _POD_WIDE, "high": _POD_HIGH},
        )
        widths = [size["width_px"] for size in limit["sizes"]]
        if not widths:
            continue
        at = _pod_axis(min(widths), max(widths))
        points = [
            (at(size["width_px"]), _pod_y(size["found"] / size["of"]))
            for size in limit["sizes"]
            if size["of"]
        ]
        chart["ticks"] = [{"x": at(width), "text": f"{width:g}"} for width in widths]
        chart["lines"].append(
            {
                "contrast": f"{100 * abs(limit['contrast']):g} %",
                "points": " ".join(f"{x},{y}" for x, y in points),
                "dots": [
                    {
                        "x": x,
                        "y": y,
                        "text": f"{size['width_px']:g} px: {size['found']} of {size['of']} found",
                    }
                    for (x, y), size in zip(
                        points, (s for s in limit["sizes"] if s["of"]), strict=True
                    )
                ],
                "from": limit["found_from_px"],
            }
        )
    return [chart for chart in charts.values() if chart["lines"]]


def _bars(counts: Mapping[str, np.ndarray[Any, Any]], most: int) -> list[dict[str, Any]]:
    step = (WIDE - LEFT - RIGHT) / BINS
    bars = []
    for place in range(BINS):
        floor = float(HIGH - BELOW)
        for kind in ("good", "bad"):
            count = int(counts[kind][place])
            high = count / most * (HIGH - TOP - BELOW)
            if count:
                floor -= high
                bars.append(
                    {
                        "x": round(LEFT + place * step + 0.5, 2),
                        "y": round(floor, 2),
                        "wide": round(step - 1, 2),
                        "high": round(high, 2),
                        "kind": kind,
                        "count": count,
                    }
                )
    return bars


def _x(value: float, low: float, high: float, log: bool) -> float:
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return round(LEFT + min(1.0, max(0.0, share)) * (WIDE - LEFT - RIGHT), 2)


def _ticks(edges: Sequence[float] | np.ndarray[Any, Any]) -> list[float]:
    return [float(edges[round(place * BINS / 6)]) for place in range(7)]


def _pod_axis(least: float, most: float) -> Any:
    span = math.log(most / least) or 1.0

    def at(width: float) -> float:
        return round(_POD_LEFT + math.log(width / least) / span * (_POD_WIDE - _POD_LEFT - 14), 1)

    return at


def _pod_y(share: float) -> float:
    return round(12 + (1 - share) * (_POD_HIGH - 12 - _POD_BELOW), 1)
