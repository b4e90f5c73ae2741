"""Write a grouping as CSV and JSON; the same grouping gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.data.named_files import name_from
from flawline.jobs.groups.grouping import GroupedPicture, Grouping, Pair

_COLUMNS = ("image", "label", "group", "similarity", "suggested", "mask", "split", "source_group")


def grouping_as_dict(grouping: Grouping) -> dict[str, Any]:
    """Build the JSON document that `flawline groups` prints."""
    return {
        "source": grouping.source,
        "suggested": True,
        "settings": dict(grouping.settings),
        "parts": grouping.parts,
        "groups": [
            {
                "group": members[0].group,
                "images": [
                    {
                        "image": picture.sample.name,
                        "label": picture.sample.label,
                        "similarity": _rounded(picture.similarity),
                        "nearest": picture.nearest,
                    }
                    for picture in members
                ],
            }
            for members in grouping.groups
        ],
        "alone": [picture.sample.name for picture in grouping.pictures if picture.nearest is None],
        "pairs": {
            "joined": _pairs(grouping.joined),
            "just_above": _pairs(grouping.above),
            "just_below": _pairs(grouping.below),
            "held_apart": _pairs(grouping.held_apart),
        },
        "agreement": asdict(grouping.agreement) if grouping.agreement else None,
        "notes": list(grouping.notes),
        "unjudged": [asdict(item) for item in grouping.unjudged],
    }


def write_json(grouping: Grouping, path: Path) -> Path:
    """Write the grouping as one JSON document."""
    return write_json_document(path, grouping_as_dict(grouping))


def write_csv(grouping: Grouping, path: Path, pictures: Path | None) -> Path:
    """Write one row per picture: image, label, group, similarity, suggested, then the metadata of the source.

    `group` is the suggestion; the group of the source, if any, is `source_group`. With the folder `pictures`, images
    are paths relative to the CSV, so that it is a manifest; without, they are names inside the archive.
    Pictures that could not be judged follow with an empty group, so that no input is lost.
    """
    samples = [picture.sample for picture in grouping.pictures]
    extra = sorted({key for sample in samples for key in sample.metadata} - set(_COLUMNS))
    present = {
        "mask": any(sample.mask for sample in samples),
        "split": any(sample.split for sample in samples),
        "source_group": any(sample.group is not None for sample in samples),
    }
    columns = [column for column in _COLUMNS if present.get(column, True)]

    def place(name: str | None) -> str | None:
        if name is None or pictures is None:
            return name
        return name_from(path.parent, pictures, name)

    def row(picture: GroupedPicture) -> list[object]:
        sample = picture.sample
        values: dict[str, object] = {
            "image": place(sample.name),
            "label": sample.label,
            "group": picture.group,
            "similarity": _rounded(picture.similarity),
            "suggested": "true",
            "mask": place(sample.mask),
            "split": sample.split,
            "source_group": sample.group,
        }
        return [values[column] for column in columns] + [sample.metadata.get(k) for k in extra]

    rows = [row(picture) for picture in grouping.pictures]
    empty: list[object] = [None] * (len(columns) + len(extra) - 1)
    rows += [[place(item.image), *empty] for item in grouping.unjudged]
    return write_csv_rows(path, [*columns, *extra], rows)


def _pairs(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    return [
        {
            **asdict(pair),
            "similarity": _rounded(pair.similarity),
            "correlation": _rounded(pair.correlation),
            "turned": round(pair.turned, 1) % 360,
        }
        for pair in pairs
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
