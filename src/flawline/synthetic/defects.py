"""Draw defects of castings on a sound surface.

Each function takes a generator and a `Surface` and returns the damaged `Surface` with a mask, bool
(height, width), of the defect's pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.surface import BEAD, BELT, FLANGE, RECESS, RIM, Field, Surface, grain, ramp

Mask: TypeAlias = NDArray[np.bool_]
T = TypeVar("T")
Damage: TypeAlias = Callable[[np.random.Generator, Surface], tuple[Surface, Mask]]


def blowhole(rng: np.random.Generator, surface: Surface) -> tuple[Surface, Mask]:
    """Draw a cluster of open pits from trapped gas: dark, rounded, with a bright lip."""
    band, largest = _choose(
        rng, ((FLANGE, 0.038), (BEAD, 0.027), (RECESS, 0.046)), (0.65, 0.15, 0.2)
    )
    turn, radius = rng.uniform(0, 2 * np.pi), band[0] + rng.uniform(0.2, 0.8) * (band[1] - band[0])
    ragged = grain(rng, _shape(surface), 0.018 * surface.scale) * np.float32(0.14)
    depth = np.full(_shape(surface), -1, np.float32)
    for index in range(int(rng.integers(3, 8))):
        near = rng.normal(0, (0.022, 0.05), 2) if index else (0.0, 0.0)
        at = radius + float(np.clip(near[0], -0.05, 0.05)), turn + float(near[1]) / radius
        size = largest * (rng.uniform(0.75, 1.0) if index == 0 else rng.uniform(0.28, 0.6))
        depth = np.maximum(depth, 1 - _ellipse(rng, surface, at, size) + ragged)
    pit = ramp(depth, 0.0, 0.6) * surface.body
    lip = ramp(depth, -0.45, -0.1) * (1 - pit) * surface.body
    return replace(
        surface,
        height=surface.height - 0.045 * pit + 0.006 * lip,
        albedo=(surface.albedo * (1 - 0.62 * pit) + 0.16 * lip).clip(0, 1),
        turned=surface.turned * (1 - pit) * (1 - 0.4 * lip),
    ), (pit > 0.2) | (lip > 0.7)


def chip(rng: np.random.Generator, surface: Surface) -> tuple[Surface, Mask]:
    """Draw a piece broken out of the rim: a rough, facetted fracture down to the belt."""
    turn, half = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.15)
    reach = rng.uniform(0.06, 0.10)
    off = _off(surface, turn) / np.float32(half)
    shape = _shape(surface)
    ragged = 0.10 * grain(rng, shape, 0.05 * surface.scale)
    ragged += 0.05 * grain(rng, shape, 0.015 * surface.scale)
    bite = reach * (1 - np.abs(off + 0.25 * off * ragged) ** 2.5 + ragged)
    depth = np.asarray(surface.radius - (RIM - bite), np.float32)
    broken = ramp(depth, 0.0, 0.006) * (np.abs(off) < 1.3)
    gone = ramp(depth, 0.55 * reach, 0.55 * reach + 0.008) * broken
    facets = np.abs(grain(rng, shape, 0.022 * surface.scale)) * 0.014
    facets += grain(rng, shape, 0.009 * surface.scale) * 0.004
    floor = surface.height - 0.015 - 0.9 * np.maximum(depth, 0) + facets
    sound = surface.body
    fresh = 0.58 + 0.09 * grain(rng, shape, 0.009 * surface.scale)
    return replace(
        surface,
        height=_mix(_mix(surface.height, floor, broken), BELT, gone),
        albedo=_mix(surface.albedo, fresh, broken).clip(0, 1),
        turned=surface.turned * (1 - broken),
        body=sound * (1 - gone),
    ), broken * sound > 0.5


def burr(rng: np.random.Generator, surface: Surface) -> tuple[Surface, Mask]:
    """Draw a fin of flash at an edge: thin, torn, bright, over the belt or over the recess."""
    edge, outward = _choose(rng, ((RIM, 1.0), (BEAD[0] - 0.012, -1.0)), (0.75, 0.25))
    half, reach = rng.uniform(0.06, 0.15) / edge, rng.uniform(0.035, 0.065)
    off = _off(surface, rng.uniform(0, 2 * np.pi)) / np.float32(half)
    torn = _along(rng, surface, 0.012) * 0.35 + _along(rng, surface, 0.04) * 0.35
    length = reach * np.clip(1 - np.abs(off) ** 3, 0, 1) * (0.62 + torn).clip(0.12, 1.3)
    beyond = (surface.radius - np.float32(edge)) * np.float32(outward)
    inside = (np.abs(off) < 1).astype(np.float32)
    fin = ramp(beyond, -0.012, -0.006) * ramp(beyond - length, 0.005, -0.005) * inside
    curl = np.clip(beyond / np.float32(reach), 0, 1)
    top = -0.03 if outward > 0 else 0.045
    crumple = grain(rng, _shape(surface), 0.018 * surface.scale) * 0.008
    height = top + 0.05 * curl * curl + crumple
    bright = 0.74 + 0.10 * grain(rng, _shape(surface), 0.012 * surface.scale)
    return replace(
        surface,
        height=_mix(surface.height, height, fin),
        albedo=_mix(surface.albedo, bright, fin).clip(0, 1),
        turned=surface.turned * (1 - fin),
        body=np.maximum(surface.body, fin),
    ), fin > 0.5


def scratch(rng: np.random.Generator, surface: Surface) -> tuple[Surface, Mask]:
    """Draw a long thin furrow across the flange, dark or burnished, fainter in places."""
    line = _furrow(rng, surface)
    width = rng.uniform(0.009, 0.013)
    tone = float(rng.choice((-0.5, 0.5)))
    distance = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 3) / surface.scale
    away = np.asarray(distance, np.float32)
    press = (0.85 + 0.3 * grain(rng, _shape(surface), 0.06 * surface.scale)).clip(0.55, 1.2)
    furrow = ramp(away, width, 0.25 * width) * press * surface.body
    ridge = (
        ramp(np.abs(away - np.float32(1.3 * width)), 0.6 * width, 0.1 * width)
        * press
        * surface.body
    )
    return replace(
        surface,
        height=surface.height - 0.010 * furrow + 0.003 * ridge,
        albedo=(surface.albedo * (1 + tone * furrow) + 0.16 * ridge).clip(0, 1),
        turned=surface.turned * (1 - 0.6 * furrow.clip(0, 1)),
    ), (away < width) & (surface.body > 0.5)


DAMAGES: dict[str, Damage] = {"blowhole": blowhole, "chip": chip, "burr": burr, "scratch": scratch}


def _furrow(rng: np.random.Generator, surface: Surface) -> Mask:
    """Draw the middle line of a scratch, one pixel wide: a nearly straight quadratic Bezier curve."""
    turn, radius = rng.uniform(0, 2 * np.pi), rng.uniform(0.80, 0.92)
    heading = turn + rng.uniform(0.25, 0.45) * np.pi * rng.choice((-1, 1))
    half, sag = rng.uniform(0.10, 0.19), rng.normal(0, 0.03)
    ahead = np.array([np.cos(heading), np.sin(heading)])
    middle = radius * np.array([np.cos(turn), np.sin(turn)])
    bend = middle + sag * np.array([-ahead[1], ahead[0]])
    t = np.linspace(0, 1, 32)[:, None]
    points = (
        (1 - t) ** 2 * (middle - half * ahead)
        + 2 * t * (1 - t) * bend
        + t**2 * (middle + half * ahead)
    )
    canvas = np.zeros(_shape(surface), np.uint8)
    pixels = np.round((points * surface.scale + _centre(surface)) * 16).astype(np.int32)
    cv2.polylines(canvas, [pixels], False, 1, 1, cv2.LINE_8, 4)
    return canvas > 0


def _ellipse(
    rng: np.random.Generator, surface: Surface, at: tuple[float, float], size: float
) -> Field:
    """Compute the distance from a pit's centre `at` (radius, angle) in half axes: below 1 inside."""
    x = surface.radius * np.cos(surface.angle) - np.float32(at[0] * np.cos(at[1]))
    y = surface.radius * np.sin(surface.angle) - np.float32(at[0] * np.sin(at[1]))
    lean, flat = rng.uniform(0, np.pi), rng.uniform(0.6, 0.95)
    along = x * np.float32(np.cos(lean)) + y * np.float32(np.sin(lean))
    across = y * np.float32(np.cos(lean)) - x * np.float32(np.sin(lean))
    return np.asarray(np.hypot(along, across / np.float32(flat)) / np.float32(size), np.float32)


