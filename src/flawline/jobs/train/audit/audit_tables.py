"""Write an audit of labels as a table, a JSON document, and COCO annotations for a relabelling tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.jobs.train.audit.label_audit import AuditedPicture, LabelAudit, SuspectRegion
from flawline.version import __version__

CSV, JSON, COCO = "label-audit.csv", "label-audit.json", "label-audit-coco.json"
COLUMNS = (
    "picture_rank",
    "image",
    "picture_score",
    "kind",
    "given",
    "seen",
    "area",
    "left",
    "top",
    "width",
    "height",
    "confidence",
    "shift_x",
    "shift_y",
    "words",
)


def write_audit(audit: LabelAudit, folder: Path) -> tuple[Path, Path, Path]:
    """Write label-audit.csv, label-audit.json and label-audit-coco.json into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = (_row(picture, region) for picture, region in audit.regions())
    return (
        write_csv_rows(folder / CSV, COLUMNS, rows),
        write_json_document(folder / JSON, audit_as_dict(audit)),
        write_json_document(folder / COCO, audit_as_coco(audit)),
    )


def audit_as_dict(audit: LabelAudit) -> dict[str, Any]:
    """Build the JSON document that `flawline audit-labels` prints."""
    return {
        "verdict": audit.verdict.text,
        "usable": audit.verdict.usable,
        "source": audit.source,
        "classes": list(audit.classes),
        "settings": {**audit.settings.as_dict(), "flawline": __version__},
        "masks": audit.masks,
        "suspects": audit.suspects,
        "learning": {
            name: None if one is None else {**asdict(one), "learnt": one.learnt}
            for name, one in zip(audit.classes, audit.learning, strict=True)
        },
        "noise": audit.noise,
        "thresholds": dict(zip(audit.classes, audit.thresholds, strict=True)),
        "joint": [list(row) for row in audit.joint],
        "pictures": [
            {
                "rank": picture.rank,
                "image": picture.image,
                "score": picture.score,
                "fold": picture.fold,
                "regions": [_region_as_dict(region) for region in picture.regions],
            }
            for picture in audit.pictures
        ],
        "notes": list(audit.notes),
        "unjudged": [item.as_dict() for item in audit.unjudged],
    }


def audit_as_coco(audit: LabelAudit) -> dict[str, Any]:
    """Build a COCO document of the suspicious regions; the category is the class seen, "background" the last of them.

    It holds the pictures with such regions. Outlines are run lengths (`iscrowd` 1 in COCO), which keep holes and single
    pixels. `score` is the mean confidence; `kind`, `given` and `words` are further fields.
    """
    shown = [picture for picture in audit.pictures if picture.regions]
    categories = _categories(audit.classes)
    pairs = [(number, picture) for number, picture in enumerate(shown, 1)]
    found = [(n, picture.size, region) for n, picture in pairs for region in picture.regions]
    return {
        "info": {"description": f"regions of masks that look wrong, by Flawline {__version__}"},
        "images": [
            {
                "id": number,
                "file_name": picture.image,
                "height": picture.size[0],
                "width": picture.size[1],
            }
            for number, picture in pairs
        ],
        "categories": [{"id": n, "name": name} for name, n in categories.items()],
        "annotations": [
            {
                "id": place,
                "image_id": number,
                "category_id": categories[region.seen],
                "segmentation": {"size": list(size), "counts": list(region.runs)},
                "area": region.area,
                "bbox": list(region.box),
                "iscrowd": 1,
                "score": region.confidence,
                "kind": region.kind,
                "given": region.given,
                "words": region.words,
            }
            for place, (number, size, region) in enumerate(found, 1)
        ],
    }


def _categories(classes: Sequence[str]) -> dict[str, int]:
    """Number categories from 1, defects as in the masks: some tools take 0 for "none"."""
    return {name: number or len(classes) for number, name in enumerate(classes)}


def _row(picture: AuditedPicture, region: SuspectRegion) -> list[object]:
    return [
        picture.rank,
        picture.image,
        picture.score,
        region.kind,
        region.given,
        region.seen,
        region.area,
        *region.box,
        region.confidence,
        *(region.shift or ("", "")),
        region.words,
    ]


def _region_as_dict(region: SuspectRegion) -> dict[str, Any]:
    return {
        "kind": region.kind,
        "given": region.given,
        "seen": region.seen,
        "area": region.area,
        "box": list(region.box),
        "confidence": region.confidence,
        "shift": None if region.shift is None else list(region.shift),
        "words": region.words,
    }
