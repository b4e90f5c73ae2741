"""Rasterise the annotated regions of a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError

Mask = NDArray[np.uint8]
Paint = Callable[[Mask, int], None]
Boxes = Literal["refuse", "fill", "grabcut"]
BOXES: tuple[Boxes, ...] = ("refuse", "fill", "grabcut")

_EXPORT_AGAIN = "Correct or remove that region in the annotation tool and export again."


class BrokenShape(ValueError):
    """A shape that cannot be rasterised; the message states what was expected and what came."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One annotated region: its class, its place in the file, and the function that paints it on a mask.

    `box`: only a box was annotated, whose pixels are not all of the class. A region that cannot be read has no class,
    and painting it raises BrokenShape.
    """

    label: str | None
    place: str
    paint: Paint
    box: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedPicture:
    """One picture in a file of annotations: its size (height, width) where stated, and its shapes in drawing order."""

    size: tuple[int, int] | None
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Contents of a file (or folder) of annotations.

    `file` names it in errors, `labels` are its classes in its own order, `names` the pictures in it, `read` gives
    the regions of one of them, and `notes` lists what was passed over. `also` gives a second name of a picture, tried
    where the first fits none. `lost` lists regions whose picture is not known, with their places: a picture without
    regions may lack one. `nameless` lists pictures that cannot be named: a picture that is not listed may be one.
    `way_out` is the hint where no name fits a picture of the source. `masks` are the real paths of masks.
    """

    file: str
    labels: tuple[str, ...]
    names: tuple[str, ...]
    read: Callable[[str], AnnotatedPicture]
    notes: tuple[str, ...] = ()
    also: Callable[[str], str] | None = None
    lost: tuple[str, ...] = ()
    nameless: tuple[str, ...] = ()
    masks: tuple[Path, ...] = ()
    way_out: str = (
        "Names of pictures must agree with the annotations but for folders and extension."
    )


def broken_shape(place: str, why: str) -> Shape:
    """Make the shape of a region that cannot be read: it spoils its picture."""
    return Shape(None, place, partial(_raise, why))


def _raise(why: str, mask: Mask, value: int) -> NoReturn:
    raise BrokenShape(why)


def labels_of(pictures: Iterable[AnnotatedPicture]) -> tuple[str, ...]:
    """List the classes of the shapes of pictures, each once, in the order in which they come."""
    labels = (shape.label for picture in pictures for shape in picture.shapes)
    return tuple(dict.fromkeys(label for label in labels if label is not None))


def rasterize(
    file: str,
    picture: AnnotatedPicture,
    size: tuple[int, int],
    values: Mapping[str, int],
    *,
    boxes: Boxes = "refuse",
) -> NDArray[np.uint8]:
    """Paint the shapes of a picture on a mask (height, width), in their order: where two overlap, the later one wins.

    Raises:
        ImageError: a shape is broken, or a box where `boxes` is "refuse", or no shape covers a pixel; the message
            names the file and the place.
    """
    mask = np.zeros(size, np.uint8)
    for shape in picture.shapes:
        if shape.box and boxes == "refuse":
            raise spoiled(
                f"{file}, {shape.place}: expected an outline, got a box (`boxes=fill` takes all of it, "
                "`boxes=grabcut` estimates the outline)",
                "Draw the outline in the annotation tool, fill boxes where all of a box is the defect, or have "
                "outlines estimated.",
            )
        try:
            shape.paint(mask, 0 if shape.label is None else values[shape.label])
        except BrokenShape as error:
            raise spoiled(f"{file}, {shape.place}: {error}") from error
    # A shape of the background may have painted over the others.
    if picture.shapes and not mask.any() and all(values[s.label or ""] for s in picture.shapes):
        why = "expected a region of at least one pixel, got one between the centres of pixels"
        raise spoiled(f"{file}, {picture.shapes[0].place}: {why}")
    return mask


def spoiled(message: str, hint: str = _EXPORT_AGAIN) -> ImageError:
    """Make the error of a picture whose annotations cannot be read or drawn."""
    return ImageError(message, hint=hint, code="image-mask-outline")


def check_size(of_mask: tuple[int, int], of_picture: tuple[int, int]) -> None:
    """Check that a mask has the size (height, width) of its picture; raises ImageError."""
    if of_mask != of_picture:
        raise ImageError(
            f"the mask is {of_mask[1]} x {of_mask[0]} px, its picture {of_picture[1]} x {of_picture[0]}",
            hint="Masks must have the size of their pictures, upright.",
            code="image-mask-size",
        )


def paint_polygon(points: NDArray[np.float64], mask: Mask, value: int) -> None:
    """Set the pixels of `mask` whose centres lie inside a polygon.

    `points` is (N, 2) of x and y in px; (0, 0) is the top left corner of the picture, so the centre of the first pixel
    lies at (0.5, 0.5). Where the outline crosses itself, the even-odd rule holds.

    Raises:
        BrokenShape: fewer than three points, a number that is not finite, or a point far outside the picture.
    """
    height, width = mask.shape
    check_points(points, height, width)
    x, y = points.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    # The half-open rows of an edge: a centre on a corner belongs to one of its two edges.
    first = np.ceil(np.minimum(y, next_y) - 0.5).clip(0, height).astype(np.int64)
    last = np.ceil(np.maximum(y, next_y) - 0.5).clip(0, height).astype(np.int64)
    rows_of = last - first
    edge = np.repeat(np.arange(len(points)), rows_of)
    if not len(edge):
        return
    row = np.arange(len(edge)) - np.repeat(np.cumsum(rows_of) - rows_of, rows_of) + first[edge]
    slope = (next_x - x)[edge] / (next_y - y)[edge]
    crossing = x[edge] + (row + 0.5 - y[edge]) * slope
    column = np.ceil(crossing - 0.5).clip(0, width).astype(np.int64)
    top, left = int(row.min()), int(column.min())
    shape = (int(row.max()) - top + 1, int(column.max()) - left + 1)
    place = (row - top) * shape[1] + column - left
    crossings = np.zeros(shape[0] * shape[1], np.uint8)
    # Only whether the number is odd matters, which an overflow at 256 does not change.
    np.add.at(crossings, place, 1)
    passed = np.cumsum(crossings.reshape(shape), axis=1, dtype=np.uint8)
    inside = (passed & 1).view(np.bool_)[:, :-1]
    mask[top : top + shape[0], left : left + shape[1] - 1][inside] = value


def paint_polygons(polygons: tuple[NDArray[np.float64], ...], mask: Mask, value: int) -> None:
    """Paint the union of several polygons, each (N, 2)."""
    for points in polygons:
        paint_polygon(points, mask, value)


def check_points(points: NDArray[np.float64], height: int, width: int) -> None:
    """Check the points of an outline: at least three, finite, near the picture, not beside it; raises BrokenShape."""
    if len(points) < 3:
        raise BrokenShape(f"expected a polygon of at least 3 points, got {len(points)}")
    reach = np.array([width, height], np.float64)
    # Also false for NaN and infinity.
    near = (points >= -reach) & (points <= 2 * reach)
    if not near.all():
        x, y = points[np.flatnonzero(~near.all(axis=1))[0]].tolist()
        raise BrokenShape(
            f"expected points on the picture of {width} x {height} px, got ({x:g}, {y:g})"
        )
    if ((points.max(axis=0) <= 0) | (points.min(axis=0) >= reach)).any():
        x, y = points[0].tolist()
        raise BrokenShape(
            f"expected a region on the picture of {width} x {height} px, got one beside it, at ({x:g}, {y:g})"
        )
