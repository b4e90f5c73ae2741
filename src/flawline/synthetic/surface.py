"""Draw the sound part as arrays: its pose, its heights, its finish.

The part is a pump impeller seen from above: a turned flange, a groove and a bead, a recess left as
cast with curved vanes, a turned hub and a bore with a keyway. Lengths and heights are in part radii
(the rim lies at 1), so a picture of any size shows the same kind of part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]

RIM = 1.0
FLANGE = (0.755, 0.965)
BEAD = (0.66, 0.715)
RECESS = (0.31, 0.63)
HUB = (0.175, 0.265)
BORE = 0.15
BELT = -0.16
FLOOR = -0.40
RINGS = 8
VANES = 7

_RADII, _HEIGHTS = np.array(
    [
        (0.0, FLOOR),
        (BORE - 0.006, FLOOR),
        (BORE + 0.004, 0.085),
        (HUB[0], 0.11),
        (HUB[1], 0.11),
        (0.275, 0.10),
        (0.29, -0.05),
        (0.33, -0.09),
        (0.60, -0.09),
        (0.635, -0.05),
        (0.65, 0.04),
        (BEAD[0], 0.05),
        (BEAD[1], 0.05),
        (0.722, 0.04),
        (0.728, -0.03),
        (0.742, -0.03),
        (0.75, 0.0),
        (FLANGE[0], 0.008),
        (FLANGE[1], 0.0),
        (0.985, -0.018),
        (RIM, -0.05),
        (1.004, BELT),
        (9.0, BELT),
    ],
    dtype=np.float32,
).T


@dataclass(frozen=True, slots=True)
class DrawnPose:
    """Pose of the part: centre and radius in pixels, angles in radians, foreshortening."""

    x: float
    y: float
    radius: float
    rotation: float
    squeeze: float
    squeeze_axis: float


@dataclass(frozen=True, slots=True)
class Surface:
    """Surface of the part, every array (height, width) and float32 except `ring`.

    `radius` and `angle` are polar coordinates about the part's axis (part radii; radians in the
    picture's frame), `ring` the place of `radius` in a profile with `RINGS` entries a pixel.
    `height` is in part radii, `albedo` and `turned` (1 machined, 0 as cast) in [0, 1], `body` is
    the share of a pixel covered by metal. `scale` is pixels per part radius.
    """

    scale: float
    radius: Field
    angle: Field
    ring: NDArray[np.int32]
    height: Field
    albedo: Field
    turned: Field
    body: Field


def grain(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Field:
    """Draw smooth Gaussian noise, about unit variance, with details of about `sigma` pixels."""
    # Coarse noise is drawn on a coarse lattice: a wide blur gives the same and costs far more.
    step = max(1.0, sigma / 1.5)
    small = (int(np.ceil(shape[0] / step)) + 3, int(np.ceil(shape[1] / step)) + 3)
    noise = rng.standard_normal(small, dtype=np.float32)
    fine = sigma / step
    if fine > 0.3:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), fine), np.float32)
        noise *= np.float32(2.0 * np.sqrt(np.pi) * fine)
    if step > 1.0:
        noise = np.asarray(
            cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32
        )
    return np.ascontiguousarray(noise[: shape[0], : shape[1]])


def ramp(values: Field, low: float, high: float) -> Field:
    """Compute a smooth step from 0 at `low` to 1 at `high` (either may be the larger)."""
    t = values - np.float32(low)
    t *= np.float32(1 / (high - low))
    np.clip(t, 0, 1, out=t)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def draw_pose(rng: np.random.Generator, size: int) -> DrawnPose:
    """Draw a free rotation and a slight shift, tilt and change of scale, inside a square of `size`."""
    x, y = size / 2 + rng.normal(0, 0.012, 2).clip(-0.03, 0.03) * size
    return DrawnPose(
        x=float(x),
        y=float(y),
        radius=float(size * 0.418 * rng.uniform(0.97, 1.03)),
        rotation=float(rng.uniform(0, 2 * np.pi)),
        squeeze=float(rng.uniform(0.965, 1.0)),
        squeeze_axis=float(rng.uniform(0, np.pi)),
    )


def draw_surface(rng: np.random.Generator, size: int, pose: DrawnPose) -> Surface:
    """Draw a sound part at `pose` on a square of `size` pixels, with its cast and machined texture."""
    radius, angle = _polar(size, pose)
    ring = (radius * np.float32(RINGS * pose.radius)).astype(np.int32)
    height, recess, cast, faced, body = (part.take(ring) for part in _profiles(pose.radius))
    bore, vanes = _details(radius, angle, pose, float(rng.normal(1, 0.06)))
    turned = faced * (1 - bore)
    vanes *= recess

    shape, unit = (size, size), pose.radius
    rough = grain(rng, shape, 0.013 * unit) * 0.0022 + grain(rng, shape, 0.035 * unit) * 0.006
    height += rough * (cast * np.float32(rng.uniform(0.7, 1.3))) + vanes * np.float32(0.06)
    height += (np.float32(FLOOR) - height) * bore

    skin = 0.37 + 0.035 * grain(rng, shape, 0.01 * unit) + 0.03 * grain(rng, shape, 0.12 * unit)
    skin += 0.09 * vanes
    metal = 0.80 + rng.uniform(0.008, 0.024) * grain(rng, shape, 0.22 * unit)
    albedo = (skin + (metal - skin) * turned) * (1 - np.float32(0.93) * bore)
    return Surface(unit, radius, angle, ring, height, albedo.clip(0, 1), turned, body)


def _profiles(scale: float) -> tuple[Field, ...]:
    """Compute height, recess, as-cast share, turned share and coverage by radius, `RINGS` entries a pixel."""
    # The corners of the picture lie within 2.2 part radii of the axis in every pose.
    radius = np.arange(int(2.2 * RINGS * scale), dtype=np.float32) / np.float32(RINGS * scale)
    height = np.interp(radius, _RADII, _HEIGHTS).astype(np.float32)
    recess = ramp(radius, 0.285, 0.30) * ramp(radius, 0.645, 0.63)
    cast = np.maximum(recess, ramp(radius, 0.722, 0.728) * ramp(radius, 0.752, 0.744))
    faced = (1 - cast) * ramp(radius, 0.992, 0.978)
    return height, recess, cast, faced, ramp(radius, RIM + 0.004, RIM - 0.004)


def _polar(size: int, pose: DrawnPose) -> tuple[Field, Field]:
    steps = np.arange(size, dtype=np.float32) + np.float32(0.5)
    x = ((steps - np.float32(pose.x)) / np.float32(pose.radius))[None, :]
    y = ((steps - np.float32(pose.y)) / np.float32(pose.radius))[:, None]
    cos, sin = math.cos(pose.squeeze_axis), math.sin(pose.squeeze_axis)
    stretch = 1 / pose.squeeze - 1
    along = (x * cos + y * sin) * stretch
    u, v = x + along * cos, y + along * sin
    radius, angle = cv2.cartToPolar(u, v)
    return np.asarray(radius, np.float32), np.asarray(angle, np.float32)


def _details(radius: Field, angle: Field, pose: DrawnPose, thickness: float) -> tuple[Field, Field]:
    """Draw the bore with its keyway, and the vanes, each 0 to 1."""
    # Both lie within the recess; the square around it is a quarter of the picture.
    reach = 0.68 * pose.radius
    rows = slice(int(pose.y - reach), int(pose.y + reach))
    columns = slice(int(pose.x - reach), int(pose.x + reach))
    near, turn = radius[rows, columns], angle[rows, columns] - np.float32(pose.rotation)
    bore, vanes = np.zeros_like(radius), np.zeros_like(radius)
    bore[rows, columns] = _bore(near, turn)
    vanes[rows, columns] = _vanes(near, turn, thickness)
    return bore, vanes


def _bore(radius: Field, turn: Field) -> Field:
    """Draw the bore: 1 inside it and its keyway, 0 outside."""
    round_bore = ramp(radius, BORE + 0.006, BORE - 0.006)
    across, along = radius * np.sin(turn), radius * np.cos(turn)
    key = ramp(np.abs(across), 0.041, 0.031) * ramp(along, 0.0, 0.01) * ramp(along, 0.196, 0.186)
    return np.asarray(np.maximum(round_bore, key), np.float32)


def _vanes(radius: Field, turn: Field, thickness: float) -> Field:
    """Draw the curved vanes: 1 on their crest, 0 on the floor between them."""
    inner, outer = 0.30, 0.635
    twist = 1.05
    pitch = np.float32(2 * np.pi / VANES)
    sweep = turn - np.float32(twist / (outer - inner)) * (radius - np.float32(inner))
    offset = (np.mod(sweep / pitch, 1) - np.float32(0.5)) * pitch
    lean = radius * np.float32(twist / (outer - inner))
    distance = np.abs(offset) * radius / np.sqrt(1 + lean * lean)
    return ramp(distance, 0.050 * thickness, 0.016 * thickness)
