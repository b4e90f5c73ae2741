"""Procedural grey fields: the materials that generated pictures are made of.

Every function takes a random generator and a side in pixels and returns float32 (side, side),
roughly within 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]
Rng = np.random.Generator


def unit(field: Field) -> Field:
    """The field stretched so that its lowest value is 0 and its highest 1."""
    low, high = float(field.min()), float(field.max())
    return ((field - low) / max(high - low, 1e-6)).astype(np.float32)


@cache
def _frequencies(side: int) -> tuple[Field, Field]:
    fy = np.fft.fftfreq(side)[:, None].astype(np.float32)
    fx = np.fft.rfftfreq(side)[None, :].astype(np.float32)
    return fy, fx


@cache
def axes(side: int) -> tuple[Field, Field]:
    """Row and column coordinates in -1..1, each (side, side)."""
    line = np.linspace(-1, 1, side, dtype=np.float32)
    rows, columns = np.meshgrid(line, line, indexing="ij")
    return rows, columns


def along(rng: Rng, side: int) -> Field:
    """A coordinate in -1..1 that rises in a random direction."""
    rows, columns = axes(side)
    angle = rng.uniform(0, 2 * np.pi)
    return np.float32(np.cos(angle)) * columns + np.float32(np.sin(angle)) * rows


def spectrum(rng: Rng, side: int, slope: float | None = None) -> Field:
    """Gaussian noise whose amplitude falls as frequency**-slope, often stretched one way."""
    fy, fx = _frequencies(side)
    slope = rng.uniform(0.3, 2.2) if slope is None else slope
    stretch = np.exp(rng.normal(0, 0.7)) if rng.random() < 0.4 else 1.0
    angle = rng.uniform(0, np.pi)
    u = np.cos(angle) * fx + np.sin(angle) * fy
    v = stretch * (np.cos(angle) * fy - np.sin(angle) * fx)
    radius = np.sqrt(u * u + v * v) + rng.uniform(0.2, 3) / side
    noise = np.fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    return unit(np.fft.irfft2(noise * radius ** -np.float32(slope), s=(side, side)))


def smooth(rng: Rng, side: int, cells: int = 4) -> Field:
    """Slow noise with about ``cells`` hills per side."""
    seed = rng.random((cells + 1, cells + 1), dtype=np.float32)
    return np.clip(cv2.resize(seed, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)


def turned(rng: Rng, field: Field) -> Field:
    """The field rotated by a random angle about its middle, mirrored at the edge."""
    side = field.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 360), rng.uniform(1, 1.5))
    return cv2.warpAffine(field, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)


def flat(rng: Rng, side: int) -> Field:
    """One level with a trace of grain."""
    grain = rng.standard_normal((side, side), dtype=np.float32) * rng.uniform(0, 0.05)
    return np.float32(rng.random()) + grain


def ramp(rng: Rng, side: int) -> Field:
    """A straight or a round gradient."""
    if rng.random() < 0.5:
        return unit(along(rng, side))
    rows, columns = axes(side)
    y, x = rng.uniform(-1, 1, 2)
    return unit(np.hypot(rows - y, columns - x))


def brushed(rng: Rng, side: int) -> Field:
    """Long fine parallel lines, as brushing, grinding or rolling leaves them."""
    noise = rng.standard_normal((side, side), dtype=np.float32)
    length = int(rng.integers(9, 90))
    lines = cv2.blur(noise, (length, int(rng.integers(1, 4))), borderType=cv2.BORDER_REFLECT)
    return unit(turned(rng, lines))


def granular(rng: Rng, side: int) -> Field:
    """Grains at two sizes, as on cast or blasted metal."""
    noise = rng.standard_normal((side, side), dtype=np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.5))
    coarse = cv2.GaussianBlur(noise, (0, 0), rng.uniform(1.5, 6))
    field = fine / fine.std() * rng.uniform(0.1, 1) + coarse / coarse.std()
    return unit(np.tanh(field * rng.uniform(0.3, 3)))


def relief(rng: Rng, side: int) -> Field:
    """A rough height field lit from one side."""
    height = spectrum(rng, side, rng.uniform(1.2, 2.4))
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1)
    angle = rng.uniform(0, 2 * np.pi)
    lit = np.cos(angle) * slope_x + np.sin(angle) * slope_y
    return np.clip(0.5 + lit / (4 * lit.std() + 1e-6), 0, 1).astype(np.float32)


def ridges(rng: Rng, side: int) -> Field:
    """Creases or contour lines of a noise field."""
    field = spectrum(rng, side, rng.uniform(1.3, 2.4))
    if rng.random() < 0.5:
        return unit(-np.abs(field - np.float32(rng.uniform(0.3, 0.7))))
    levels = np.float32(rng.integers(3, 16))
    return np.mod(field * levels, 1) if rng.random() < 0.5 else np.floor(field * levels) / levels


def stripes(rng: Rng, side: int) -> Field:
    """Waves, bars or saw teeth, straight or bent by slow noise."""
    phase = along(rng, side) * np.float32(np.exp(rng.uniform(np.log(6), np.log(220))))
    if rng.random() < 0.5:
        phase = phase + smooth(rng, side, int(rng.integers(2, 7))) * np.float32(rng.uniform(1, 12))
    kind = rng.integers(3)
    if kind == 0:
        return 0.5 + 0.5 * np.sin(phase)
    if kind == 1:
        return np.clip(0.5 + np.float32(rng.uniform(1, 9)) * np.sin(phase), 0, 1)
    return np.mod(phase / 6.2832, 1).astype(np.float32)


def rings(rng: Rng, side: int) -> Field:
    """Turned rings about a point that may lie outside the picture."""
    rows, columns = axes(side)
    y, x = rng.uniform(-1.5, 1.5, 2)
    wave = np.sin(np.hypot(rows - y, columns - x) * np.float32(rng.uniform(8, 150)))
    return (0.5 + 0.5 * wave * smooth(rng, side)).astype(np.float32)


def woven(rng: Rng, side: int) -> Field:
    """Two crossed stripes: cloth, mesh, knurling or a checker board."""
    first, second = stripes(rng, side), stripes(rng, side)
    kind = rng.integers(3)
    if kind == 0:
        return np.maximum(first, second)
    return first * second if kind == 1 else np.abs(first - second)


def cells(rng: Rng, side: int) -> Field:
    """Voronoi cells: crystal faces, pebbles, honeycomb or cracked mud."""
    seeds = np.ones((side, side), np.uint8)
    count = int(np.exp(rng.uniform(np.log(8), np.log(1200))))
    seeds.reshape(-1)[rng.integers(0, side * side, count)] = 0
    distance, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    levels = rng.random(int(labels.max()) + 1, dtype=np.float32)[labels]
    if rng.random() < 0.35:
        return levels
    if rng.random() < 0.5:
        return unit(distance)
    edge = cv2.morphologyEx(levels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.clip(levels * rng.uniform(0, 0.6) + (edge > 0.02), 0, 1).astype(np.float32)


def tiled(rng: Rng, side: int) -> Field:
    """A small random motif repeated over the picture."""
    size = int(rng.integers(4, 40))
    motif = cv2.resize(rng.random((4, 4), dtype=np.float32), (size, size))
    if rng.random() < 0.5:
        motif = (motif > 0.5).astype(np.float32)
    times = side // size + 1
    return turned(rng, np.tile(motif, (times, times))[:side, :side].copy())


TEXTURES: tuple[Callable[[Rng, int], Field], ...] = (
    spectrum, spectrum, flat, ramp, brushed, brushed, granular, granular, relief, relief,
    ridges, stripes, rings, woven, cells, cells, tiled,
)  # fmt: skip


def texture(rng: Rng, side: int) -> Field:
    """A texture of a random kind, at times two of them blended."""
    field = TEXTURES[rng.integers(len(TEXTURES))](rng, side)
    if rng.random() < 0.3:
        other = TEXTURES[rng.integers(len(TEXTURES))](rng, side)
        share = np.float32(rng.random()) if rng.random() < 0.5 else smooth(rng, side)
        field = field * (1 - share) + other * share
    return np.ascontiguousarray(field, dtype=np.float32)
