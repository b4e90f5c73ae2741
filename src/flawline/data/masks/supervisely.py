"""Read a Supervisely project: meta.json, and `DATASET/ann/PICTURE.json` for each `DATASET/img/PICTURE`."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles, head_of
from flawline.data.masks.bitmaps import from_base64, inflated, paint_png
from flawline.data.masks.boxes import paint_box
from flawline.data.masks.documents import pairs_of, read_json, real, short, size_of, whole
from flawline.data.masks.picture_files import annotations_of, read_each, without_region
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    paint_polygon,
)

Document = dict[str, Any]

_META = "meta.json"
_PARTS = {"objects": list, "size": dict}


def is_supervisely(files: AnnotationFiles) -> bool:
    """Whether it is a folder that holds files of annotations with objects and a size."""
    return files.is_folder and any(_PARTS.items() <= head.items() for head in files.heads)


def read_supervisely(files: AnnotationFiles) -> Annotations:
    """Read the polygons, with their holes, bitmaps and oriented boxes of a project; rectangles are boxes.

    The classes of meta.json come first, in its order. A region or file that cannot be read spoils its picture; so does
    one without an area, and a tag of a class or defect that has no region.
    """
    names = [name for name in files.of_kind(".json") if name.rpartition("/")[2] != _META]
    # Beside the annotations lie files about the project.
    own = [name for name in names if name.split("/")[-2:-1] == ["ann"]]
    classes = _classes(files)
    found = read_each(files, own or names, partial(_picture, files, classes))
    pictures = {name: found.read(name) for name in found.names}
    return annotations_of(files.name, pictures, labels=classes)


def _classes(files: AnnotationFiles) -> list[str]:
    metas = [files.folder / _META, files.folder.parent / _META, files.folder.parent.parent / _META]
    meta = next((read_json(path) for path in metas if path.is_file()), None)
    classes = meta.get("classes") if isinstance(meta, dict) else None
    entries = classes if isinstance(classes, list) else []
    titles = [entry.get("title") for entry in entries if isinstance(entry, dict)]
    return [title for title in titles if isinstance(title, str) and title.strip()]


def _picture(files: AnnotationFiles, classes: list[str], file: str) -> tuple[str, AnnotatedPicture]:
    document = read_json(files.folder / file)
    if not _PARTS.items() <= head_of(document).items():
        raise BrokenShape("expected a file of Supervisely with a size and a list 'objects'")
    size = document["size"]
    stated = size_of(size.get("height"), size.get("width"), files.most_pixels)
    shapes = [_shape(o, f"{file}, objects[{n}]") for n, o in enumerate(document["objects"])]
    shapes += without_region(_tags(document), shapes, f"{file}, tags", classes)
    name = "/".join(part for part in file[: -len(".json")].split("/") if part != "ann")
    return name, AnnotatedPicture(stated, tuple(shapes))


def _tags(document: Document) -> list[str]:
    """List the names of a picture's tags, and their values where they are texts."""
    tags = document.get("tags")
    found = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    texts = [tag.get(part) for tag in found for part in ("name", "value")]
    return [text for text in texts if isinstance(text, str)]


def _shape(region: Any, place: str) -> Shape:
    label = region.get("classTitle") if isinstance(region, dict) else None
    if not isinstance(label, str) or not label.strip():
        return broken_shape(place, f"expected an object with a classTitle, got {short(label)}")
    kind, points = region.get("geometryType"), region.get("points")
    if kind == "polygon":
        return Shape(label, place, partial(_paint_polygon, points))
    if kind == "bitmap":
        return Shape(label, place, partial(_paint_bitmap, region.get("bitmap")))
    if kind == "rectangle":
        return Shape(label, place, partial(_paint_box, points, 0.0), box=True)
    if kind == "oriented_bbox":
        return Shape(label, place, partial(_paint_box, points, region.get("angle")))
    return broken_shape(place, f"expected a region with an area, got {short(kind)}")


def _paint_polygon(points: Any, mask: Mask, value: int) -> None:
    if not isinstance(points, dict) or not isinstance(points.get("interior", []), list):
        raise BrokenShape(f"expected the points of a polygon, got {short(points)}")
    _paint_with_holes(points.get("exterior"), points.get("interior", []), mask, value)


def _paint_with_holes(outline: Any, holes: list[Any], mask: Mask, value: int) -> None:
    """Paint a polygon without its holes, all lists of [x, y]."""
    region = np.zeros_like(mask)
    paint_polygon(pairs_of(outline), region, 1)
    for hole in holes:
        paint_polygon(pairs_of(hole), region, 0)
    mask[region == 1] = value


def _paint_bitmap(bitmap: Any, mask: Mask, value: int) -> None:
    origin = bitmap.get("origin") if isinstance(bitmap, dict) else None
    corner = [whole(number) for number in origin] if isinstance(origin, list) else []
    if len(corner) != 2 or corner[0] is None or corner[1] is None:
        raise BrokenShape(f"expected a bitmap with an origin [x, y], got {short(origin)}")
    content = from_base64(bitmap.get("data"))
    # Bitmaps are PNG, compressed once more by the tool and left as they are by some importers.
    png = content if content.startswith(b"\x89PNG") else inflated(content, mask.size)
    paint_png(png, (corner[0], corner[1]), mask, value)


def _paint_box(points: Any, angle: Any, mask: Mask, value: int) -> None:
    """Paint a box from two corners, turned clockwise by radians."""
    corners = pairs_of(points.get("exterior") if isinstance(points, dict) else points)
    turn = real(angle)
    if len(corners) != 2 or turn is None:
        raise BrokenShape(f"expected 2 corners and an angle, got {short(points)}, {short(angle)}")
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    paint_box((left, top), (right - left, bottom - top), math.degrees(turn), mask, value)
