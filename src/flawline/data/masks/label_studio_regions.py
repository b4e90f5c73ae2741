"""Make shapes of the results of a Label Studio annotation."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flawline.data.masks.boxes import paint_box, paint_ellipse
from flawline.data.masks.documents import real, reals_of, short, size_of, whole
from flawline.data.masks.png_region import covered_by_alpha
from flawline.data.masks.rle import paint_label_studio
from flawline.data.masks.shapes import BrokenShape, Mask, Shape, broken_shape, paint_polygon

Document = Mapping[str, Any]
_REGIONS = ("rectangle", "ellipse", "polygon", "brush", "bitmask", "keypoint", "vector")


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A region: the name of the picture's tag, its page where that shows several, the stated size, the shape."""

    tag: str
    page: int
    size: tuple[int, int] | None
    shape: Shape


def regions_of(results: Sequence[Any], place: str, most_pixels: int) -> list[Region]:
    """Read the regions among the results; what is said of a region or of the whole picture, such as a choice, is none.

    A region that cannot be read becomes a broken shape.
    """
    labels = _labels_apart(results)
    drawn = {_id(result) for result in results if _is_region(result)}
    regions = []
    for number, result in enumerate(results):
        alone = isinstance(result, dict) and _kind(result) and _id(result) not in drawn
        if isinstance(result, dict) and not (_is_region(result) or alone):
            continue
        at = f"{place}.result[{number}]"
        regions.append(_region(result, at, labels, most_pixels))
    return regions


def choices_of(results: Sequence[Any], place: str) -> list[tuple[str, str]]:
    """List the choices among the results, each with its place."""
    return [
        (f"{place}.result[{number}]", choice)
        for number, result in enumerate(results)
        if isinstance(result, dict) and isinstance(result.get("value"), dict)
        for choice in _texts(result["value"].get("choices"))
    ]


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def geometry_of(value: Any) -> str | None:
    """Name the geometry of a region's value by its fields; None where it has none."""
    if not isinstance(value, dict):
        return None
    return next((kind for kind, fields in _FIELDS.items() if fields <= value.keys()), None)


def labels_of_value(value: Document) -> Any:
    """Return the labels in the value of a region, under "brushlabels", "labels" and the like; None without any."""
    found = (labels for key, labels in value.items() if key.lower().endswith("labels") and labels)
    return next(found, None)


def _kind(result: Document) -> str | None:
    return geometry_of(result.get("value"))


def _is_region(result: Any) -> bool:
    return isinstance(result, dict) and str(result.get("type")).lower().startswith(_REGIONS)


def _id(result: Document) -> str:
    return str(result.get("id"))


def _labels_apart(results: Sequence[Any]) -> dict[str, Any]:
    """Collect the labels that stand apart from their regions: results of the type "labels" with the same id."""
    return {
        _id(result): result["value"].get("labels")
        for result in results
        if isinstance(result, dict)
        and result.get("type") == "labels"
        and isinstance(result.get("value"), dict)
    }


def _region(result: Any, place: str, labels: Mapping[str, Any], most_pixels: int) -> Region:
    if not isinstance(result, dict):
        return Region("", 0, None, broken_shape(place, f"expected an object, got {short(result)}"))
    tag, page = result.get("to_name"), whole(result.get("item_index", 0))
    try:
        size, shape = _shape(result, place, labels, most_pixels)
        if page is None or page < 0:
            raise BrokenShape(f"expected the number of a page, got {short(result['item_index'])}")
    except BrokenShape as error:
        size, shape = None, broken_shape(place, str(error))
    page = page if page is not None and page >= 0 else 0
    return Region(tag if isinstance(tag, str) else "", page, size, shape)


