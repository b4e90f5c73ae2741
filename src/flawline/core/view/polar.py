"""Find the centre, the size and the angle of round parts.

The rings of a part (its averages over all angles) give centre and size at any angle. The angle follows from the narrow
changes along each ring: broad ones are reflections of lamps and do not turn with the part. All rings have the same
weight, so that one keyway outweighs seven equal vanes.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d

from flawline.core.view.registration import (
    DARK,
    Floats,
    Templates,
    fade,
    likeness,
    make_templates,
    turn,
    vertex,
)

Point = tuple[float, float]

# Range of sizes relative to the reference, in steps of about a pixel at the edge.
_SCALES = np.geomspace(0.88, 1.14, 11)
# The error of the size that remains after that search.
_LARGER = 0.06
_TURNS, _RADII = 720, 96
_INNERMOST = 0.12
# Rings are compared by changes narrower than this many degrees; reflections are broader.
_NARROW = 5.0
# A ring is clear if its edge has this share of the strongest edge.
_CLEAR_RING = 0.4


def symmetry_centre(values: Floats) -> Point:
    """Find the (x, y) about which a picture is most like itself turned by 180 degrees."""
    height, width = values.shape
    size = 2 * height, 2 * width
    surface = fft.irfft2(np.square(fft.rfft2(values * fade(values.shape), size)), size)
    row, column = np.unravel_index(int(surface.argmax()), size)
    down = [surface[(row + d) % size[0], column] for d in (-1, 0, 1)]
    across = [surface[row, (column + d) % size[1]] for d in (-1, 0, 1)]
    return (int(column) + vertex(across)) / 2, (int(row) + vertex(down)) / 2


def outer_radius(values: Floats, centre: Point) -> float:
    """Find the radius of the outermost clear ring about a centre; without any, the largest radius in the picture."""
    height, width = values.shape
    largest = max(4.0, min(centre[0], centre[1], width - 1 - centre[0], height - 1 - centre[1]))
    mean = unrolled(values, centre, largest).mean(axis=0)
    steps = np.abs(np.diff(mean))
    clear = np.flatnonzero(steps >= _CLEAR_RING * steps.max())
    radii = largest * np.geomspace(_INNERMOST, 1, _RADII)
    return float(min(largest, 1.03 * radii[clear[-1] + 1]))


def unrolled(values: Floats, centre: Point, radius: float) -> Floats:
    """Unroll about a centre: (720 angles from x towards y, 96 radii up to `radius`, spaced by their logarithms)."""
    x, y = _places(centre, radius)
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=16)
def _places(centre: Point, radius: float) -> tuple[Floats, Floats]:
    """Compute the places, x and y, that are unrolled about a centre; pictures of one part have the same."""
    angles = np.arange(_TURNS) * (2 * np.pi / _TURNS)
    radii = radius * np.geomspace(_INNERMOST, 1, _RADII)
    x = (centre[0] + np.outer(np.cos(angles), radii)).astype(np.float32)
    y = (centre[1] + np.outer(np.sin(angles), radii)).astype(np.float32)
    return x, y


def rings(values: Floats, centre: Point, radius: float) -> Floats:
    """Average a picture over all angles about a centre, up to a radius."""
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    away = np.hypot(x - centre[0], y - centre[1])
    mean = unrolled(values, centre, radius).mean(axis=0)
    around = np.interp(away, radius * np.geomspace(_INNERMOST, 1, _RADII), mean, right=0.0)
    return np.asarray(around, np.float32)


def disc(size: tuple[int, ...], centre: Point, radius: float) -> Floats:
    """Draw a disc: 1 within a radius of a centre, 0 beyond, (height, width)."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.asarray(np.hypot(x - centre[0], y - centre[1]) <= radius, np.float32)


def scaled_templates(rings: Floats, centre: Point) -> Templates:
    """Make templates of rings about a centre, smaller and larger."""
    return make_templates(rings, [turn(centre, 0, scale) for scale in _SCALES])


def enlarged_by(reference: Floats, values: Floats, centre: Point, radius: float) -> float:
    """Estimate how many times larger the rings about a centre are than the reference's."""
    own, other = (unrolled(each, centre, radius).mean(axis=0) for each in (reference, values))
    reach = math.ceil(_LARGER / _octave())
    middle = own[reach:-reach]
    heights = []
    for step in range(2 * reach + 1):
        part = other[step : step + len(middle)]
        heights.append(likeness(middle, part, np.ones_like(part)))
    best = int(np.clip(np.argmax(heights), 1, 2 * reach - 1))
    return math.exp((best - reach + vertex(heights[best - 1 : best + 2])) * _octave())


def outline(grey: Floats, centre: Point, radius: float) -> Floats:
    """Compute the narrow changes along the rings of a round part: (720 angles, 96 radii), all rings equally strong."""
    fine = cv2.GaussianBlur(np.log(grey + DARK), (0, 0), 0.7)
    around = unrolled(fine, centre, radius)
    broad = gaussian_filter1d(around, _NARROW * _TURNS / 360, axis=0, mode="wrap")
    narrow = around - broad
    return np.asarray(narrow / (narrow.std(axis=0) + 0.2 * narrow.std() + 1e-3), np.float32)


def turned_by(reference: Floats, values: Floats) -> float:
    """Estimate by how many degrees a part is turned against the reference, from their outlines."""
    spectra = [fft.rfft(each, axis=0) for each in (reference, values)]
    heights = fft.irfft((spectra[1] * np.conj(spectra[0])).sum(axis=1), _TURNS)
    row = int(heights.argmax())
    return (row + vertex([float(heights[(row + d) % _TURNS]) for d in (-1, 0, 1)])) * 360 / _TURNS


def _octave() -> float:
    return -math.log(_INNERMOST) / (_RADII - 1)
