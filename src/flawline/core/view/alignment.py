"""Align parts that are shifted or turned from picture to picture with a reference.

- "shift": the part only moves.
- "rigid": it moves and turns. A coarse search correlates the picture with the reference turned in steps of 4 degrees.
- "polar": a round part that moves, turns, and may be up to a tenth nearer or further. Its centre and size are found by
  the reference's rings (its average over all angles), its angle by correlating the pictures unrolled about their
  centres (B. Reddy and B. Chatterji, IEEE Trans. Image Processing 5(8), 1996, in the picture's own plane).

The best few of the coarse search are refined by ECC, at 64 px and then at 192 px on the longer side, which is exact to
about a tenth of such a pixel. The reference is the mean of aligned good pictures, begun with the one that the others
resemble most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.alignment_search import Search, prepare, search
from flawline.core.view.registration import Floats, Matrix, rescaled

AlignmentMethod = Literal["shift", "rigid", "polar"]
METHODS: tuple[AlignmentMethod, ...] = get_args(AlignmentMethod)

LONGER = 192
_SAME_ASPECT = 0.01
LEAST_QUALITY = 0.25
_MOST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Pose of a part: `matrix` float64 (2, 3) maps (x, y) of the picture to the reference.

    Both in pixels of this picture, with pixel centres at whole numbers, as if the reference were enlarged to its size.
    `quality` is the correlation of the aligned picture with the reference, -1 to 1. Where the pose is not
    `found`, `reason` says why, and the matrix changes nothing.
    """

    matrix: NDArray[np.float64]
    quality: float
    found: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Reference and settings of an alignment.

    `size` is that of the training pictures (height, width); `reference` float32 (h, w) their mean grey levels, at most
    192 px long, and `known` (h, w) from 0 to 1 the share of pictures in that mean. `centre` (x, y) and `radius` are of
    the round part, in the reference's pixels. `usual` is the median quality of good pictures, `limit` the least
    quality.
    """

    method: AlignmentMethod
    size: tuple[int, int]
    reference: Floats
    known: Floats
    largest_angle: float = 180.0
    limit: float = LEAST_QUALITY
    usual: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)
    radius: float = 0.0
    _search: Search = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare the search."""
        round_part = (self.centre, self.radius) if self.method == "polar" else None
        prepared = prepare(
            self.reference,
            self.known,
            turning=self.method != "shift",
            largest_angle=self.largest_angle,
            round_part=round_part,
        )
        object.__setattr__(self, "_search", prepared)

    def find(self, pixels: NDArray[np.uint8]) -> Pose:
        """Find the pose of the part in a picture uint8 (height, width, 3) or (height, width)."""
        height, width = pixels.shape[:2]
        if abs(height * self.size[1] / (width * self.size[0]) - 1) > _SAME_ASPECT:
            reason = (
                f"a picture of {width} x {height} px cannot be aligned with pictures of "
                f"{self.size[1]} x {self.size[0]} px"
            )
            return Pose(np.eye(2, 3), 0.0, False, reason)
        motion, quality = self.register(small_grey(pixels, self.reference.shape))
        if quality < self.limit:
            reason = (
                f"the part was not recognised: likeness {quality:.2f}, at least {self.limit:.2f} needed, "
                f"{self.usual:.2f} is usual"
            )
            return Pose(np.eye(2, 3), quality, False, reason)
        factors = width / self.reference.shape[1], height / self.reference.shape[0]
        return Pose(rescaled(motion, *factors)[:2], quality)

    def register(self, grey: Floats) -> tuple[Matrix, float]:
        """Find the best motion (3, 3) to the reference of small grey levels of its size, and its likeness."""
        return search(self._search, grey)

    def usually_shown(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Select the places of aligned pictures of `size` (height, width) that most good pictures show."""
        most = (self.known >= _MOST).astype(np.uint8)
        return np.asarray(cv2.resize(most, size[::-1], interpolation=cv2.INTER_NEAREST) > 0)

    def as_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Convert to plain settings and arrays."""
        settings = {
            "method": self.method,
            "size": list(self.size),
            "largest_angle": self.largest_angle,
            "limit": self.limit,
            "usual": self.usual,
            "centre": list(self.centre),
            "radius": self.radius,
        }
        return settings, {"reference": self.reference, "known": self.known}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Alignment:
        """Restore from the settings and arrays of `as_arrays`."""
        pairs = {name: tuple(settings[name]) for name in ("size", "centre")}
        return cls(
            reference=np.asarray(arrays["reference"], np.float32),
            known=np.asarray(arrays["known"], np.float32),
            **{**settings, **pairs},
        )


def warp(pixels: NDArray[np.uint8], pose: Pose) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Warp the picture to the reference's position; returns it and its valid pixels, bool (height, width).

    Bicubic, which preserves more detail of turned pictures than bilinear. Edge pixels are repeated beyond the picture.
    """
    height, width = pixels.shape[:2]
    turned = cv2.warpAffine(
        pixels, pose.matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    shown = cv2.warpAffine(np.full((height, width), 255, np.uint8), pose.matrix, (width, height))
    return np.asarray(turned, np.uint8), np.asarray(shown == 255)


def unwarp(values: Floats, pose: Pose, size: tuple[int, int]) -> Floats:
    """Warp a map float32 (h, w) over the reference, of any resolution, back to the picture of `size` (height, width).

    Places of the picture that the map does not cover get its lowest value.
    """
    height, width = values.shape
    motion = rescaled(np.linalg.inv(_square(pose.matrix)), width / size[1], height / size[0])
    lowest = float(values.min())
    return np.asarray(
        cv2.warpAffine(values, motion[:2], (width, height), borderValue=lowest), np.float32
    )


def to_picture(points: NDArray[Any], pose: Pose) -> NDArray[np.float64]:
    """Map points (..., 2) of x and y in the aligned picture to the picture itself."""
    inverse = np.linalg.inv(_square(pose.matrix))
    return np.asarray(points @ inverse[:2, :2].T + inverse[:2, 2], np.float64)


def small_grey(pixels: NDArray[np.uint8], size: tuple[int, ...]) -> Floats:
    """Shrink a picture to grey levels float32 (h, w) of `size`."""
    small = np.asarray(cv2.resize(pixels, (size[1], size[0]), interpolation=cv2.INTER_AREA))
    values = small.astype(np.float32)
    return values.mean(axis=2, dtype=np.float32) if values.ndim == 3 else values


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])
