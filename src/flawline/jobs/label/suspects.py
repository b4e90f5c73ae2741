"""Places of masks that an audit of labels holds for wrong, as people go through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.labelling.pieces import Piece, pieces_of
from flawline.data.json_file import parse_json, write_json_document
from flawline.data.masks.rle import paint_coco
from flawline.data.masks.shapes import BrokenShape
from flawline.errors import SourceError

SUSPECTS = "suspects.json"
_MOST = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Suspect:
    """A place that looks wrong: labelled as `given`, seen as `seen` with the mean probability `score`."""

    kind: str
    given: str
    seen: str
    score: float
    piece: Piece


def suspects_of_coco(data: bytes) -> dict[str, list[dict[str, Any]]]:
    """Read label-audit-coco.json, which `flawline audit-labels` writes: the annotations of each picture by its name.

    Raises:
        SourceError: ("annotations") it is no such file.
    """
    try:
        document = parse_json(data)
        names = {one["id"]: str(one["file_name"]) for one in document["images"]}
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        found: dict[str, list[dict[str, Any]]] = {}
        for one in document["annotations"][:_MOST]:
            entry = {
                "kind": str(one["kind"]),
                "given": str(one["given"]),
                "seen": categories[one["category_id"]],
                "score": float(one["score"]),
                "segmentation": dict(one["segmentation"]),
            }
            found.setdefault(names[one["image_id"]], []).append(entry)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise SourceError(
            f"expected label-audit-coco.json of an audit of labels, got something else ({error})",
            hint="`flawline audit-labels` writes it into its folder",
            code="annotations",
        ) from error
    return found


def write_suspects(found: Mapping[str, list[dict[str, Any]]], folder: Path) -> None:
    """Keep suspicious places in the folder of a set."""
    write_json_document(folder / SUSPECTS, dict(found))


def read_suspects(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the suspicious places of a set by picture."""
    path = folder / SUSPECTS
    return dict(parse_json(path.read_bytes())) if path.is_file() else {}


def suspects_of(entries: list[dict[str, Any]], size: tuple[int, int]) -> list[Suspect]:
    """Draw the suspicious places of a picture of `size` (height, width); those of another size are left out."""
    found = []
    for entry in entries:
        mask: NDArray[np.uint8] = np.zeros(size, np.uint8)
        outline = entry["segmentation"]
        try:
            paint_coco(outline.get("counts"), outline.get("size"), mask, 1)
        except BrokenShape:
            continue
        words = (entry["kind"], entry["given"], entry["seen"], entry["score"])
        found += [Suspect(*words, piece) for piece in pieces_of(mask)]
    return found
