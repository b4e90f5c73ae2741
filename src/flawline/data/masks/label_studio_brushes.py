"""Read the export "Brush labels to PNG" of Label Studio: a picture for each brush, named for the number of its task."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flawline.data.bounded_file import read_bounded
from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.png_region import covered_by_level
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    labels_of,
)
from flawline.data.names import natural_key
from flawline.errors import ImageError

_NAME = re.compile(r"(task-[0-9]{1,18})-annotation-([0-9]{1,18})-by-([^-/]*)-(.+)-[0-9]+\.png")
_MOST_BYTES = 500_000_000
_WAY_OUT = (
    'Export the format "JSON": these names do not tell which picture a task shows. '
    "Or call each picture like its task, such as task-1.png."
)


@dataclass(frozen=True, slots=True)
class _Brush:
    annotation: int
    tag_and_label: str
    path: Path


def is_brush_export(files: AnnotationFiles) -> bool:
    """Whether it is a folder of pictures that are all named for tasks and annotations."""
    pictures = [name for name in files.files if name.endswith(".png")] if files.is_folder else []
    return bool(pictures) and all(_NAME.fullmatch(_last(name)) for name in pictures)


def read_brush_export(files: AnnotationFiles) -> Annotations:
    """Read the brushes of each task; of several annotations the one with the highest number counts."""
    tasks: dict[str, list[_Brush]] = defaultdict(list)
    for name in files.files:
        if found := _NAME.fullmatch(_last(name)):
            task, annotation, _, tag_and_label = found.groups()
            path = files.folder / name
            tasks[task].append(_Brush(int(annotation), tag_and_label, path))
    pictures = {task: _picture(brushes, files.classes) for task, brushes in tasks.items()}
    several = sum(len({one.annotation for one in brushes}) > 1 for brushes in tasks.values())
    return Annotations(
        files.name,
        tuple(sorted(labels_of(pictures.values()), key=natural_key)),
        tuple(pictures),
        pictures.__getitem__,
        (f"{several} tasks have several annotations, the last counts",) if several else (),
        way_out=_WAY_OUT,
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _picture(brushes: Sequence[_Brush], classes: Sequence[str]) -> AnnotatedPicture:
    last = max(brush.annotation for brush in brushes)
    shapes = [_shape(brush, classes) for brush in brushes if brush.annotation == last]
    return AnnotatedPicture(None, tuple(shapes))


def _shape(brush: _Brush, classes: Sequence[str]) -> Shape:
    """Make the shape of a brush: its name ends in the name of the tool, which has no dash, and the class."""
    label = brush.tag_and_label.partition("-")[2]
    if not label or (classes and label not in classes):
        known = f"out of {', '.join(classes)[:80]}" if classes else "after the name of the tool"
        why = f"expected a class {known}, got {brush.tag_and_label[:40]!r}"
        return broken_shape(brush.path.name, why)
    return Shape(label, brush.path.name, partial(_paint, brush.path))


def _paint(path: Path, mask: Mask, value: int) -> None:
    try:
        data = read_bounded(path, _MOST_BYTES, ImageError, "image", limit="Split the export.")
    except ImageError as error:
        raise BrokenShape(error.message) from error
    mask[covered_by_level(data, mask.shape)] = value
