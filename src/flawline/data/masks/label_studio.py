"""Read the JSON export of Label Studio, a list of tasks with brushes and polygons."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import refuse, stated_size, typed
from flawline.data.masks.rle import paint_label_studio
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    paint_polygon,
)
from flawline.data.names import PICTURE_SUFFIXES, natural_key, suffix

Document = dict[str, Any]
# Types of results without a region of their own.
_NO_REGION = frozenset({"choices", "textarea", "rating", "number", "relation", "labels"})


def is_label_studio(files: AnnotationFiles) -> bool:
    """Whether a JSON document is a list of tasks."""
    document = files.document
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(task, dict) and "data" in task for task in document)
    )


def read_label_studio(files: AnnotationFiles) -> Annotations:
    """Read the regions of an export (the format "JSON", not "JSON-MIN").

    The last annotation of a task that was not cancelled counts. A task without any is left out; one with an empty
    result is a picture without defects. Boxes, ellipses and points have no outline and are passed over.

    Raises:
        SourceError: a part is missing or of another type, or two tasks show the same picture.
    """
    file, pictures = files.name, dict[str, AnnotatedPicture]()
    notes: Counter[str] = Counter()
    for number, task in enumerate(files.document):
        place = f"[{number}]"
        name = _picture_name(typed(task["data"], dict, file, f"{place}.data"), file, place)
        done = _annotations(task, file, place)
        if not done:
            notes["tasks without an annotation are left out"] += 1
            continue
        if name in pictures:
            refuse(file, place, f"expected each picture once, {name!r} comes again")
        notes["tasks have several annotations, the last counts"] += len(done) > 1
        at, annotation = done[-1]
        pictures[name] = _annotated(annotation, file, at, files.most_pixels, notes)
    labels = {shape.label for picture in pictures.values() for shape in picture.shapes}
    return Annotations(
        file,
        tuple(sorted(labels, key=natural_key)),
        tuple(pictures),
        pictures.__getitem__,
        tuple(f"{count} {words}" for words, count in sorted(notes.items()) if count),
    )


def _annotations(task: Document, file: str, place: str) -> list[tuple[str, Document]]:
    if "annotations" not in task:
        refuse(
            file,
            place,
            "expected a task with 'annotations'",
            'Export the format "JSON"; "JSON-MIN" and "CSV" leave the sizes out.',
        )
    items = typed(task["annotations"], list, file, f"{place}.annotations")
    found = [(f"{place}.annotations[{n}]", item) for n, item in enumerate(items)]
    return [(at, a) for at, a in found if not typed(a, dict, file, at).get("was_cancelled")]


def _picture_name(data: Document, file: str, place: str) -> str:
    for value in data.values():
        if isinstance(value, str):
            name = _path(value)
            if suffix(name) in PICTURE_SUFFIXES:
                return name
    refuse(file, f"{place}.data", "expected the path of a picture, found none")


def _path(text: str) -> str:
    try:
        parts = urlsplit(text)
        stored = parse_qs(parts.query).get("d", [])
    except ValueError:
        return text
    # Pictures of a local storage are served as ".../local-files/?d=images/1.png".
    return (stored[0] if stored else unquote(parts.path)).replace("\\", "/").lstrip("/")


def _annotated(
    annotation: Document, file: str, place: str, most_pixels: int, notes: Counter[str]
) -> AnnotatedPicture:
    results = typed(annotation.get("result"), list, file, f"{place}.result")
    size: tuple[int, int] | None = None
    shapes: list[Shape] = []
    labels = _labels_by_region(results)
    for number, result in enumerate(results):
        at = f"{place}.result[{number}]"
        value = typed(typed(result, dict, file, at).get("value", {}), dict, file, f"{at}.value")
        kind = str(result.get("type"))
        if kind in _NO_REGION:
            continue
        if not kind.startswith(("brush", "polygon")):
            notes[f"regions of the type {kind[:40]!r} are passed over: they have no outline"] += 1
            continue
        if result.get("image_rotation"):
            refuse(file, at, "expected a picture that was not turned in Label Studio, it was")
        height, width = result.get("original_height"), result.get("original_width")
        stated = stated_size(height, width, most_pixels, file, at)
        if size not in (None, stated):
            refuse(file, at, f"expected the size of the other regions, {size}, got {stated}")
        size = stated
        label = _label(value, labels.get(str(result.get("id"))), file, at)
        shapes.append(Shape(label, at, partial(_paint, kind, value)))
    return AnnotatedPicture(size, tuple(shapes))


def _labels_by_region(results: list[Any]) -> dict[str, Any]:
    """Collect the labels that stand apart from their brushes: results of the type "labels" with the same id."""
    return {
        str(result.get("id")): result["value"].get("labels")
        for result in results
        if isinstance(result, dict)
        and result.get("type") == "labels"
        and isinstance(result.get("value"), dict)
    }


def _label(value: Document, apart: Any, file: str, place: str) -> str:
    labels = value.get("brushlabels") or value.get("polygonlabels") or apart
    if not isinstance(labels, list) or len(labels) != 1 or not isinstance(labels[0], str):
        refuse(file, place, "expected a region with one label", "Give every region one label.")
    return labels[0]


def _paint(kind: str, value: Document, mask: Mask, index: int) -> None:
    if kind.startswith("polygon"):
        paint_polygon(_points(value.get("points"), mask.shape), mask, index)
    elif value.get("format") == "rle":
        paint_label_studio(value.get("rle"), mask, index)
    else:
        raise BrokenShape(f"expected a brush of the format 'rle', got {value.get('format')!r:.40}")


def _points(points: Any, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Convert points from per cent of the picture's width and height to pixels."""
    try:
        values = np.asarray(points)
    except (ValueError, OverflowError) as error:
        raise BrokenShape("expected a list of points [x, y] in per cent") from error
    if values.ndim != 2 or values.shape[1] != 2 or values.dtype.kind not in "iuf":
        raise BrokenShape("expected a list of points [x, y] in per cent")
    return values.astype(np.float64) * (np.array([shape[1], shape[0]]) / 100)
