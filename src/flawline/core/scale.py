"""Scale in millimetres per pixel with its uncertainty, and the coordinate frame of the part in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, isfinite, radians, sin, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EDGE = 0.5 / sqrt(3)


@dataclass(frozen=True, slots=True)
class Scale:
    """Scale of a picture.

    `mm_per_px` is the length of a pixel's side, `uncertainty` its standard uncertainty in mm/px. `edge` is the standard
    uncertainty in px of the position of a defect's edge: by default that of a position known to half a pixel (GUM, JCGM
    100:2008, 4.3.7: half-width by the square root of 3).

    Raises:
        ValueError: a number is not finite, the scale is not above 0, or an uncertainty is below 0.
    """

    mm_per_px: float
    uncertainty: float = 0.0
    edge: float = EDGE

    def __post_init__(self) -> None:
        numbers = (self.mm_per_px, self.uncertainty, self.edge)
        if not all(map(isfinite, numbers)) or self.mm_per_px <= 0 or min(numbers[1:]) < 0:
            raise ValueError(
                f"expected a scale above 0 mm/px and uncertainties of at least 0, got {numbers}"
            )

    def length(self, pixels: Floats) -> tuple[Floats, Floats]:
        """Convert lengths in px to mm with their standard uncertainties.

        u^2 = (n u_s)^2 + 2 (s u_e)^2 for n px at the scale s between two edges (JCGM 100:2008, equation 10).
        """
        pixels = np.asarray(pixels, dtype=np.float64)
        known = np.where(np.isfinite(pixels), pixels, 0.0)
        spread = np.hypot(known * self.uncertainty, sqrt(2) * self.mm_per_px * self.edge)
        return pixels * self.mm_per_px, np.where(np.isfinite(pixels), spread, 0.0)

    def area(self, pixels: Floats, perimeter: Floats) -> tuple[Floats, Floats]:
        """Convert areas in px2 to mm2 with their standard uncertainties; `perimeter` is in px.

        u^2 = (2 s n u_s)^2 + (s^2 p u_e)^2: an edge error is the same along the whole outline p.
        """
        pixels = np.asarray(pixels, dtype=np.float64)
        square = self.mm_per_px**2
        from_scale = 2 * self.mm_per_px * pixels * self.uncertainty
        return pixels * square, np.hypot(from_scale, square * self.edge * np.asarray(perimeter))


@dataclass(frozen=True, slots=True)
class PartFrame:
    """Coordinate frame of a part in its picture.

    Its origin (x, y) is in px from the top left corner of the picture, the direction of its x axis in degrees from that
    of the picture, towards y (down).
    """

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0

    def to_part(self, points: Floats, mm_per_px: float = 1.0) -> Floats:
        """Convert points (N, 2) of the picture in px to part coordinates: mm, or px where the scale is left out."""
        c, s = cos(radians(self.angle)), sin(radians(self.angle))
        moved = np.asarray(points, dtype=np.float64) - (self.x, self.y)
        return np.asarray(mm_per_px * (moved @ np.array([[c, -s], [s, c]])), dtype=np.float64)


def scale_of_two_points(
    one: tuple[float, float],
    other: tuple[float, float],
    distance: float,
    *,
    distance_uncertainty: float = 0.0,
    point_uncertainty: float = EDGE,
) -> Scale:
    """Compute the scale from two points (x, y) in px that are `distance` mm apart.

    `distance_uncertainty` (mm) and `point_uncertainty` (px, of each point along the line) are standard uncertainties;
    relative ones add in squares (JCGM 100:2008, 5.1.6).

    Raises:
        ValueError: the points are the same, or a number makes no sense.
    """
    apart = hypot(other[0] - one[0], other[1] - one[1])
    if not isfinite(apart) or apart <= 0 or not distance > 0:
        raise ValueError(
            f"expected two different points and a distance above 0 mm, got {one}, {other}, {distance}"
        )
    relative = hypot(distance_uncertainty / distance, sqrt(2) * point_uncertainty / apart)
    scale = distance / apart
    return Scale(scale, scale * relative)


@dataclass(frozen=True, slots=True)
class Checkerboard:
    """Scale read from a checkerboard.

    `corners` are the inner corners found, (across, down), `residual` the root mean square distance in px from a flat
    grid seen from straight above, `worst` the largest such distance and `stretch` the ratio of the scales across and
    down: 1 where the camera looks straight down.
    """

    scale: Scale
    corners: tuple[int, int]
    residual: float
    worst: float
    stretch: float


def scale_of_checkerboard(
    grey: NDArray[np.uint8],
    corners: tuple[int, int],
    square: float,
    *,
    square_uncertainty: float = 0.0,
) -> Checkerboard | None:
    """Compute the scale from a picture (height, width) of a checkerboard; None where the board is not found.

    `corners` counts the inner corners (across, down), `square` is the side of a square in mm and `square_uncertainty`
    its standard uncertainty. Corners are found by cv2.findChessboardCornersSB (A. Duda and U. Frese, BMVC 2018). The
    scale is the mean of those across and down, by least squares; the uncertainty of the fit takes the residuals of a
    similarity as independent. Half the difference between the two directions is added as a half-width (JCGM 100:2008,
    4.3.7), so a tilted board makes the scale less certain but not wrong.

    Raises:
        ValueError: fewer than 3 corners on a side, or a side of a square that is not above 0.
    """
    if min(corners) < 3 or not square > 0 or square_uncertainty < 0:
        raise ValueError(
            f"expected at least 3 x 3 inner corners and squares above 0 mm, got {corners}, {square}"
        )
    found, places = cv2.findChessboardCornersSB(grey, corners, flags=cv2.CALIB_CB_ACCURACY)
    if not found:
        return None
    fit, across, down, residuals = _fit(np.asarray(places, np.float64).reshape(-1, 2), corners)
    pixels = (across + down) / 2
    half = abs(across - down) / 2 / sqrt(3)
    relative = sqrt((fit / pixels) ** 2 + (half / pixels) ** 2 + (square_uncertainty / square) ** 2)
    scale = Scale(square / pixels, square / pixels * relative)
    rms = float(np.sqrt((residuals**2).mean()))
    return Checkerboard(scale, corners, rms, float(residuals.max()), across / down)


def _fit(places: Floats, corners: tuple[int, int]) -> tuple[float, float, float, Floats]:
    """Fit the px per square: standard uncertainty by a similarity, values across and down, residuals."""
    row, column = np.divmod(np.arange(len(places)), corners[0])
    grid = column + 1j * row
    corner = places[:, 0] + 1j * places[:, 1]
    grid, corner = grid - grid.mean(), corner - corner.mean()
    power = float((np.abs(grid) ** 2).sum())
    # A board may be seen from behind or counted from another corner: then the second axis runs the other way.
    turns = [np.vdot(grid, corner) / power, np.vdot(grid.conj(), corner) / power]
    mirrored = abs(turns[1]) > abs(turns[0])
    turn, used = (turns[1], grid.conj()) if mirrored else (turns[0], grid)
    residuals = np.abs(corner - turn * used)
    fit = sqrt(float((residuals**2).sum()) / (2 * len(places) - 4) / power)
    affine, *_ = np.linalg.lstsq(
        np.stack([grid.real, grid.imag], axis=1),
        np.stack([corner.real, corner.imag], axis=1),
        rcond=None,
    )
    across, down = np.linalg.norm(affine, axis=1).tolist()
    return fit, float(across), float(down), residuals
