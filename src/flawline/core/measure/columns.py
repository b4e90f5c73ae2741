"""Columns of the defect table: name, unit, meaning and computation. A new column is a new row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from flawline.core.measure.regions import Regions

Unit = Literal["px", "px2", "deg", "1", "grey", "count", "flag"]


@dataclass(frozen=True, slots=True)
class DefectColumn:
    """One number per defect.

    Lengths in "px" and areas in "px2" scale with the picture; `place` says that a length is a coordinate, which moves
    with the origin. `of` computes the values (N,) of N regions. `needs` names the input that the column needs in
    addition to masks.
    """

    name: str
    unit: Unit
    text: str
    of: Callable[[Regions], Any]
    place: bool = False
    needs: Literal["", "pictures", "probabilities"] = ""


def _place(name: str, text: str, of: Callable[[Regions], Any]) -> DefectColumn:
    return DefectColumn(name, "px", text, of, place=True)


COLUMNS: tuple[DefectColumn, ...] = (
    DefectColumn("area", "px2", "pixels of the defect, without its holes", lambda r: r.area),
    DefectColumn(
        "contour_area",
        "px2",
        "area inside the contour through pixel centres",
        lambda r: r.contour_area,
    ),
    _place("circle_x", "centre of the smallest enclosing circle, x", lambda r: r.circles.x + 0.5),
    _place("circle_y", "centre of the smallest enclosing circle, y", lambda r: r.circles.y + 0.5),
    DefectColumn(
        "circle_radius",
        "px",
        "radius of the smallest circle around pixel centres",
        lambda r: r.circles.radius,
    ),
    _place("rectangle_x", "centre of the rotated rectangle, x", lambda r: r.rectangles.x),
    _place("rectangle_y", "centre of the rotated rectangle, y", lambda r: r.rectangles.y),
    DefectColumn(
        "rectangle_length",
        "px",
        "longer side of the rotated rectangle",
        lambda r: r.rectangles.length,
    ),
    DefectColumn(
        "rectangle_width",
        "px",
        "shorter side of the rotated rectangle",
        lambda r: r.rectangles.width,
    ),
    DefectColumn(
        "rectangle_angle", "deg", "direction of the longer side", lambda r: r.rectangles.angle
    ),
    DefectColumn(
        "skeleton_length",
        "px",
        "length along the middle line, with its branches",
        lambda r: r.skeletons[0],
    ),
    DefectColumn("mean_width", "px", "area by skeleton length", lambda r: r.area / r.skeletons[0]),
    DefectColumn(
        "max_width", "px", "diameter of the largest circle inside", lambda r: r.skeletons[1]
    ),
    DefectColumn("perimeter", "px", "length of the outer outline", lambda r: r.perimeter),
    DefectColumn("convex_area", "px2", "pixels of the convex hull", lambda r: r.convex_area),
    DefectColumn("solidity", "1", "area by convex area", lambda r: r.area / r.convex_area),
    DefectColumn(
        "circularity",
        "1",
        "4 pi area by perimeter squared, at most 1",
        lambda r: np.minimum(1, 4 * np.pi * r.area / r.perimeter**2),
    ),
    DefectColumn(
        "eccentricity",
        "1",
        "of the ellipse with the same second moments",
        lambda r: r.moments.eccentricity(),
    ),
    _place("left", "left edge of the bounding box", lambda r: r.boxes.left),
    _place("top", "top edge of the bounding box", lambda r: r.boxes.top),
    DefectColumn(
        "width", "px", "width of the bounding box", lambda r: r.boxes.right - r.boxes.left
    ),
    DefectColumn(
        "height", "px", "height of the bounding box", lambda r: r.boxes.bottom - r.boxes.top
    ),
    _place("centroid_x", "mean of the pixels, x", lambda r: r.moments.x),
    _place("centroid_y", "mean of the pixels, y", lambda r: r.moments.y),
    DefectColumn(
        "edge_distance", "px", "gap to the nearest edge of the picture", lambda r: r.edge_distance
    ),
    DefectColumn(
        "nearest_distance", "px", "gap to the nearest other defect", lambda r: r.nearest_distance
    ),
    DefectColumn(
        "cluster", "count", "number of the cluster in its picture, from 0", lambda r: r.cluster
    ),
    DefectColumn("holes", "count", "holes", lambda r: r.holes),
    DefectColumn("pieces", "count", "connected pieces that were merged", lambda r: r.pieces),
    DefectColumn(
        "touches_border",
        "flag",
        "whether a pixel lies at the edge of the picture",
        lambda r: r.edge_distance == 0,
    ),
    DefectColumn(
        "contrast",
        "grey",
        "mean grey level less that of the surroundings",
        lambda r: r.contrast,
        needs="pictures",
    ),
    DefectColumn(
        "probability",
        "1",
        "mean probability of the class",
        lambda r: r.probability,
        needs="probabilities",
    ),
    DefectColumn(
        "subpixel_area",
        "px2",
        "area inside the sub-pixel contour",
        lambda r: r.subpixel_area,
        needs="probabilities",
    ),
)
BY_NAME = {column.name: column for column in COLUMNS}
NAMES = tuple(BY_NAME)
CONTOURS = "contours"