def _centre(surface: Surface) -> NDArray[np.float64]:
    """Find the pixel (x, y) of the part's axis."""
    row, column = np.unravel_index(int(np.argmin(surface.radius)), surface.radius.shape)
    return np.array([column, row], np.float64)


def _along(rng: np.random.Generator, surface: Surface, length: float) -> Field:
    """Draw noise that varies only along the circumference, with details of about `length`."""
    count = int(2 * np.pi * surface.scale)
    table = grain(rng, (2, count), length * surface.scale)[0]
    position = surface.angle * np.float32(count / (2 * np.pi))
    noise = np.interp(position, np.arange(count), table, period=count)
    return np.asarray(noise, np.float32)


def _off(surface: Surface, turn: float) -> Field:
    """Compute the angle from `turn`, in (-pi, pi]."""
    return np.asarray(
        np.mod(surface.angle - np.float32(turn - np.pi), 2 * np.pi) - np.pi, np.float32
    )


def _mix(old: Field, new: NDArray[np.floating] | float, share: Field) -> Field:
    return np.asarray(old + (new - old) * share, np.float32)


def _shape(surface: Surface) -> tuple[int, int]:
    rows, columns = surface.radius.shape
    return rows, columns


def _choose(rng: np.random.Generator, options: tuple[T, ...], weights: tuple[float, ...]) -> T:
    return options[int(rng.choice(len(options), p=weights))]
