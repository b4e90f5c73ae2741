"""Separate the part from the plain ground that it lies on, learnt from good pictures.

In one picture: a smooth field (a polynomial of degree 2 per channel) is fitted to the rim of the picture. Pixels are
ground if they follow the field, have no edges, and are connected to the rim by a path some pixels wide; the rest is
part, its holes included. Over the pictures: where the part lies in the same place in all of them, the foreground is
what it covers in more than a few; else the part is searched in every picture, and filled up to its convex hull where
good parts are convex, so that missing material is judged too. In doubt pixels are part: shadows, smudges on the ground
and a margin belong to it. Where the ground is not plain, or a part is of another size than any good one, everything is
inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.thinning import thinned
from flawline.core.view.smooth_field import fit_field, polynomials
from flawline.errors import UsageError

Bools = NDArray[np.bool_]

MOST_PICTURES = 512
# Pictures are shrunk to this longer side, and to at least this shorter side, in pixels.
_LONGER, _SHORTER = 160, 32
_RIM = 3
# Ground lies within so many spreads of the rim's field, has edges up to so many times the rim's median, and its path to
# the rim is wider than twice so many pixels.
_SPREADS, _EDGES, _GAP = 4.0, 4.0, 2
_LEAST_DISTANCE, _LEAST_EDGE = 5.0, 6.0
# Masks are compared and stored on a grid of this many cells each way.
_GRID = 128
_MARGIN = 0.02
# Pieces smaller than this share of the largest are not part.
_PIECE = 0.1
# A part is clear if it covers enough of the picture, little of the rim, and differs enough from the ground.
_COVER, _RIM_COVER, _CONTRAST = (0.01, 0.97), 0.35, 1.2
_CLEAR_SHARE = 0.9
_SAME_PLACE = 0.9
# With fewer pictures the place of the part is not certain.
_ENOUGH = 5
# A fixed part includes pixels that are part in more than this share of the pictures: in any of up to 50.
_RARE = 0.02
_AREA_SPREAD = 0.5
_CONVEX = 0.95
_AREA_LEEWAY = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Foreground:
    """Place of the part: "fixed", always the same; "moving", searched in each picture; "none", everywhere.

    `reason` explains the choice. `confidence` is the share of the good pictures in which a part stands clear
    of a plain ground. `mask` bool (128, 128) is the fixed part, over the whole picture whatever its shape; `areas` are
    the smallest and largest share of the picture that a moving part may cover, `convex` whether it fills its hull.
    """

    kind: Literal["none", "fixed", "moving"]
    reason: str
    confidence: float
    mask: Bools
    areas: tuple[float, float] = (0.0, 1.0)
    convex: bool = False

    def inside(self, pixels: NDArray[np.uint8]) -> Bools:
        """Compute which pixels of a picture uint8 (height, width, 3) or (height, width) may be part, bool."""
        size = pixels.shape[:2]
        if self.kind == "fixed":
            return _resized(self.mask, size)
        if self.kind == "moving":
            segment = _segment(pixels)
            part = _hull(segment.part) if self.convex else segment.part
            if segment.clear and self.areas[0] <= part.mean() <= self.areas[1]:
                return _resized(_widened(part), size)
        return np.ones(size, np.bool_)

    def as_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Convert to plain settings and arrays."""
        settings = {
            "kind": self.kind,
            "reason": self.reason,
            "confidence": self.confidence,
            "areas": list(self.areas),
            "convex": self.convex,
        }
        return settings, {"mask": self.mask}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Foreground:
        """Restore from the settings and arrays of `as_arrays`."""
        smallest, largest = settings["areas"]
        return cls(
            settings["kind"],
            settings["reason"],
            settings["confidence"],
            arrays["mask"].astype(np.bool_),
            (smallest, largest),
            settings["convex"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    part: Bools
    clear: bool


def fit_foreground(pictures: Iterable[NDArray[np.uint8]]) -> Foreground:
    """Learn the foreground from good pictures, uint8 (height, width, 3) or (height, width); small ones are enough.

    They are read one at a time and, beyond 512, not all of them.

    Raises:
        UsageError: no pictures.
    """
    segments = thinned((_segment(pixels) for pixels in pictures), MOST_PICTURES)
    if not segments:
        raise UsageError(
            "expected pictures to learn the foreground from, got none", hint="give at least one"
        )
    confidence = sum(each.clear for each in segments) / len(segments)
    parts = [each.part for each in segments if each.clear]
    if confidence < _CLEAR_SHARE:
        return _everything(
            f"a part stands clear of the ground in {confidence:.0%} only", confidence
        )
    filled = [_hull(part) for part in parts]
    convex = float(np.median([a.mean() / b.mean() for a, b in zip(parts, filled, strict=True)]))
    shapes = filled if convex >= _CONVEX else parts
    areas = np.array([shape.mean() for shape in shapes])
    if np.ptp(np.quantile(areas, [0.1, 0.9])) > _AREA_SPREAD * np.median(areas):
        return _everything("the size of the part differs too much between pictures", confidence)
    grids = np.stack([_resized(shape, (_GRID, _GRID)) for shape in shapes])
    usual = grids.mean(axis=0) >= 0.5
    overlaps = [(grid & usual).sum() / (grid | usual).sum() for grid in grids]
    if len(grids) >= _ENOUGH and np.quantile(overlaps, 0.1) >= _SAME_PLACE:
        return Foreground(
            "fixed",
            "the part lies in the same place",
            confidence,
            _widened(np.asarray(grids.mean(axis=0) > _RARE)),
        )
    allowed = areas.min() * (1 - _AREA_LEEWAY), areas.max() * (1 + _AREA_LEEWAY)
    return Foreground(
        "moving",
        "the part is looked for in each picture",
        confidence,
        np.zeros((_GRID, _GRID), np.bool_),
        (float(allowed[0]), float(allowed[1])),
        convex >= _CONVEX,
    )


def _everything(reason: str, confidence: float) -> Foreground:
    return Foreground(
        "none", f"everything is inside: {reason}", confidence, np.ones((_GRID, _GRID), np.bool_)
    )


def _segment(pixels: NDArray[np.uint8]) -> _Segment:
    small = _small(pixels)
    height, width = small.shape[:2]
    rim = np.ones((height, width), np.bool_)
    rim[_RIM:-_RIM, _RIM:-_RIM] = False
    basis = polynomials((height, width), 2)
    field, spread = fit_field(basis[rim.ravel()], small[rim], 0.3)
    distance = np.abs(small - (basis @ field).reshape(small.shape)).max(axis=2)
    edges = cv2.morphologyEx(small.mean(axis=2), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    furthest = max(_LEAST_DISTANCE, _SPREADS * spread)
    sharpest = max(_LEAST_EDGE, _EDGES * float(np.median(edges[rim])))
    part = _largest(~_reached((distance <= furthest) & (edges <= sharpest), rim))
    cover = float(part.mean())
    clear = (
        _COVER[0] <= cover <= _COVER[1]
        and float(part[rim].mean()) <= _RIM_COVER
        and float(np.median(distance[part])) >= _CONTRAST * furthest
    )
    return _Segment(part, clear)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    factor = _LONGER / max(height, width)
    size = max(_SHORTER, round(width * factor)), max(_SHORTER, round(height * factor))
    small = cv2.GaussianBlur(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    return np.atleast_3d(np.asarray(small, np.float32))


def _reached(plain: Bools, rim: Bools) -> Bools:
    """Find the plain pixels that a disc can reach from the rim without leaving them."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _GAP + 1, 2 * _GAP + 1))
    # The ground continues beyond the picture.
    beyond = np.pad(plain.astype(np.uint8), 2 * _GAP, mode="edge")
    opened = cv2.morphologyEx(beyond, cv2.MORPH_OPEN, disc)[
        2 * _GAP : -2 * _GAP, 2 * _GAP : -2 * _GAP
    ]
    _, labels = cv2.connectedComponents(opened, connectivity=4)
    return np.asarray(np.isin(labels, np.setdiff1d(labels[rim], [0])))


def _largest(part: Bools) -> Bools:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part.astype(np.uint8))
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    return np.asarray(
        np.isin(labels, np.flatnonzero((sizes > 0) & (sizes >= _PIECE * sizes.max())))
    )


def _hull(part: Bools) -> Bools:
    """Fill the part up to its convex hull."""
    canvas = part.astype(np.uint8)
    outlines, _ = cv2.findContours(canvas, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if outlines:
        cv2.fillConvexPoly(canvas, cv2.convexHull(np.concatenate(outlines)), 1)
    return canvas > 0


def _widened(part: Bools) -> Bools:
    """Widen the part by a margin, a share of the picture's sides."""
    down, across = (1 + 2 * max(1, round(_MARGIN * side)) for side in part.shape)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, down))
    return np.asarray(cv2.dilate(part.astype(np.uint8), disc) > 0)


def _resized(mask: Bools, size: tuple[int, ...]) -> Bools:
    values = mask.astype(np.uint8) * np.uint8(255)
    resized = cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized >= 128)
