"""Read YOLO segmentation: a text file of polygons for each picture, class names in data.yaml."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.boxes import paint_box
from flawline.data.masks.documents import read_text, real, reals_of
from flawline.data.masks.matching import file_stem
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    paint_polygon,
    spoiled,
)
from flawline.data.masks.yolo_names import NAME_LISTS, YoloNames, names_of_set
from flawline.data.names import MASK_FOLDERS, PICTURE_SUFFIXES, suffix
from flawline.errors import FlawlineError, SourceError

_MOST_LABELS, _LOOKED_AT = 50_000_000, 20
# Lists of pictures, which may lie beside the label files.
_LISTS = frozenset({"train.txt", "val.txt", "valid.txt", "test.txt"})


def is_yolo(files: AnnotationFiles) -> bool:
    """Whether it is a data.yaml, a folder with text files and no pictures, or one with label files of its pictures.

    Raises:
        SourceError: a folder that holds label files and masks.
    """
    if not files.is_folder:
        return files.suffix in (".yaml", ".yml")
    texts = _label_files(files)
    pictures = [name for name in files.files if suffix(name) in PICTURE_SUFFIXES]
    if not texts or not pictures:
        return bool(texts)
    stems = {_stem(name) for name in pictures}
    paired = [name for name in texts if _stem(name) in stems]
    if not any(_holds_numbers(files.folder / name) for name in paired[:_LOOKED_AT]):
        return False
    masks = [name for name in pictures if set(name.lower().split("/")[:-1]) & {*MASK_FOLDERS}]
    if masks:
        raise SourceError(
            f"expected annotations of one kind below {str(files.path)!r}, found label files ({paired[0]!r}) "
            f"and masks ({masks[0]!r})",
            hint="Give the folder of one of them.",
            code="annotations-ambiguous",
        )
    return True


def read_yolo(files: AnnotationFiles) -> Annotations:
    """Find the label files in a folder, or below that of a data.yaml.

    Each line of a label file is the place of a class in the names, then x and y in turn as fractions of the picture's
    width and height; four numbers are a box: its centre, width and height. An empty file is a picture without defects.

    Raises:
        SourceError: no label files, or a data.yaml whose class names cannot be read.
        UsageError: neither a data.yaml nor `classes`.
    """
    named = names_of_set(files)
    texts = {name: files.folder / name for name in _label_files(files)}
    if not texts:
        raise SourceError(
            f"expected label files (.txt) below {str(files.folder)!r}, found none",
            hint="Give the folder that holds the label files.",
            code="annotations",
        )
    labels, read = tuple(dict.fromkeys(named.names)), partial(_annotated, texts, named)
    return Annotations(files.name, labels, tuple(texts), read, named.notes)


def _label_files(files: AnnotationFiles) -> list[str]:
    """List the text files but for class names and lists of pictures; where some lie in folders called labels, those."""
    texts = [name for name in files.files if suffix(name) == ".txt"]
    texts = [name for name in texts if name.rpartition("/")[2].lower() not in NAME_LISTS]
    inside = [name for name in texts if "labels" in name.lower().split("/")[:-1]]
    return inside or [name for name in texts if not _is_list(files.folder / name)]


def _is_list(path: Path) -> bool:
    name = path.name.lower()
    listed = name in _LISTS or name.startswith("readme")
    return listed and not path.parent.name.lower().startswith("label")


def _stem(name: str) -> str:
    return file_stem(name.rpartition("/")[2])


def _holds_numbers(path: Path) -> bool:
    """Whether a text file is one of labels: numbers, or empty."""
    try:
        words = read_text(path, _MOST_LABELS).split()
        return all(math.isfinite(float(word)) for word in words)
    except (SourceError, ValueError):
        return False


def _annotated(texts: dict[str, Path], named: YoloNames, name: str) -> AnnotatedPicture:
    try:
        text = read_text(texts[name], _MOST_LABELS)
    except FlawlineError as error:
        # An unreadable label file is an error of its own picture only.
        raise spoiled(error.message, error.hint) from error
    lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    shapes = tuple(_shape(words, f"{texts[name].name}, line {n}", named) for n, words in lines)
    return AnnotatedPicture(None, shapes)


def _shape(words: list[str], place: str, named: YoloNames) -> Shape:
    if 9 <= len(words) <= 10 and words[8] in named.names:
        # The labels of DOTA: four corners in px, the class, and how hard it is to see.
        return Shape(words[8], place, partial(_paint_corners, words[:8]))
    # NumPy writes the class as 1.000000e+00.
    number = real(words[0])
    if number is None or not number.is_integer() or not 0 <= number < len(named.names):
        last = len(named.names) - 1
        return broken_shape(place, f"expected a class from 0 to {last}, got {words[0][:20]!r}")
    label = named.names[int(number)]
    if len(words) == 5 or named.keypoints:
        return Shape(label, place, partial(_paint_box, words[1:5]), box=True)
    return Shape(label, place, partial(_paint, words[1:]))


def _paint(words: Sequence[str], mask: Mask, value: int) -> None:
    paint_polygon(_points(words) * mask.shape[::-1], mask, value)


def _paint_corners(words: Sequence[str], mask: Mask, value: int) -> None:
    paint_polygon(_points(words), mask, value)


def _paint_box(words: Sequence[str], mask: Mask, value: int) -> None:
    centre, size = _points(words) * mask.shape[::-1]
    left, top = (centre - size / 2).tolist()
    width, height = size.tolist()
    paint_box((left, top), (width, height), 0, mask, value)


def _points(words: Sequence[str]) -> NDArray[np.float64]:
    numbers = reals_of(list(words), "x and y in turn as fractions of the picture")
    if len(numbers) % 2:
        raise BrokenShape(f"expected x and y in turn, got {len(numbers)} numbers")
    return numbers.reshape(-1, 2)
