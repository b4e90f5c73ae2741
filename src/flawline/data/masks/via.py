"""Read the VGG Image Annotator (VIA 1 and 2): a project, its annotations as JSON, or as CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.boxes import paint_box, paint_ellipse
from flawline.data.masks.documents import real, reals_of, short, typed
from flawline.data.masks.picture_files import annotations_of, without_region
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    paint_polygon,
)
from flawline.errors import SourceError

Document = dict[str, Any]

_PROJECT = "_via_img_metadata"
_SHAPE, _CLASS = "region_shape_attributes", "region_attributes"
# Attributes that are taken for the class where regions have several.
_USUAL = ("class", "label", "category", "type", "defect", "name")


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """A region: its place, the name of its picture, its shape and its attributes.

    Without a shape it is the picture itself. `key` tells pictures of one name apart.
    """

    place: str
    picture: str
    key: str
    shape: Any
    attributes: Document


def is_via(files: AnnotationFiles) -> bool:
    """Whether a JSON document has the parts of VIA, or a CSV its columns."""
    if files.table is not None:
        return {_SHAPE, _CLASS} <= set(files.table.columns)
    document = files.document
    if not isinstance(document, dict):
        return False
    entries = document.values()
    listed = bool(entries) and all(
        isinstance(entry, dict) and {"filename", "regions"} <= set(entry) for entry in entries
    )
    return _PROJECT in document or listed


def read_via(files: AnnotationFiles) -> Annotations:
    """Read polygons, circles and ellipses; rectangles are boxes.

    The class is the attribute of the regions; where they have several, the one that is called class, label, category,
    type, defect or name. A region that cannot be read spoils its picture; so does one without an area, and an attribute
    of the picture that means a defect where there is no region.

    Raises:
        SourceError: a part of the document is missing or of another type, or several attributes may be the class.
    """
    regions = list(_of_table(files) if files.table is not None else _of_document(files))
    nameless = tuple(f"{r.place}: expected a filename, got none" for r in regions if not r.picture)
    chosen, notes = _class_attribute(files.name, regions)
    shapes: dict[str, list[Shape]] = {}
    for region in regions:
        own = shapes.setdefault(region.picture, [])
        if region.shape is not None:
            own.append(_shape(region, chosen))
    keys: dict[str, str] = {}
    for region in regions:
        own = shapes[region.picture]
        if keys.setdefault(region.picture, region.key) != region.key:
            own.append(
                broken_shape(region.place, f"expected {region.picture!r} once, it comes again")
            )
        elif region.shape is None:
            tags = _texts(region.attributes)
            own += without_region(tags, own, f"{region.place}, file_attributes")
    pictures = {name: AnnotatedPicture(None, tuple(own)) for name, own in shapes.items() if name}
    return annotations_of(files.name, pictures, notes=notes, nameless=nameless)


def _of_document(files: AnnotationFiles) -> Iterator[_Region]:
    document = files.document
    entries = typed(document.get(_PROJECT, document), dict, files.name, _PROJECT)
    for key, entry in entries.items():
        place, parts = short(key), entry if isinstance(entry, dict) else {}
        name, regions = parts.get("filename"), parts.get("regions")
        name = name if isinstance(name, str) else ""
        yield _Region(place, name, key, None, _object(parts.get("file_attributes")))
        if not name:
            continue
        # VIA 1 numbers the regions.
        listed = list(regions.values()) if isinstance(regions, dict) else regions
        if not isinstance(listed, list):
            yield _Region(f"{place}.regions", name, key, listed or "nothing", {})
            continue
        for number, region in enumerate(listed):
            own = region if isinstance(region, dict) else {}
            at, shape = f"{place}.regions[{number}]", own.get("shape_attributes", {})
            yield _Region(at, name, key, shape, _object(own.get(_CLASS)))


def _of_table(files: AnnotationFiles) -> Iterator[_Region]:
    assert files.table is not None
    for number, row in enumerate(files.table.iter_rows(named=True), 2):
        name = row.get("filename") or row.get("#filename") or ""
        shape, attributes = _json(row[_SHAPE]), _json(row[_CLASS])
        empty = shape == {} and row.get("region_count") in ("0", None)
        place, key = f"row {number}", str(row.get("file_size"))
        yield _Region(place, name, key, None, _object(_json(row.get("file_attributes"))))
        if not empty:
            yield _Region(place, name, key, shape, _object(attributes))


def _object(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text


def _class_attribute(file: str, regions: Iterable[_Region]) -> tuple[str, tuple[str, ...]]:
    """Choose the attribute that is the class, and note it where there are others."""
    attributes = [region.attributes for region in regions if region.shape is not None]
    found = dict.fromkeys(key for own in attributes for key, value in own.items() if value)
    if len(found) < 2:
        return next(iter(found), ""), ()
    usual = next((key for word in _USUAL for key in found if key.casefold() == word), None)
    listed = ", ".join(map(repr, found))
    if usual is None:
        raise SourceError(
            f"{file}: expected one attribute of the regions as their class, found {listed}",
            hint=f"Call the one that is the class {_USUAL[0]!r} in VIA.",
            code="annotations",
        )
    return usual, (f"the class is the region attribute {usual!r} out of {listed}",)


def _shape(region: _Region, chosen: str) -> Shape:
    label, shape = _label(region.attributes.get(chosen)), region.shape
    if label is None:
        came = short(region.attributes.get(chosen))
        return broken_shape(region.place, f"expected a region with one class, got {came}")
    if not isinstance(shape, dict):
        return broken_shape(region.place, f"expected the attributes of a shape, got {short(shape)}")
    kind = shape.get("name")
    if kind == "polygon":
        return Shape(label, region.place, partial(_paint_polygon, shape))
    if kind in ("circle", "ellipse"):
        return Shape(label, region.place, partial(_paint_ellipse, shape))
    if kind == "rect":
        return Shape(label, region.place, partial(_paint_box, shape), box=True)
    return broken_shape(region.place, f"expected a region with an area, got {short(kind)}")


def _label(value: Any) -> str | None:
    """Return the class of a text or choice, or of the one box that is ticked."""
    if isinstance(value, dict):
        ticked = [key for key, state in value.items() if state]
        value = ticked[0] if len(ticked) == 1 else None
    return value.strip() or None if isinstance(value, str) else None


def _texts(attributes: Document) -> list[str]:
    """List the texts and choices among the attributes of a picture."""
    labels = (_label(value) for value in attributes.values())
    return [label for label in labels if label is not None]


def _paint_polygon(shape: Document, mask: Mask, value: int) -> None:
    x, y = (reals_of(shape.get(f"all_points_{axis}"), f"all_points_{axis}") for axis in "xy")
    if len(x) != len(y):
        raise BrokenShape(f"expected as many x as y, got {len(x)} and {len(y)}")
    paint_polygon(np.stack([x, y], axis=1), mask, value)


def _paint_ellipse(shape: Document, mask: Mask, value: int) -> None:
    x, y, across, down = _numbers(shape, "cx", "cy", *_RADII[shape["name"]])
    (turn,) = _numbers({"theta": 0, **shape}, "theta")
    paint_ellipse((x, y), (across, down), math.degrees(turn), mask, value)


def _paint_box(shape: Document, mask: Mask, value: int) -> None:
    x, y, width, height = _numbers(shape, "x", "y", "width", "height")
    paint_box((x, y), (width, height), 0, mask, value)


_RADII = {"circle": ("r", "r"), "ellipse": ("rx", "ry")}


def _numbers(shape: Document, *keys: str) -> list[float]:
    found = [real(shape.get(key)) for key in keys]
    if None in found:
        raise BrokenShape(f"expected the numbers {', '.join(keys)}, got {short(shape)}")
    return [number for number in found if number is not None]
