"""Turn the Label Studio export "JSON-MIN" into the tasks of the export "JSON"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flawline.data.masks.documents import key_of, whole
from flawline.data.masks.label_studio_regions import geometry_of, labels_of_value

_OF_THE_TASK = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time")


def is_json_min(document: Any) -> bool:
    """Whether a JSON document is a list with an annotation in each entry."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(one, dict) and {"id", "annotation_id"} <= one.keys() for one in document)
    )


def tasks_of_min(document: list[Any]) -> list[dict[str, Any]]:
    """Make tasks of the entries: texts are data, lists of regions are results; of one task the last annotation counts.

    Neither ids of regions nor turns of pictures are in such an export.
    """
    latest: dict[Any, dict[str, Any]] = {}
    for entry in document:
        before = latest.setdefault(key_of(entry["id"]), entry)
        if (whole(entry["annotation_id"]) or 0) > (whole(before["annotation_id"]) or 0):
            latest[key_of(entry["id"])] = entry
    return [_task(entry) for entry in latest.values()]


def _task(entry: Mapping[str, Any]) -> dict[str, Any]:
    fields = {key: value for key, value in entry.items() if key not in _OF_THE_TASK}
    regions = [
        region
        for value in fields.values()
        if isinstance(value, list)
        for region in value
        if geometry_of(region)
    ]
    labelled = {_geometry(region) for region in regions if labels_of_value(region)}
    # A region drawn with one tool and named with another stands there twice.
    own = [r for r in regions if labels_of_value(r) or _geometry(r) not in labelled]
    results = [
        {"id": number, "type": "region", "value": region}
        | {key: region.get(key) for key in ("original_width", "original_height")}
        for number, region in enumerate(own)
    ]
    annotated = entry["annotation_id"] is not None
    return {"data": fields, "annotations": [{"result": results}] if annotated else []}


def _geometry(region: Mapping[str, Any]) -> str:
    names = ("rle", "imageDataURL", "points", "x", "y", "width", "height", "radiusX", "radiusY")
    return json.dumps([region.get(name) for name in names])
