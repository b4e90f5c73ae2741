"""Read COCO: one JSON file of pictures, categories and regions (cocodataset.org, "Data format")."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import points_of, refuse, stated_size, typed
from flawline.data.masks.rle import paint_coco
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    paint_polygons,
)

Document = dict[str, Any]


def is_coco(files: AnnotationFiles) -> bool:
    """Whether a JSON document has the parts of a COCO file."""
    document = files.document
    return isinstance(document, dict) and {"images", "annotations", "categories"} <= set(document)


def read_coco(files: AnnotationFiles) -> Annotations:
    """Read the regions of a COCO document: polygons, run lengths (lists or compressed text), crowds too.

    Regions are painted in the order of the file. One without an outline, only with a box, is passed over and counted
    in the notes.

    Raises:
        SourceError: a part is missing, of another type, or refers to what is not there.
    """
    document, file = files.document, files.name
    names, sizes = _images(document, file, files.most_pixels)
    categories = _categories(document, file)
    shapes: dict[str, list[Shape]] = defaultdict(list)
    boxes = 0
    for number, region in enumerate(_items(document, "annotations", file)):
        place = f"annotations[{number}]"
        image = _known(region, "image_id", names, file, place)
        label = _known(region, "category_id", categories, file, place)
        outline = region.get("segmentation")
        if outline:
            shapes[image].append(Shape(label, place, partial(_paint, outline)))
        else:
            boxes += 1
    pictures = {name: AnnotatedPicture(sizes[name], tuple(shapes[name])) for name in names.values()}
    notes = (f"{boxes} regions without an outline are passed over",) if boxes else ()
    labels = tuple(dict.fromkeys(categories.values()))
    return Annotations(file, labels, tuple(pictures), pictures.__getitem__, notes)


def _images(
    document: Document, file: str, most_pixels: int
) -> tuple[dict[Any, str], dict[str, tuple[int, int] | None]]:
    names: dict[Any, str] = {}
    sizes: dict[str, tuple[int, int] | None] = {}
    for number, image in enumerate(_items(document, "images", file)):
        place = f"images[{number}]"
        name = typed(image.get("file_name"), str, file, f"{place}.file_name")
        key = _key(image.get("id"), file, f"{place}.id")
        if key in names or name in sizes:
            refuse(file, place, f"expected each picture once, {name!r} (id {key}) comes again")
        names[key] = name
        stated = image.get("height") is not None or image.get("width") is not None
        sizes[name] = (
            stated_size(image.get("height"), image.get("width"), most_pixels, file, place)
            if stated
            else None
        )
    return names, sizes


def _categories(document: Document, file: str) -> dict[Any, str]:
    found: dict[Any, str] = {}
    for number, category in enumerate(_items(document, "categories", file)):
        place = f"categories[{number}]"
        key = _key(category.get("id"), file, f"{place}.id")
        if key in found:
            refuse(file, place, f"expected each id once, {key} comes again")
        found[key] = typed(category.get("name"), str, file, f"{place}.name")
    ordered = sorted(found, key=lambda key: (isinstance(key, str), key))
    return {key: found[key] for key in ordered}


def _items(document: Document, part: str, file: str) -> list[Document]:
    items = typed(document[part], list, file, part)
    return [typed(item, dict, file, f"{part}[{number}]") for number, item in enumerate(items)]


def _key(value: Any, file: str, place: str) -> int | str:
    return value if isinstance(value, str) else typed(value, int, file, place)


def _known(region: Document, field: str, known: dict[Any, str], file: str, place: str) -> str:
    key = _key(region.get(field), file, f"{place}.{field}")
    if key not in known:
        part = "images" if field == "image_id" else "categories"
        refuse(file, f"{place}.{field}", f"expected an id of {part}, got {key!r}")
    return known[key]


def _paint(outline: Any, mask: Mask, value: int) -> None:
    if isinstance(outline, dict):
        paint_coco(outline.get("counts"), outline.get("size"), mask, value)
    elif isinstance(outline, list):
        paint_polygons(tuple(points_of(flat) for flat in outline), mask, value)
    else:
        raise BrokenShape("expected polygons or run lengths as the segmentation")
