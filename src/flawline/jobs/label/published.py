"""Finished masks beside the pictures: an indexed PNG for each, and one COCO file of all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.labelling.pieces import pieces_of
from flawline.core.run_lengths import column_runs
from flawline.data.names import IMAGE_FOLDERS, MASK_FOLDERS, stem
from flawline.data.part_files import part_name
from flawline.data.whole_file import replacing, write_text
from flawline.version import __version__

COCO = "labels-coco.json"
MASKS = MASK_FOLDERS[0]


def mask_paths(names: Iterable[str]) -> dict[str, str]:
    """Name the mask of each picture as `open_source` finds it: in a folder masks beside the pictures.

    masks/bad/1.png belongs to bad/1.jpg, and masks/1.png to images/1.jpg. Where pictures differ in nothing but their
    extension, masks take it too: masks/1.jpg.png.
    """
    listed = list(names)
    stems = Counter(_without_extension(name) for name in listed)
    return {name: _path(name, twin=stems[_without_extension(name)] > 1) for name in listed}


def coco_entry(mask: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """List the regions of a mask uint8 (H, W) as COCO annotations without ids: run lengths keep every pixel."""
    size = (mask.shape[0], mask.shape[1])
    return [
        {
            "category_id": piece.number,
            "segmentation": {
                "size": list(size),
                "counts": list(column_runs(piece.pixels, piece.box, size)),
            },
            "area": piece.area,
            "bbox": list(piece.box),
            "iscrowd": 1,
        }
        for piece in pieces_of(mask)
    ]


def write_coco(
    path: Path, classes: tuple[str, ...], entries: Mapping[str, Mapping[str, Any]]
) -> Path:
    """Write a COCO file of pictures: `entries` has size (height, width) and annotations of each by name."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (name, entry) in enumerate(entries.items(), start=1):
        height, width = entry["size"]
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        for one in entry["annotations"]:
            annotations.append({"id": len(annotations) + 1, "image_id": number, **one})
    document = {
        "info": {"description": f"masks of defects, by Flawline {__version__}"},
        "images": images,
        "categories": [{"id": place, "name": name} for place, name in enumerate(classes, 1)],
        "annotations": annotations,
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return write_text(path, text + "\n")


def write_bytes(path: Path, data: bytes) -> Path:
    """Write a whole file of bytes, also its folders; it replaces `path` when complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(data)
    return path


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder; it is tried."""
    path = folder / part_name("flawline-try", own=os.urandom(4).hex())
    try:
        path.write_bytes(b"")
        path.unlink()
    except OSError:
        return False
    return True


def _without_extension(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    return folder + slash + stem(last)


def _path(name: str, *, twin: bool) -> str:
    parts = name.split("/")
    last = f"{parts[-1] if twin else stem(parts[-1])}.png"
    at = next((n for n in range(len(parts) - 2, -1, -1) if parts[n].lower() in IMAGE_FOLDERS), None)
    folders = [MASKS, *parts[:-1]] if at is None else [*parts[:at], MASKS, *parts[at + 1 : -1]]
    return "/".join([*folders, last])
