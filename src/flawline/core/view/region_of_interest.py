"""Region of interest: polygons or a mask; pixels outside are not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.framing import Framing, Size
from flawline.core.view.tiling import cell_share
from flawline.errors import UsageError

Polygon = tuple[tuple[float, float], ...]
"""At least three (x, y) corners."""

# Rounding the sides of a small picture to whole pixels changes its aspect ratio by about this much.
SAME_ASPECT = 0.01
# Corners are drawn in steps of 1/2^4 pixel.
_SHIFT = 4


@dataclass(frozen=True, slots=True, eq=False)
class RegionOfInterest:
    """Region of interest: the union of `polygons`, or `mask` bool (height, width).

    Corners are (x, y) from the top left corner of the picture: in pixels of a picture of `size` (height, width), or,
    where `size` is None, in parts of its width and height from 0 to 1. A mask has the size of the pictures it is for.
    """

    polygons: tuple[Polygon, ...] = ()
    size: Size | None = None
    mask: NDArray[np.bool_] | None = None

    def as_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Convert to plain settings and arrays."""
        settings = {
            "polygons": [[list(corner) for corner in polygon] for polygon in self.polygons],
            "size": None if self.size is None else list(self.size),
        }
        return settings, {} if self.mask is None else {"mask": self.mask}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> RegionOfInterest:
        """Restore from the values of `as_arrays`; raises UsageError as `from_polygons` and `from_mask` do."""
        if "mask" in arrays:
            return from_mask(arrays["mask"])
        return from_polygons(settings["polygons"], settings["size"])


def from_polygons(
    polygons: Sequence[Sequence[Sequence[float]]], size: Sequence[int] | None = None
) -> RegionOfInterest:
    """Make the union of polygons, each of three (x, y) corners or more.

    In pixels of pictures of `size` (height, width), or in parts of the picture from 0 to 1 without it.

    Raises:
        UsageError: no polygon, one of fewer than three corners, a corner that is not two finite numbers or not from 0
            to 1, or polygons that enclose no pixel of a picture of `size`.
    """
    corners = tuple(tuple(_corner(corner, size) for corner in polygon) for polygon in polygons)
    if not corners or any(len(polygon) < 3 for polygon in corners):
        shortest = min(map(len, corners), default=0)
        raise UsageError(
            f"expected polygons of three corners or more, got {len(corners)} with {shortest}",
            hint="give each as x,y corners in turn",
        )
    region = RegionOfInterest(corners, None if size is None else (int(size[0]), int(size[1])))
    if region.size is not None:
        pixels_inside(region, region.size)
    return region


def from_mask(mask: NDArray[Any]) -> RegionOfInterest:
    """Make the region where a mask, (height, width) or (height, width, C), is brighter than half its brightest pixel.

    Raises:
        UsageError: the mask has no such pixel.
    """
    values = mask.max(axis=2) if mask.ndim == 3 else mask
    brightest = float(values.max()) if values.size else 0.0
    if brightest <= 0:
        raise _empty("the mask is black everywhere")
    return RegionOfInterest(mask=np.asarray(values > brightest / 2))


def adaptation(region: RegionOfInterest, size: Size) -> str:
    """Describe how a region is adapted to a picture of `size`; empty where it is not.

    Raises:
        UsageError: the region is for pictures of another shape.
    """
    own = region.size if region.mask is None else (region.mask.shape[0], region.mask.shape[1])
    if own is None or own == size:
        return ""
    if abs(own[0] * size[1] / (own[1] * size[0]) - 1) > SAME_ASPECT:
        raise UsageError(
            f"the region of interest is for pictures of {own[1]} x {own[0]} px, "
            f"this one has {size[1]} x {size[0]} px and another shape",
            hint="draw the region on a picture of this size, or give its corners as parts of the picture",
        )
    return f"region of interest scaled from {own[1]} x {own[0]} px to {size[1]} x {size[0]} px"


def pixels_inside(region: RegionOfInterest, size: Size) -> NDArray[np.bool_]:
    """Compute which pixels of a picture of `size` are inside: bool (height, width).

    Raises:
        UsageError: the region is for pictures of another shape, or no pixel is inside.
    """
    adaptation(region, size)
    inside = _drawn(region, size) if region.mask is None else _resized(region.mask, size)
    if not inside.any():
        raise _empty(f"no pixel of a picture of {size[1]} x {size[0]} px is in it")
    return inside


def cells_inside(inside: NDArray[np.bool_], framing: Framing) -> NDArray[np.bool_]:
    """Compute which cells of the map are judged, bool (h, w): those covered by half or more by pixels inside.

    Where a thin region covers no cell by half, the cells with the largest share are judged.
    """
    share = cell_share(inside, framing)
    return np.asarray(share >= min(0.5, float(share.max())))


def _corner(corner: Sequence[float], size: Sequence[int] | None) -> tuple[float, float]:
    if len(corner) != 2 or not np.isfinite(corner).all():
        raise UsageError(
            f"expected corners of two finite numbers x, y, got {list(corner)}",
            hint="give each polygon as x,y corners in turn",
        )
    if size is None and not all(0 <= value <= 1 for value in corner):
        raise UsageError(
            f"expected corners in parts of the picture from 0 to 1, got {list(corner)}",
            hint="for corners in pixels, the size of the picture is needed too",
        )
    return float(corner[0]), float(corner[1])


def _drawn(region: RegionOfInterest, size: Size) -> NDArray[np.bool_]:
    own = region.size or (1, 1)
    factor = np.array([size[1] / own[1], size[0] / own[0]])
    canvas = np.zeros(size, np.uint8)
    for polygon in region.polygons:
        # Corners are measured from the picture's edge, OpenCV's coordinates from the first pixel's centre.
        corners = np.clip(np.array(polygon) * factor, -1e5, 1e5) - 0.5
        fixed = np.round(corners * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(canvas, [fixed], 1, cv2.LINE_8, _SHIFT)
    return canvas > 0


def _resized(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    if mask.shape == size:
        return mask
    share = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5)


def _empty(reason: str) -> UsageError:
    return UsageError(
        f"the region of interest is empty: {reason}",
        hint="draw it over the part, or leave it out to judge the whole picture",
    )
