"""Normalise changing illumination to that of the training pictures.

- "level": brightness and contrast. The quantiles of the picture's grey levels are matched to those of a typical picture
  by one gain and one offset.
- "flat": the same lamps and lens every time. The median of the good pictures shows where they are brighter; every
  picture is divided by it (flat-field correction), smoothed to a polynomial of degree 4 to leave the part in.
- "gradient": lamps that shine from another side each time. The picture is multiplied by the smooth field, a polynomial
  of degree 2, that brings it nearest to the median of the good pictures; fitted to logarithms, robustly.

Gains stay between 1/2 and 2, so that noise is not amplified: darker places stay dark and score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.thinning import thinned
from flawline.core.view.smooth_field import fit_field, polynomials
from flawline.errors import UsageError

IlluminationMethod = Literal["none", "level", "flat", "gradient"]
METHODS: tuple[IlluminationMethod, ...] = get_args(IlluminationMethod)

LARGEST_GAIN = 2.0
MOST_PICTURES = 512
# Fields are computed on a grid of this many cells each way, whatever the shape of the picture.
_GRID = 32
_QUANTILES = np.linspace(0.05, 0.95, 19)
_FLAT_DEGREE, _GRADIENT_DEGREE = 4, 2
# Grey levels outside carry no information about the illumination.
_DARKEST, _BRIGHTEST = 8.0, 250.0
# Uncertainty of logarithms of grey levels from rounding to whole levels.
_LEAST_SPREAD = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Illumination:
    """Illumination of good pictures: `typical` is () for "none", (19,) grey levels for "level", (32, 32) otherwise.

    For "gradient" it holds grey levels, for "flat" the gains.
    """

    method: IlluminationMethod
    typical: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse an unknown method."""
        if self.method not in METHODS:
            raise UsageError(
                f"expected a normalisation of light out of {', '.join(METHODS)}, got {self.method!r}",
                hint="level is the cheapest",
            )

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Normalise a picture uint8 (height, width, 3) or (height, width) to that illumination."""
        if self.method == "level":
            return _levelled(pixels, self.typical)
        if self.method == "flat":
            return _multiplied(pixels, self.typical)
        if self.method == "gradient":
            return _multiplied(pixels, _gains(self.typical, _grid(pixels)))
        return pixels

    def as_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Convert to plain settings and arrays."""
        return {"method": self.method}, {"typical": self.typical}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Illumination:
        """Restore from the settings and arrays of `as_arrays`."""
        return cls(settings["method"], np.asarray(arrays["typical"], np.float32))


def fit_illumination(
    pictures: Iterable[NDArray[np.uint8]], method: IlluminationMethod
) -> Illumination:
    """Learn the illumination of good pictures, uint8 (height, width, 3) or (height, width) of any, also small, sizes.

    They are read one at a time and, beyond 512, not all of them. The median over pictures is learnt, so that a few
    anomalous ones do not matter.

    Raises:
        UsageError: an unknown method, or no pictures.
    """
    if method == "none" or method not in METHODS:
        return Illumination(method, np.zeros(0, np.float32))
    summarise: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    summarise = _quantiles if method == "level" else _grid
    summaries = thinned((summarise(pixels) for pixels in pictures), MOST_PICTURES)
    if not summaries:
        raise UsageError(
            "expected pictures to learn the light from, got none", hint="give at least one"
        )
    typical = np.asarray(np.median(np.stack(summaries), axis=0), np.float32)
    if method == "flat":
        level = np.clip(np.median(typical), _DARKEST, _BRIGHTEST)
        return Illumination(method, _gains(np.full_like(typical, level), typical, _FLAT_DEGREE))
    return Illumination(method, typical)


def _quantiles(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    longest = max(pixels.shape[:2])
    if longest > 128:
        size = tuple(max(1, round(side * 128 / longest)) for side in pixels.shape[1::-1])
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return np.asarray(np.quantile(_grey(pixels), _QUANTILES), np.float32)


def _grid(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shrink to grey levels, float32 (32, 32), whatever the shape of the picture."""
    small = cv2.resize(pixels, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    return _grey(np.asarray(small))


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = pixels.astype(np.float32)
    return values.mean(axis=2, dtype=np.float32) if values.ndim == 3 else values


def _levelled(pixels: NDArray[np.uint8], typical: NDArray[np.float32]) -> NDArray[np.uint8]:
    own, target = _quantiles(pixels).astype(np.float64), typical.astype(np.float64)
    spread = float(own.var())
    gain = 1.0
    # A picture or target of one grey level has no contrast to match.
    if min(spread, float(target.var())) >= 1:
        together = float(np.mean((own - own.mean()) * (target - target.mean())))
        gain = float(np.clip(together / spread, 1 / LARGEST_GAIN, LARGEST_GAIN))
    table = gain * (np.arange(256) - own.mean()) + target.mean()
    levels = np.clip(np.round(table), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, levels), np.uint8)


def _multiplied(pixels: NDArray[np.uint8], gains: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    field = cv2.resize(gains, (width, height), interpolation=cv2.INTER_LINEAR)
    if pixels.ndim == 3:
        field = cv2.merge([field] * pixels.shape[2])
    return np.asarray(cv2.multiply(pixels, field, dtype=cv2.CV_8U), np.uint8)


def _gains(
    target: NDArray[np.float32], own: NDArray[np.float32], degree: int = _GRADIENT_DEGREE
) -> NDArray[np.float32]:
    """Fit the smooth field, float32 (32, 32), that brings `own` grey levels nearest to the `target`."""
    basis = polynomials((_GRID, _GRID), degree)
    ratio = np.log(np.maximum(target, 1)) - np.log(np.maximum(own, 1)).astype(np.float64)
    usable = (np.minimum(target, own) >= _DARKEST) & (np.maximum(target, own) <= _BRIGHTEST)
    if usable.sum() < 4 * basis.shape[1]:
        return np.ones_like(own)
    fitted, _ = fit_field(basis[usable.ravel()], ratio[usable][:, None], _LEAST_SPREAD)
    field = np.exp((basis @ fitted).reshape(own.shape))
    return np.clip(field, 1 / LARGEST_GAIN, LARGEST_GAIN).astype(np.float32)
