"""Read the manifest that SageMaker Ground Truth writes: one JSON document a line and picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from flawline.core.words import counted
from flawline.data.image import ImageLimits
from flawline.data.labels import label_meaning
from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.bitmaps import colour_rows, numbered_picture
from flawline.data.masks.boxes import paint_box
from flawline.data.masks.class_names import BACKGROUND
from flawline.data.masks.documents import read_text, reals_of, short, whole
from flawline.data.masks.picture_files import spoiled_picture
from flawline.data.masks.pixels import read_mask
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
)
from flawline.errors import ImageError

Document = dict[str, Any]

_WHITE = 0xFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class _ClassMask:
    """The address of a mask, and its classes by colour and by value."""

    address: str
    colours: Mapping[int, str]
    values: Mapping[int, str]


def is_ground_truth(files: AnnotationFiles) -> bool:
    """Whether it is a file of JSON lines."""
    return files.suffix in (".manifest", ".jsonl")


def read_ground_truth(files: AnnotationFiles) -> Annotations:
    """Read the masks of semantic segmentation jobs and the boxes of object detection jobs.

    A mask lies below the manifest's folder, at the last parts of its address. Its colours are those of the colour map,
    white being background where that names none; else its values are the numbers of the map. A picture without a label
    is left out. One whose label failed, or that is only classified as defective, is spoiled.

    Raises:
        SourceError: it cannot be read as text.
    """
    parts: dict[str, tuple[str, list[_ClassMask | Shape]]] = {}
    nameless: list[str] = []
    unlabelled = 0
    for number, text in enumerate(read_text(files.path).split("\n"), 1):
        place = f"line {number}"
        if not text.strip():
            continue
        name, entry = _entry(text)
        labels = list(_labels(entry))
        if name is None:
            nameless.append(f"{place}: expected a JSON object with a source-ref")
        elif not labels:
            unlabelled += 1
        elif name in parts:
            why = f"expected each picture once, {name!r} comes again"
            parts[name][1].append(broken_shape(place, why))
        else:
            parts[name] = (place, _parts(labels, place))
    classes = _classes(part for _, own in parts.values() for part in own)
    what = counted(unlabelled, "picture without a label is", "pictures without a label are")
    notes = (f"{what} left out",) if unlabelled else ()
    read = partial(_picture, files, parts)
    found = (
        files.path_named(*_mask_names(part))
        for _, own in parts.values()
        for part in own
        if isinstance(part, _ClassMask)
    )
    masks = tuple(path for path in found if path is not None)
    return Annotations(
        files.name, classes, tuple(parts), read, notes, nameless=tuple(nameless), masks=masks
    )


def _entry(text: str) -> tuple[str | None, Document]:
    """Parse a line: the path of its picture without the bucket, None where it names none, and the line."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None, {}
    source = entry.get("source-ref") if isinstance(entry, dict) else None
    path = "/".join(_path(source)) if isinstance(source, str) else ""
    return (path, entry) if path else (None, {})


def _path(address: str) -> list[str]:
    """Split an address: a and 1.png of "s3://bucket/a/1.png"."""
    scheme, separator, rest = address.partition("://")
    return [part for part in (rest.partition("/")[2] if separator else scheme).split("/") if part]


def _labels(entry: Document) -> Iterator[tuple[Any, Document]]:
    """List the labels of a line, each with its metadata."""
    for key, metadata in entry.items():
        if key.endswith("-metadata") and isinstance(metadata, dict):
            own = key.removesuffix("-metadata")
            yield entry.get(own, entry.get(f"{own}-ref")), metadata


def _parts(labels: list[tuple[Any, Document]], place: str) -> list[_ClassMask | Shape]:
    """Read what the labels of a picture annotate, in their order; an adjusted mask replaces the former ones."""
    found: list[_ClassMask | Shape] = []
    unclear: list[Any] = []
    for label, metadata in labels:
        if "failure-reason" in metadata:
            came = short(metadata["failure-reason"])
            found.append(broken_shape(place, f"expected a label, labelling failed: {came}"))
        elif isinstance(metadata.get("internal-color-map"), dict):
            if "adjustment-status" in metadata:
                found = [part for part in found if not isinstance(part, _ClassMask)]
            found.append(_class_mask(label, metadata["internal-color-map"], place))
        elif isinstance(metadata.get("class-map"), dict) and isinstance(label, dict):
            found += _boxes(label, metadata["class-map"], place)
        elif label_meaning(str(metadata.get("class-name"))) is not False:
            unclear.append(metadata.get("class-name"))
    if unclear and not found:
        why = f"expected a mask or boxes, the picture is only classified as {short(unclear[0])}"
        found.append(broken_shape(place, why))
    return found


