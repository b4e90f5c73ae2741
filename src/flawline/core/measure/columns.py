"""The columns of the defect table: name, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["px", "px2", "deg", "1", "grey", "count", "flag"]


@dataclass(frozen=True, slots=True)
class DefectColumn:
    """One number per defect.

    `unit` is what it is measured in: lengths "px" and areas "px2" scale with the picture, "place" says that a length is
    a coordinate, so that it moves with the origin. `group` names what is computed together.
    """

    name: str
    unit: Unit
    group: str
    text: str
    place: bool = False


COLUMNS: tuple[DefectColumn, ...] = (
    DefectColumn("area", "px2", "sums", "pixels of the defect, without its holes"),
    DefectColumn("contour_area", "px2", "inside", "area inside the contour through pixel centres"),
    DefectColumn(
        "circle_x", "px", "circle", "centre of the smallest enclosing circle, x", place=True
    ),
    DefectColumn(
        "circle_y", "px", "circle", "centre of the smallest enclosing circle, y", place=True
    ),
    DefectColumn(
        "circle_radius", "px", "circle", "radius of the smallest circle around pixel centres"
    ),
    DefectColumn(
        "rectangle_x", "px", "rectangle", "centre of the rotated rectangle, x", place=True
    ),
    DefectColumn(
        "rectangle_y", "px", "rectangle", "centre of the rotated rectangle, y", place=True
    ),
    DefectColumn("rectangle_length", "px", "rectangle", "longer side of the rotated rectangle"),
    DefectColumn("rectangle_width", "px", "rectangle", "shorter side of the rotated rectangle"),
    DefectColumn("rectangle_angle", "deg", "rectangle", "direction of the longer side"),
    DefectColumn(
        "skeleton_length", "px", "skeleton", "length along the middle line, with its branches"
    ),
    DefectColumn("mean_width", "px", "skeleton", "area by skeleton length"),
    DefectColumn("max_width", "px", "skeleton", "diameter of the largest circle inside"),
    DefectColumn("perimeter", "px", "outline", "length of the outer outline"),
    DefectColumn("convex_area", "px2", "convex", "pixels of the convex hull"),
    DefectColumn("solidity", "1", "convex", "area by convex area"),
    DefectColumn("circularity", "1", "outline", "4 pi area by perimeter squared, at most 1"),
    DefectColumn("eccentricity", "1", "moments", "of the ellipse with the same second moments"),
    DefectColumn("left", "px", "sums", "left edge of the bounding box", place=True),
    DefectColumn("top", "px", "sums", "top edge of the bounding box", place=True),
    DefectColumn("width", "px", "sums", "width of the bounding box"),
    DefectColumn("height", "px", "sums", "height of the bounding box"),
    DefectColumn("centroid_x", "px", "moments", "mean of the pixels, x", place=True),
    DefectColumn("centroid_y", "px", "moments", "mean of the pixels, y", place=True),
    DefectColumn("edge_distance", "px", "sums", "gap to the nearest edge of the picture"),
    DefectColumn("nearest_distance", "px", "nearest", "gap to the nearest other defect"),
    DefectColumn("cluster", "count", "cluster", "number of the cluster in its picture, from 0"),
    DefectColumn("holes", "count", "sums", "holes"),
    DefectColumn("pieces", "count", "sums", "connected pieces that were merged"),
    DefectColumn(
        "touches_border", "flag", "sums", "whether a pixel lies at the edge of the picture"
    ),
    DefectColumn("contrast", "grey", "contrast", "mean grey level less that of the surroundings"),
    DefectColumn("probability", "1", "probability", "mean probability of the class"),
    DefectColumn("subpixel_area", "px2", "probability", "area inside the sub-pixel contour"),
)
BY_NAME = {column.name: column for column in COLUMNS}
NAMES = tuple(BY_NAME)
CONTOURS = "contours"
