"""The columns of the defect table: name, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["px", "px2", "deg", "1", "grey", "count", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One number per defect.

    `unit` is what it is measured in: lengths "px" and areas "px2" scale with the picture, "place" says that a length is
    a coordinate, so that it moves with the origin. `group` names what is computed together.
    """

    name: str
    unit: Unit
    group: str
    text: str
    place: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("area", "px2", "sums", "pixels of the defect, without its holes"),
    Column("contour_area", "px2", "inside", "area inside the contour through pixel centres"),
    Column("circle_x", "px", "circle", "centre of the smallest enclosing circle, x", place=True),
    Column("circle_y", "px", "circle", "centre of the smallest enclosing circle, y", place=True),
    Column("circle_radius", "px", "circle", "radius of the smallest circle around pixel centres"),
    Column("rectangle_x", "px", "rectangle", "centre of the rotated rectangle, x", place=True),
    Column("rectangle_y", "px", "rectangle", "centre of the rotated rectangle, y", place=True),
    Column("rectangle_length", "px", "rectangle", "longer side of the rotated rectangle"),
    Column("rectangle_width", "px", "rectangle", "shorter side of the rotated rectangle"),
    Column("rectangle_angle", "deg", "rectangle", "direction of the longer side"),
    Column("skeleton_length", "px", "skeleton", "length along the middle line, with its branches"),
    Column("mean_width", "px", "skeleton", "area by skeleton length"),
    Column("max_width", "px", "skeleton", "diameter of the largest circle inside"),
    Column("perimeter", "px", "outline", "length of the outer outline"),
    Column("convex_area", "px2", "convex", "pixels of the convex hull"),
    Column("solidity", "1", "convex", "area by convex area"),
    Column("circularity", "1", "outline", "4 pi area by perimeter squared, at most 1"),
    Column("eccentricity", "1", "moments", "of the ellipse with the same second moments"),
    Column("left", "px", "sums", "left edge of the bounding box", place=True),
    Column("top", "px", "sums", "top edge of the bounding box", place=True),
    Column("width", "px", "sums", "width of the bounding box"),
    Column("height", "px", "sums", "height of the bounding box"),
    Column("centroid_x", "px", "moments", "mean of the pixels, x", place=True),
    Column("centroid_y", "px", "moments", "mean of the pixels, y", place=True),
    Column("edge_distance", "px", "sums", "gap to the nearest edge of the picture"),
    Column("nearest_distance", "px", "nearest", "gap to the nearest other defect"),
    Column("cluster", "count", "cluster", "number of the cluster in its picture, from 0"),
    Column("holes", "count", "sums", "holes"),
    Column("pieces", "count", "sums", "connected pieces that were merged"),
    Column("touches_border", "flag", "sums", "whether a pixel lies at the edge of the picture"),
    Column("contrast", "grey", "contrast", "mean grey level less that of the surroundings"),
    Column("probability", "1", "probability", "mean probability of the class"),
    Column("subpixel_area", "px2", "probability", "area inside the sub-pixel contour"),
)
BY_NAME = {column.name: column for column in COLUMNS}
NAMES = tuple(BY_NAME)
CONTOURS = "contours"
