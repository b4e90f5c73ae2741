"""One inspection as plain values: what tables, JSON and the journal hold of it."""

from __future__ import annotations

from typing import Any

from flawline.inspector.inspection import Inspection
from flawline.types import Region

OUTLINE = 200
"""Most points of a contour that are written out; longer ones are thinned evenly."""


def row_of(inspection: Inspection) -> dict[str, Any]:
    """Everything but the map and the timings, in the order in which it is written; no name, since copies share it."""
    height, width = inspection.size
    return {
        "score": inspection.score,
        "p_value": inspection.p_value,
        "verdict": inspection.verdict,
        "reasons": list(inspection.reasons),
        "defects": [_defect(region) for region in inspection.regions],
        "width": width,
        "height": height,
        "sha256": inspection.sha256,
        "recipe": inspection.recipe,
        "spec": inspection.spec,
        "measures": dict(inspection.measures),
    }


def _defect(region: Region) -> dict[str, Any]:
    step = max(1, -(-len(region.contour) // OUTLINE))
    return {
        "label": region.label,
        "box": list(region.box),
        "area": round(region.area, 2),
        "peak": region.peak,
        "p_value": region.p_value,
        "contour": [[round(float(x), 2), round(float(y), 2)] for x, y in region.contour[::step]],
        "measures": {name: float(f"{value:.9g}") for name, value in region.measures.items()},
    }