def _class_mask(address: Any, entries: Document, place: str) -> _ClassMask | Shape:
    colours: dict[int, str] = {}
    values: dict[int, str] = {}
    for key, entry in entries.items():
        number, name = whole(key), entry.get("class-name") if isinstance(entry, dict) else None
        if number is None or not isinstance(name, str) or not name.strip():
            return broken_shape(
                place, f"expected numbers with class names, got {short({key: entry})}"
            )
        name = BACKGROUND if name.casefold() == BACKGROUND else name
        values[number] = name
        if (colour := _colour(entry.get("hex-color"))) is not None:
            colours[colour] = name
    if not isinstance(address, str) or not _path(address):
        return broken_shape(place, f"expected the address of a mask, got {short(address)}")
    if BACKGROUND not in values.values():
        colours.setdefault(_WHITE, BACKGROUND)
    return _ClassMask(address, colours, values)


def _colour(text: Any) -> int | None:
    """Read "#rrggbb" as the number that `colour_rows` gives."""
    try:
        red, green, blue = bytes.fromhex(str(text).removeprefix("#"))
    except ValueError:
        return None
    return red | green << 8 | blue << 16


def _boxes(label: Document, names: Document, place: str) -> list[Shape]:
    boxes = label.get("annotations")
    if not isinstance(boxes, list):
        return [broken_shape(place, f"expected a list of annotations, got {short(boxes)}")]
    return [_box(box, names, f"{place}, annotations[{n}]") for n, box in enumerate(boxes)]


def _box(box: Any, names: Document, place: str) -> Shape:
    label = names.get(str(whole(box.get("class_id")))) if isinstance(box, dict) else None
    if not isinstance(label, str) or not label.strip():
        return broken_shape(
            place, f"expected a box with a class_id of the class-map, got {short(box)}"
        )
    return Shape(label, place, partial(_paint_box, box), box=True)


def _paint_box(box: Document, mask: Mask, value: int) -> None:
    sides = [box.get(key) for key in ("left", "top", "width", "height")]
    left, top, width, height = reals_of(sides, "left, top, width and height of a box").tolist()
    paint_box((left, top), (width, height), 0, mask, value)


def _classes(parts: Iterator[_ClassMask | Shape]) -> tuple[str, ...]:
    """List the classes of masks in the order of their numbers, then those of boxes."""
    masks: dict[tuple[int, str], None] = {}
    boxes: dict[str, None] = {}
    for part in parts:
        if isinstance(part, _ClassMask):
            masks.update(dict.fromkeys(part.values.items()))
        elif part.label is not None:
            boxes[part.label] = None
    ordered = dict.fromkeys([name for _, name in sorted(masks)] + sorted(boxes))
    return tuple(name for name in ordered if name != BACKGROUND)


def _picture(
    files: AnnotationFiles,
    parts: Mapping[str, tuple[str, list[_ClassMask | Shape]]],
    name: str,
) -> AnnotatedPicture:
    place, own = parts[name]
    size, shapes = None, list[Shape]()
    for part in own:
        if isinstance(part, Shape):
            shapes.append(part)
            continue
        try:
            drawn = _drawn(files, part, place)
        except BrokenShape as error:
            return spoiled_picture(place, str(error))
        size = drawn.size
        shapes += drawn.shapes
    return AnnotatedPicture(size, tuple(shapes))


def _mask_names(mask: _ClassMask) -> list[str]:
    """List where a mask may lie: at the last parts of its address, the longest first."""
    path = _path(mask.address)
    names = ["/".join(path[start:]) for start in range(len(path))]
    # Names hold times, and colons are no part of names on Windows.
    return [*names, path[-1].replace(":", "_")]


def _drawn(files: AnnotationFiles, mask: _ClassMask, place: str) -> AnnotatedPicture:
    content = files.read_named(*_mask_names(mask))
    try:
        rows = colour_rows(content, files.most_pixels)
        return numbered_picture(rows, mask.colours, place)
    except BrokenShape:
        with suppress(BrokenShape, ImageError):
            values = read_mask(content, ImageLimits(files.most_pixels))
            return numbered_picture([values], mask.values, place)
        raise
