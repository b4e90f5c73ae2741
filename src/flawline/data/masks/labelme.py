"""Read LabelMe: a JSON file for each picture (the desktop program, not the web page)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles, head_of
from flawline.data.masks.bitmaps import from_base64, paint_png
from flawline.data.masks.boxes import paint_box, paint_ellipse
from flawline.data.masks.documents import pairs_of, read_json, short, size_of
from flawline.data.masks.picture_files import picture_of, read_each, without_region
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

_PARTS = {"shapes", "imagePath"}
_BACKGROUND = "_background_"
# "rotation" is the name of X-AnyLabeling, which writes the same files.
_OUTLINES = ("polygon", "oriented_rectangle", "rotation")


def is_labelme(files: AnnotationFiles) -> bool:
    """Whether it is a JSON file with the parts of LabelMe, or a folder that holds such files."""
    return any(head.keys() >= _PARTS for head in files.heads)


def read_labelme(files: AnnotationFiles) -> Annotations:
    """Read polygons, oriented rectangles, circles and masks; rectangles are boxes, whatever their group.

    A picture belongs to the file of its own name. Its regions are painted in the order of the file. A region or file
    that cannot be read spoils its picture; so does a line or a point, which have no area, and a flag of a defect where
    there is no region.
    """
    return read_each(files, files.of_kind(".json"), partial(_picture, files))


def _picture(files: AnnotationFiles, file: str) -> tuple[str, AnnotatedPicture]:
    document = read_json(files.folder / file)
    if not head_of(document).keys() >= _PARTS or not isinstance(document["shapes"], list):
        raise BrokenShape("expected a file of LabelMe with a list 'shapes'")
    height, width = document.get("imageHeight"), document.get("imageWidth")
    stated = height is not None or width is not None
    size = size_of(height, width, files.most_pixels) if stated else None
    shapes = [_shape(shape, f"{file}, shapes[{n}]") for n, shape in enumerate(document["shapes"])]
    flags = document.get("flags")
    set_flags = [flag for flag, state in flags.items() if state] if isinstance(flags, dict) else []
    shapes += without_region(set_flags, shapes, f"{file}, flags")
    return picture_of(file, document["imagePath"]), AnnotatedPicture(size, tuple(shapes))


def _shape(shape: Any, place: str) -> Shape:
    label = shape.get("label") if isinstance(shape, dict) else None
    if not isinstance(label, str) or not label.strip():
        return broken_shape(place, f"expected a region with a label, got {short(label)}")
    label = "background" if label == _BACKGROUND else label
    # Files of the first versions have no type: all regions are polygons.
    kind, points = shape.get("shape_type") or "polygon", shape.get("points")
    if kind in _OUTLINES:
        return Shape(label, place, partial(_paint_outline, points))
    if kind == "rectangle":
        return Shape(label, place, partial(_paint_rectangle, points), box=True)
    if kind == "circle":
        return Shape(label, place, partial(_paint_circle, points))
    if kind == "mask":
        return Shape(label, place, partial(_paint_mask, points, shape.get("mask")))
    return broken_shape(place, f"expected a region with an area, got {short(kind)}")


def _paint_outline(points: Any, mask: Mask, value: int) -> None:
    paint_polygon(pairs_of(points), mask, value)


def _paint_rectangle(points: Any, mask: Mask, value: int) -> None:
    """Paint the box around its corners: two, or all four as X-AnyLabeling writes them."""
    corners = pairs_of(points)
    if len(corners) not in (2, 4):
        raise BrokenShape(f"expected 2 corners of a rectangle, got {len(corners)}")
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    paint_box((left, top), (right - left, bottom - top), 0, mask, value)


def _paint_circle(points: Any, mask: Mask, value: int) -> None:
    """Paint a circle from its centre and a point on its edge."""
    both = pairs_of(points).tolist()
    if len(both) != 2:
        raise BrokenShape(f"expected the centre and a point of a circle, got {len(both)} points")
    (x, y), edge = both
    radius = math.dist((x, y), edge)
    paint_ellipse((x, y), (radius, radius), 0, mask, value)


def _paint_mask(points: Any, bitmap: Any, mask: Mask, value: int) -> None:
    """Paint a bitmap with its first corner at the first point."""
    corners = pairs_of(points)
    if not len(corners) or not np.isfinite(corners).all() or np.abs(corners).max() > 1e9:
        raise BrokenShape(f"expected the corners of a mask, got {short(points)}")
    left, top = corners[0].round().astype(int).tolist()
    paint_png(from_base64(bitmap), (left, top), mask, value)
