"""Convert inspections to and from the work file of a resumable run: with every digit, without the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from flawline.inspector.inspection import OUTLINE, Inspection
from flawline.station.outcome import Outcome
from flawline.types import EMPTY, Region

_NO_MAP = np.zeros((0, 0), np.float32)
_NO_MASK = np.zeros((0, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class StoredInspection:
    """An inspection of an interrupted run; `image` is the name of the picture in that run."""

    inspection: Inspection
    image: str
    judged: datetime
    notes: tuple[str, ...]
    map_name: str | None


def slim(inspection: Inspection) -> Inspection:
    """Return an inspection without its map, class mask and picture, with contours as in tables."""
    regions = tuple(
        replace(region, contour=region.contour[:: max(1, -(-len(region.contour) // OUTLINE))])
        for region in inspection.regions
    )
    return replace(
        inspection,
        regions=regions,
        map=_NO_MAP,
        class_mask=_NO_MASK,
        picture=None,
        timings=EMPTY,
    )


def stored_as_dict(outcome: Outcome) -> dict[str, Any]:
    """Convert an outcome with an inspection to what JSON can hold."""
    inspection = outcome.inspection
    assert inspection is not None
    return {
        "image": outcome.frame.name,
        "judged": outcome.judged.isoformat(),
        "notes": list(outcome.notes),
        "map": outcome.map_name,
        "sha256": inspection.sha256,
        "size": list(inspection.size),
        "score": inspection.score,
        "p_value": inspection.p_value,
        "verdict": inspection.verdict,
        "reasons": list(inspection.reasons),
        "regions": [_region_as_dict(region) for region in inspection.regions],
        "recipe": inspection.recipe,
        "measures": _floats(inspection.measures),
        "spec": inspection.spec,
    }


def stored_from_dict(plain: Mapping[str, Any]) -> StoredInspection:
    """Build the inspection of `stored_as_dict`."""
    height, width = plain["size"]
    inspection = Inspection(
        image=plain["image"],
        sha256=plain["sha256"],
        size=(height, width),
        score=plain["score"],
        p_value=plain["p_value"],
        verdict=plain["verdict"],
        reasons=tuple(plain["reasons"]),
        regions=tuple(_region(region) for region in plain["regions"]),
        map=_NO_MAP,
        class_mask=_NO_MASK,
        recipe=plain["recipe"],
        timings=EMPTY,
        measures=plain["measures"],
        spec=plain["spec"],
    )
    judged = datetime.fromisoformat(plain["judged"])
    return StoredInspection(inspection, plain["image"], judged, tuple(plain["notes"]), plain["map"])


def _region_as_dict(region: Region) -> dict[str, Any]:
    return {
        "label": region.label,
        "box": list(region.box),
        "contour": region.contour.tolist(),
        "area": float(region.area),
        "peak": float(region.peak),
        "p_value": region.p_value,
        "measures": _floats(region.measures),
    }


def _region(plain: Mapping[str, Any]) -> Region:
    left, top, width, height = plain["box"]
    contour = np.array(plain["contour"], np.float32).reshape(-1, 2)
    return Region(**{**plain, "box": (left, top, width, height), "contour": contour})


def _floats(measures: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in measures.items()}
