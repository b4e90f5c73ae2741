"""Make shapes of the elements of a CVAT file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from flawline.data.masks.boxes import paint_box, paint_ellipse
from flawline.data.masks.documents import points_of, real, short, whole, wholes_of
from flawline.data.masks.rle import paint_cvat
from flawline.data.masks.shapes import BrokenShape, Mask, Shape, broken_shape, paint_polygon

Attributes = Mapping[str, str]


def shape_of(tag: str, attributes: Attributes, label: str, place: str) -> Shape:
    """Make the shape of an element such as <polygon>; a broken one of a kind that has no outline."""
    paint = _PAINT.get(tag)
    if paint is None:
        return broken_shape(place, f"expected an outline, got <{tag[:40]}>")
    if not label.strip():
        return broken_shape(place, "expected a shape with a label, got none")
    box = tag == "box" and not (real(attributes.get("rotation")) or 0) % 360
    return Shape(label, place, partial(paint, attributes), box)


def order_of(attributes: Attributes) -> int:
    """Read the z_order of a shape: those with a higher one are painted later; raises BrokenShape."""
    order = whole(attributes.get("z_order", 0))
    if order is None:
        raise BrokenShape(
            f"expected a whole number as 'z_order', got {short(attributes['z_order'])}"
        )
    return order


def _paint_polygon(attributes: Attributes, mask: Mask, value: int) -> None:
    pairs = _text(attributes, "points").split(";")
    numbers = [number for pair in pairs for number in pair.split(",")]
    paint_polygon(points_of(numbers), mask, value)


def _paint_runs(attributes: Attributes, mask: Mask, value: int) -> None:
    runs = wholes_of(_text(attributes, "rle").split(","), "run lengths as 'n, n'").tolist()
    left, top, width, height = (
        _whole(attributes, key) for key in ("left", "top", "width", "height")
    )
    paint_cvat(runs, (left, top, width, height), mask, value)


def _paint_box(attributes: Attributes, mask: Mask, value: int) -> None:
    left, top, right, bottom = (_real(attributes, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    turned = _real(attributes, "rotation", "0")
    paint_box((left, top), (right - left, bottom - top), turned, mask, value)


def _paint_ellipse(attributes: Attributes, mask: Mask, value: int) -> None:
    x, y, radius_x, radius_y = (_real(attributes, key) for key in ("cx", "cy", "rx", "ry"))
    turned = _real(attributes, "rotation", "0")
    paint_ellipse((x, y), (radius_x, radius_y), turned, mask, value)


_PAINT: Mapping[str, Callable[[Attributes, Mask, int], None]] = {
    "polygon": _paint_polygon,
    "mask": _paint_runs,
    "box": _paint_box,
    "ellipse": _paint_ellipse,
}


def _text(attributes: Attributes, key: str, missing: str | None = None) -> str:
    text = attributes.get(key, missing)
    if text is None:
        raise BrokenShape(f"expected the attribute {key!r}, found {', '.join(attributes)[:80]}")
    return text


def _whole(attributes: Attributes, key: str) -> int:
    number = whole(_text(attributes, key))
    if number is None:
        raise BrokenShape(f"expected a whole number as {key!r}, got {short(attributes[key])}")
    return number


def _real(attributes: Attributes, key: str, missing: str | None = None) -> float:
    number = real(_text(attributes, key, missing))
    if number is None:
        raise BrokenShape(f"expected a number as {key!r}, got {short(attributes[key])}")
    return number
