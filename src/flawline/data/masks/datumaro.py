"""Read the JSON files of Datumaro, which CVAT exports too."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.boxes import paint_box, paint_ellipse
from flawline.data.masks.documents import points_of, real, reals_of, short, size_of, typed, whole
from flawline.data.masks.picture_files import (
    add_picture,
    annotations_of,
    spoiled_picture,
    without_region,
)
from flawline.data.masks.rle import paint_coco
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    labels_of,
    paint_polygon,
)

Document = dict[str, Any]

_NO_REGION = ("caption", "hash_key", "tabular")


def is_datumaro(files: AnnotationFiles) -> bool:
    """Whether a JSON document has the parts of Datumaro."""
    document = files.document
    return isinstance(document, dict) and {"categories", "items"} <= set(document)


def read_datumaro(files: AnnotationFiles) -> Annotations:
    """Read polygons, masks, ellipses and rotated boxes of the items; other boxes are boxes.

    Shapes are painted from the lowest z_order to the highest. A region that cannot be read spoils its picture; so does
    one without an area, and a label of the whole picture that no region of it has: one of the classes that are drawn
    elsewhere in the file, or a defect in a picture without regions.

    Raises:
        SourceError: a part of the document is missing or of another type.
    """
    file, document = files.name, files.document
    labels = _labels(document, file)
    pictures: dict[str, AnnotatedPicture] = {}
    tags: dict[str, tuple[str, list[str]]] = {}
    nameless: list[str] = []
    for number, item in enumerate(typed(document["items"], list, file, "items")):
        place = f"items[{number}]"
        name = _name(item) if isinstance(item, dict) else None
        if name is None:
            nameless.append(f"{place}: expected an id or the path of a picture, got {short(item)}")
        else:
            add_picture(pictures, name, place, _picture(item, labels, files.most_pixels, place))
            tags[name] = (place, _tags(item, labels))
    # Where nothing is drawn, the labels of whole pictures are all that is known of the classes.
    classes = labels_of(pictures.values()) or labels
    for name, (place, own) in tags.items():
        shapes = pictures[name].shapes
        more = without_region(own, shapes, place, classes)
        pictures[name] = replace(pictures[name], shapes=(*shapes, *more))
    return annotations_of(file, pictures, labels=labels, nameless=tuple(nameless))


def _labels(document: Document, file: str) -> list[str]:
    categories = typed(document["categories"], dict, file, "categories")
    label = typed(categories.get("label", {}), dict, file, "categories.label")
    entries = typed(label.get("labels", []), list, file, "categories.label.labels")
    places = [f"categories.label.labels[{n}]" for n in range(len(entries))]
    return [
        typed(typed(entry, dict, file, place).get("name"), str, file, f"{place}.name")
        for entry, place in zip(entries, places, strict=True)
    ]


def _media(item: Document) -> Document:
    media = item.get("image") or item.get("media")
    return media if isinstance(media, dict) else {}


def _name(item: Document) -> str | None:
    """Return the path of an item's picture, or its id, which is the path without the extension."""
    path, key = _media(item).get("path"), item.get("id")
    return next((text for text in (path, key) if isinstance(text, str) and text), None)


def _picture(item: Document, labels: list[str], most_pixels: int, place: str) -> AnnotatedPicture:
    size, annotations = _media(item).get("size"), item.get("annotations", [])
    try:
        if not isinstance(annotations, list):
            raise BrokenShape(f"expected a list of annotations, got {short(annotations)}")
        if size is not None and (not isinstance(size, list) or len(size) != 2):
            raise BrokenShape(f"expected a size as [height, width], got {short(size)}")
        stated = None if size is None else size_of(size[0], size[1], most_pixels)
    except BrokenShape as error:
        return spoiled_picture(place, str(error))
    places = (f"{place}.annotations[{n}]" for n in range(len(annotations)))
    shapes = (_shape(a, labels, at) for a, at in zip(annotations, places, strict=False))
    found = sorted(((z, shape) for z, shape in shapes if shape is not None), key=lambda s: s[0])
    return AnnotatedPicture(stated, tuple(shape for _, shape in found))


def _tags(item: Document, labels: list[str]) -> list[str]:
    """List the labels of the whole picture."""
    annotations = item.get("annotations")
    entries = annotations if isinstance(annotations, list) else []
    own = [a for a in entries if isinstance(a, dict) and a.get("type") == "label"]
    return [label for a in own if (label := _label(a, labels)) is not None]


def _label(annotation: Document, labels: list[str]) -> str | None:
    number = whole(annotation.get("label_id"))
    return labels[number] if number is not None and 0 <= number < len(labels) else None


def _shape(annotation: Any, labels: list[str], place: str) -> tuple[float, Shape | None]:
    """Read one annotation and its z_order; no shape for what is no region."""
    if not isinstance(annotation, dict):
        return 0, broken_shape(place, f"expected an annotation, got {short(annotation)}")
    kind, label = annotation.get("type"), _label(annotation, labels)
    if kind == "label" or kind in _NO_REGION:
        return 0, None
    if label is None:
        came = short(annotation.get("label_id"))
        return 0, broken_shape(place, f"expected the number of a label, got {came}")
    order, turn = real(annotation.get("z_order", 0)), real(_rotation(annotation))
    if order is None or turn is None:
        came = f"{short(annotation.get('z_order'))} and {short(_rotation(annotation))}"
        return 0, broken_shape(place, f"expected numbers as z_order and rotation, got {came}")
    if kind == "bbox":
        paint = partial(_paint_box, annotation.get("bbox"), turn)
        return order, Shape(label, place, paint, box=turn % 360 == 0)
    if kind == "polygon":
        return order, Shape(label, place, partial(_paint_points, annotation.get("points")))
    if kind == "ellipse":
        return order, Shape(label, place, partial(_paint_ellipse, annotation.get("points"), turn))
    if kind == "mask":
        return order, Shape(label, place, partial(_paint_runs, annotation.get("rle")))
    return 0, broken_shape(place, f"expected a region with an area, got {short(kind)}")


def _rotation(annotation: Document) -> Any:
    """Return the clockwise rotation in degrees that CVAT writes as an attribute."""
    attributes = annotation.get("attributes")
    return attributes.get("rotation", 0) if isinstance(attributes, dict) else 0


def _paint_points(points: Any, mask: Mask, value: int) -> None:
    paint_polygon(points_of(points), mask, value)


def _paint_runs(runs: Any, mask: Mask, value: int) -> None:
    if not isinstance(runs, dict):
        raise BrokenShape(f"expected run lengths, got {short(runs)}")
    paint_coco(runs.get("counts"), runs.get("size"), mask, value)


def _four(numbers: Any, expected: str) -> list[float]:
    found: list[float] = reals_of(numbers, expected).tolist()
    if len(found) != 4:
        raise BrokenShape(f"expected {expected}, got {short(numbers)}")
    return found


def _paint_box(box: Any, rotation: float, mask: Mask, value: int) -> None:
    x, y, width, height = _four(box, "a box as [x, y, width, height]")
    paint_box((x, y), (width, height), rotation, mask, value)


def _paint_ellipse(corners: Any, rotation: float, mask: Mask, value: int) -> None:
    """Paint the ellipse within a box given by two corners."""
    left, top, right, bottom = _four(corners, "an ellipse as [x, y, x, y]")
    centre, radii = (
        ((left + right) / 2, (top + bottom) / 2),
        ((right - left) / 2, (bottom - top) / 2),
    )
    paint_ellipse(centre, radii, rotation, mask, value)
