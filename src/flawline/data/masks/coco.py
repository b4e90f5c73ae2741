"""Read COCO: one JSON file of pictures, categories and regions (cocodataset.org, "Data format")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flawline.data.labels import label_meaning
from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.boxes import paint_box
from flawline.data.masks.documents import key_of, points_of, real, reals_of, short, size_of, typed
from flawline.data.masks.rle import paint_coco
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    paint_polygons,
)

Document = Mapping[str, Any]
Key = int | str | None


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures read so far: their names by id, empty for the nameless, and by name their sizes and shapes."""

    names: dict[Key, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    shapes: dict[str, list[Shape]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    nameless: list[str] = field(default_factory=list)

    def spoil(self, name: str, place: str, why: str) -> None:
        """Add a region to a picture that cannot be read."""
        self.shapes[name].append(broken_shape(place, why))


def is_coco(files: AnnotationFiles) -> bool:
    """Whether a JSON document has the parts of a COCO file."""
    document = files.document
    return isinstance(document, dict) and {"images", "annotations", "categories"} <= set(document)


def read_coco(files: AnnotationFiles) -> Annotations:
    """Read the regions of a COCO document: polygons, run lengths (lists or compressed text), crowds too.

    Regions are painted in the order of the file. One without an outline is a box, turned where its attributes state a
    rotation, as CVAT writes them. A region or picture that cannot be read spoils that picture.

    Raises:
        SourceError: a part of the document is no list.
    """
    document, file = files.document, files.name
    pictures = _Pictures()
    for place, image in _items(document, "images", file):
        _add_image(pictures, image, place, files.most_pixels)
    categories = categories_of(document, file)
    for place, region in _items(document, "annotations", file):
        name = pictures.names.get(key_of(region.get("image_id")))
        if name is None:
            came = short(region.get("image_id"))
            pictures.lost.append(f"{place}.image_id: expected an id of images, got {came}")
        elif name:
            pictures.shapes[name] += _shapes(region, place, categories)
    found = {
        name: AnnotatedPicture(size, tuple(pictures.shapes[name]))
        for name, size in pictures.sizes.items()
    }
    labels = tuple(dict.fromkeys(label for label in categories.values() if label is not None))
    lost, nameless = tuple(pictures.lost), tuple(pictures.nameless)
    return Annotations(file, labels, tuple(found), found.__getitem__, lost=lost, nameless=nameless)


def _items(document: Document, part: str, file: str) -> list[tuple[str, Document]]:
    """List the entries of a part with their places; one that is no object counts as empty."""
    items = typed(document[part], list, file, part)
    return [
        (f"{part}[{number}]", item if isinstance(item, dict) else {})
        for number, item in enumerate(items)
    ]


def _add_image(pictures: _Pictures, image: Document, place: str, most_pixels: int) -> None:
    name, key = image.get("file_name"), key_of(image.get("id"))
    if not isinstance(name, str) or not name:
        pictures.nameless.append(f"{place}.file_name: expected a text, got {short(name)}")
        pictures.names.setdefault(key, "")
        return
    first, known = pictures.names.get(key), name in pictures.sizes
    pictures.sizes.setdefault(name, None)
    pictures.shapes.setdefault(name, [])
    if key is None:
        pictures.spoil(name, f"{place}.id", f"expected an id, got {short(image.get('id'))}")
    elif first != name and (known or first is not None):
        for one in dict.fromkeys([name, first or name]):
            pictures.spoil(
                one, place, f"expected each picture once, {name!r} (id {key}) comes again"
            )
    pictures.names.setdefault(key, name)
    if image.get("height") is not None or image.get("width") is not None:
        try:
            size = size_of(image.get("height"), image.get("width"), most_pixels)
        except BrokenShape as error:
            pictures.spoil(name, place, str(error))
        else:
            pictures.sizes[name] = size


def categories_of(document: Document, file: str) -> dict[Key, str | None]:
    """Give the names of the categories by id, in the order of the ids; None where an id has two names or none."""
    found: dict[Key, str | None] = {}
    for _, category in _items(document, "categories", file):
        key, name = key_of(category.get("id")), category.get("name")
        named = name if isinstance(name, str) and name.strip() else None
        found[key] = named if found.get(key, named) == named else None
    found.pop(None, None)
    return {key: found[key] for key in sorted(found, key=lambda key: (isinstance(key, str), key))}


def _shapes(
    region: Document, place: str, categories: Mapping[Key, str | None]
) -> tuple[Shape, ...]:
    """Make the shape of a region; none of a label of the whole picture that means a good part."""
    label = categories.get(key_of(region.get("category_id")))
    whole_picture = not region.get("segmentation") and not region.get("bbox")
    if whole_picture and label is not None and label_meaning(label) is False:
        return ()
    return (_shape(region, place, label),)


def _shape(region: Document, place: str, label: str | None) -> Shape:
    if label is None:
        came = short(region.get("category_id"))
        return broken_shape(
            f"{place}.category_id", f"expected an id of one category with a name, got {came}"
        )
    outline, box = region.get("segmentation"), region.get("bbox")
    if any(outline) if isinstance(outline, list) else outline:
        return Shape(label, place, partial(_paint, outline))
    if not box:
        return broken_shape(place, "expected a segmentation, got none")
    attributes = region.get("attributes")
    rotation = real(attributes.get("rotation")) if isinstance(attributes, dict) else None
    turned = bool(rotation and rotation % 360)
    return Shape(label, place, partial(_paint_box, box, rotation or 0.0), box=not turned)


def _paint(outline: Any, mask: Mask, value: int) -> None:
    if isinstance(outline, dict):
        paint_coco(outline.get("counts"), outline.get("size"), mask, value)
    elif isinstance(outline, list):
        paint_polygons(tuple(points_of(flat) for flat in outline), mask, value)
    else:
        raise BrokenShape("expected polygons or run lengths as the segmentation")


def _paint_box(box: Any, rotation: float, mask: Mask, value: int) -> None:
    numbers = reals_of(box, "a box as [x, y, width, height]")
    if len(numbers) != 4:
        raise BrokenShape(f"expected a box as [x, y, width, height], got {short(box)}")
    x, y, width, height = numbers.tolist()
    paint_box((x, y), (width, height), rotation, mask, value)
