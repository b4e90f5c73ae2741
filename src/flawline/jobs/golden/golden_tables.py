"""Write what was compared with golden samples as JSON and CSV; the same comparison gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flawline.core.golden.differences import STRENGTH
from flawline.data.csv_file import write_csv_rows
from flawline.jobs.golden.golden_comparison import ComparedPicture, GoldenComparison
from flawline.types import Region

COLUMNS = (
    "image",
    "label",
    "group",
    "verdict",
    "score",
    "missing",
    "extra",
    "template",
    "likeness",
    "unseen",
    "width",
    "height",
    "sha256",
)


def comparison_as_dict(comparison: GoldenComparison) -> dict[str, Any]:
    """Build the JSON document that `flawline compare-golden` prints."""
    return {
        "source": comparison.source,
        "settings": dict(comparison.settings),
        "least": comparison.least,
        "basis": comparison.basis,
        "counts": comparison.counts,
        "comparisons": [_picture(picture) for picture in comparison.pictures],
        "unjudged": [item.as_dict() for item in comparison.unjudged],
    }


def write_csv(comparison: GoldenComparison, path: Path) -> Path:
    """Write one row per picture; those not judged follow with an empty verdict."""
    rows: list[list[Any]] = []
    for picture in comparison.pictures:
        found = _picture(picture)
        kinds = [region.label for region in picture.regions]
        found |= {kind: kinds.count(kind) for kind in ("missing", "extra")}
        rows.append([found[name] for name in COLUMNS])
    rows += [[item.image, *[None] * (len(COLUMNS) - 1)] for item in comparison.unjudged]
    return write_csv_rows(path, COLUMNS, rows)


def write_differences(comparison: GoldenComparison, path: Path) -> Path:
    """Write one row per region: picture, number in it, kind, box, area, contrast and strength."""
    header = ("image", "region", "class", "box_left", "box_top", "box_width", "box_height")
    rows = [
        [picture.sample.name, number, one.label, *one.box, one.area, one.peak, _strength(one)]
        for picture in comparison.pictures
        for number, one in enumerate(picture.regions, start=1)
    ]
    return write_csv_rows(path, (*header, "area", "contrast", "strength"), rows)


def _picture(picture: ComparedPicture) -> dict[str, Any]:
    height, width = picture.size
    return {
        "image": picture.sample.name,
        "label": picture.sample.label,
        "group": picture.sample.group,
        "template": picture.template or None,
        "verdict": picture.verdict,
        "score": round(picture.score, 3),
        "likeness": round(picture.likeness, 4),
        "unseen": round(picture.unseen, 4),
        "regions": [
            {
                "class": region.label,
                "box": list(region.box),
                "area": round(region.area, 2),
                "contrast": region.peak,
                "strength": _strength(region),
            }
            for region in picture.regions
        ],
        "width": width,
        "height": height,
        "sha256": picture.sha256,
    }


def _strength(region: Region) -> float:
    return round(region.measures[STRENGTH], 3)
