"""Read a CSV of run lengths: the columns ImageId, ClassId and EncodedPixels of the Severstal steel set."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import short, whole
from flawline.data.masks.picture_files import annotations_of
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
)
from flawline.errors import SourceError

_RUNS, _PICTURE, _CLASS, _BOTH = "EncodedPixels", "ImageId", "ClassId", "ImageId_ClassId"
_NONE = ("", "-1", "nan")
_PAIRS = re.compile(r"\s*[0-9]{1,18}(\s+[0-9]{1,18})*\s*", re.ASCII)


def is_run_length_table(files: AnnotationFiles) -> bool:
    """Whether it is a CSV with a column EncodedPixels."""
    return files.table is not None and _RUNS in files.table.columns


def read_run_length_table(files: AnnotationFiles) -> Annotations:
    """Read runs as pairs of a first pixel, from 1 down the columns, and a length.

    A row without runs states that its picture has none of the class. The class stands in ClassId, or after the
    last underscore of ImageId_ClassId. A broken row spoils its picture.

    Raises:
        SourceError: a column is missing.
    """
    table = files.table
    columns = [] if table is None else table.columns
    if table is None or (_BOTH not in columns and not {_PICTURE, _CLASS} <= set(columns)):
        raise SourceError(
            f"{files.name}: expected the columns {_PICTURE}, {_CLASS} and {_RUNS}, got {', '.join(columns)[:200]}",
            hint=f"{_BOTH} may stand for the first two; without classes, add a column {_CLASS}.",
            code="annotations",
        )
    shapes: dict[str, list[Shape]] = {}
    nameless: list[str] = []
    for number, row in enumerate(table.iter_rows(named=True), 2):
        place = f"row {number}"
        name, label = _names(row)
        if name:
            own = shapes.setdefault(name, [])
            if (shape := _shape(label, row[_RUNS], place)) is not None:
                own.append(shape)
        else:
            nameless.append(f"{place}: expected the name of a picture, got none")
    pictures = {name: AnnotatedPicture(None, tuple(own)) for name, own in shapes.items()}
    return annotations_of(files.name, pictures, nameless=tuple(nameless))


def _names(row: dict[str, Any]) -> tuple[str, str]:
    if _BOTH in row:
        name, _, label = (row[_BOTH] or "").strip().rpartition("_")
    else:
        name, label = (row[_PICTURE] or "").strip(), (row[_CLASS] or "").strip()
    number = whole(label)
    return name, label if number is None else str(number)


def _shape(label: str, runs: str | None, place: str) -> Shape | None:
    text = (runs or "").strip()
    if text.lower() in _NONE:
        return None
    if not label:
        return broken_shape(place, "expected a class, got none")
    return Shape(label, place, partial(_paint, text))


def _paint(text: str, mask: Mask, value: int) -> None:
    words = text.split() if _PAIRS.fullmatch(text) else []
    if not words or len(words) % 2:
        raise BrokenShape(f"expected pairs of a first pixel and a length, got {short(text)}")
    numbers = np.array(words, np.int64).reshape(-1, 2)
    first, length = numbers.T
    last = first + length - 1
    if (first < 1).any() or (length < 1).any() or (last > mask.size).any():
        raise BrokenShape(f"expected runs of pixels from 1 to {mask.size}, got {short(text)}")
    # Ends cancel beginnings, so that runs may touch and overlap.
    steps = np.zeros(mask.size + 1, np.int64)
    np.add.at(steps, first - 1, 1)
    np.add.at(steps, last, -1)
    covered = np.cumsum(steps[:-1]) > 0
    mask.T[covered.reshape(mask.shape[::-1])] = value