def _shape(
    result: Document, place: str, apart: Mapping[str, Any], most_pixels: int
) -> tuple[tuple[int, int] | None, Shape]:
    value, kind = result.get("value"), _kind(result)
    if kind is None or not isinstance(value, dict):
        raise BrokenShape(
            f"expected an outline, got a result of the type {short(result.get('type'))}"
        )
    turned = real(result.get("image_rotation") or 0)
    if turned is None or turned % 360:
        raise BrokenShape("expected a picture that was not turned in Label Studio, it was")
    labels = labels_of_value(value) or apart.get(_id(result))
    label = labels[0] if isinstance(labels, list) and len(labels) == 1 else None
    if not isinstance(label, str) or not label.strip():
        raise BrokenShape(f"expected a region with one label, got {short(labels)}")
    height, width = result.get("original_height"), result.get("original_width")
    stated = height is not None or width is not None
    size = size_of(height, width, most_pixels) if stated else None
    plain = kind == "rectangle" and not (real(value.get("rotation")) or 0) % 360
    return size, Shape(label, place, partial(_PAINT[kind], value), box=plain)


def _paint_brush(value: Document, mask: Mask, index: int) -> None:
    if value.get("format", "rle") != "rle":
        raise BrokenShape(f"expected a brush of the format 'rle', got {short(value['format'])}")
    paint_label_studio(value["rle"], mask, index)


def _paint_bitmask(value: Document, mask: Mask, index: int) -> None:
    """Paint a PNG with a transparent background, in base64."""
    head, _, text = str(value["imageDataURL"]).partition(";base64,")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BrokenShape(f"expected a PNG in base64, got {short(head)}") from error
    mask[covered_by_alpha(data, mask.shape)] = index


def _paint_polygon(value: Document, mask: Mask, index: int) -> None:
    points = value["points"]
    expected = "a list of points [x, y] in per cent"
    pairs = isinstance(points, list) and all(isinstance(p, list) and len(p) == 2 for p in points)
    if not pairs:
        raise BrokenShape(f"expected {expected}, got {short(points)}")
    numbers = reals_of([number for point in points for number in point], expected)
    scale = np.array([mask.shape[1], mask.shape[0]]) / 100
    paint_polygon(numbers.reshape(-1, 2) * scale, mask, index)


def _paint_rectangle(value: Document, mask: Mask, index: int) -> None:
    x, y, width, height = _in_px(value, ("x", "y", "width", "height"), mask)
    turned = _real(value, "rotation", 0)
    paint_box((x, y), (width, height), turned, mask, index, about_corner=True)


def _paint_ellipse(value: Document, mask: Mask, index: int) -> None:
    x, y, radius_x, radius_y = _in_px(value, ("x", "y", "radiusX", "radiusY"), mask)
    paint_ellipse((x, y), (radius_x, radius_y), _real(value, "rotation", 0), mask, index)


def _paint_nothing(value: Document, mask: Mask, index: int) -> None:
    raise BrokenShape("expected an outline, got points or a line")


def _in_px(value: Document, keys: Sequence[str], mask: Mask) -> list[float]:
    """Convert per cent of the width and height, in turn, to pixels."""
    sides = (mask.shape[1], mask.shape[0])
    return [_real(value, key) * sides[place % 2] / 100 for place, key in enumerate(keys)]


def _real(value: Document, key: str, missing: Any = None) -> float:
    number = real(value.get(key, missing))
    if number is None:
        raise BrokenShape(f"expected a number as {key!r}, got {short(value.get(key))}")
    return number


# The fields that tell the geometries apart, in the order in which they are tried.
_FIELDS: Mapping[str, set[str]] = {
    "brush": {"rle"},
    "bitmask": {"imageDataURL"},
    "polygon": {"points"},
    "ellipse": {"radiusX", "radiusY"},
    "rectangle": {"x", "y", "width", "height"},
    "line": {"vertices"},
    "point": {"x", "y"},
}
_PAINT: Mapping[str, Callable[[Document, Mask, int], None]] = {
    "brush": _paint_brush,
    "bitmask": _paint_bitmask,
    "polygon": _paint_polygon,
    "ellipse": _paint_ellipse,
    "rectangle": _paint_rectangle,
    "line": _paint_nothing,
    "point": _paint_nothing,
}
