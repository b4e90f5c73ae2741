"""Name places of the part in words."""

from __future__ import annotations

from typing import Any

from flawline.jobs.study.cause_words import number
from flawline.jobs.study.location_study import LocationStudy


def spot_name(found: LocationStudy, x: float, y: float) -> str:
    """Name a place: "232, 88 px (upper right)", or by angle and radius."""
    if found.centre is not None:
        return f"{x:.0f}° at a radius of {number(y)} {found.frame}"
    across = _third(x, found.x_edges, ("left", "", "right"))
    down = _third(y, found.y_edges, ("upper", "", "lower"))
    named = f"{down} {across}".strip() or "the middle"
    return f"{x:.0f}, {y:.0f} {found.frame} ({named})"


def _third(value: float, edges: Any, names: tuple[str, str, str]) -> str:
    share = (value - edges[0]) / (edges[-1] - edges[0])
    return names[min(2, int(3 * share))]
