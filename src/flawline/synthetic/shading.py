"""Compute grey values of a surface: lamps, normals, turned faces, shadows, the camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from flawline.synthetic.surface import BELT, RINGS, Field, Surface, grain, ramp

_STATIONS = 4096
_NORMALS = 129


@dataclass(frozen=True, slots=True)
class Lamps:
    """A ring of lamps (angles in radians, strengths that sum to 1), and further parameters of the grey values."""

    azimuths: tuple[float, ...]
    elevation: float
    strengths: tuple[float, ...]
    ambient: float
    slope: tuple[float, float]
    exposure: float
    belt: float
    spread: float


def draw_lamps(rng: np.random.Generator, count: int = 6) -> Lamps:
    """Draw a ring light with unequal lamps: the one at the upper left and a neighbour are brighter."""
    start = rng.normal(-2.2, 0.35)
    azimuths = start + np.arange(count) * 2 * np.pi / count
    strengths = rng.uniform(0.05, 0.12, count)
    strengths[0] += rng.uniform(0.4, 0.6)
    strengths[1] += rng.uniform(0.0, 0.25)
    strengths /= strengths.sum()
    return Lamps(
        azimuths=tuple(azimuths.tolist()),
        elevation=float(rng.uniform(0.75, 0.95)),
        strengths=tuple(strengths.tolist()),
        ambient=float(rng.uniform(0.24, 0.32)),
        slope=(float(rng.normal(0, 0.07)), float(rng.normal(0, 0.07))),
        exposure=float(rng.uniform(0.93, 1.07)),
        belt=float(rng.uniform(0.29, 0.36)),
        spread=float(rng.uniform(0.17, 0.23)),
    )


def shade(rng: np.random.Generator, surface: Surface, lamps: Lamps) -> Field:
    """Compute grey values of the lit part on its belt, float32 (height, width), about 0 to 1.

    Cast skin is Lambertian with a weak gloss (Blinn, "Models of light reflection", SIGGRAPH 1977);
    a turned face reflects as circular grooves do (Ward, "Measuring and modeling anisotropic
    reflection", SIGGRAPH 1992): brightest where the half vector is at right angles to the groove,
    so each lamp draws a bow tie across the part.
    """
    diffuse, gloss = _diffuse_and_gloss(surface, lamps)
    cast = surface.albedo * (lamps.ambient + 0.95 * diffuse) + 0.22 * gloss
    face = (
        surface.albedo * _turned_face(rng, surface, lamps) * (0.45 + 0.62 * diffuse) + 0.12 * gloss
    )
    metal = cast + (face - cast) * surface.turned
    metal *= _openness(surface)
    belt = _belt(rng, surface, lamps)
    lit = belt + (metal - belt) * surface.body
    return np.asarray(lit * _slope(lit.shape, lamps), np.float32)


def photograph(rng: np.random.Generator, lit: Field, size: int) -> Field:
    """Simulate the camera: `size` pixels square, slight blur, soft shoulder, noise."""
    detail = size / 300
    small = cv2.resize(lit, (size, size), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.45, 0.7) * detail)
    image = np.asarray(small, np.float32).clip(0, None)
    bright = np.where(image > 0.75, 0.75 + 0.25 * np.tanh((image - 0.75) / 0.25), image)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(bright + noise * (0.006 + 0.010 * np.sqrt(bright)), np.float32).clip(0, 1)


def _diffuse_and_gloss(surface: Surface, lamps: Lamps) -> tuple[Field, Field]:
    """Look up diffuse and glossy light of every pixel in the reflectance map, by its normal."""
    slope_x, slope_y = _slopes(surface)
    upright = np.float32(_NORMALS / 2 - 0.5) / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    middle = np.float32(_NORMALS / 2 - 0.5)
    reflected = cv2.remap(
        _reflectance(lamps),
        middle - slope_x * upright,
        middle - slope_y * upright,
        cv2.INTER_LINEAR,
    )
    return np.asarray(reflected[..., 0], np.float32), np.asarray(reflected[..., 1], np.float32)


def _reflectance(lamps: Lamps) -> Field:
    """Sum n.l and (n.h)^32 over the lamps, by normal: rows n_y, columns n_x, from -1 to 1.

    A reflectance map: Horn, "Understanding image intensities", Artificial Intelligence 8 (1977).
    """
    side = np.linspace(-1, 1, _NORMALS)
    x, y = np.meshgrid(side, side)
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, None))
    level, rise = np.cos(lamps.elevation), np.sin(lamps.elevation)
    half = np.hypot(level, 1 + rise)
    table = np.zeros((_NORMALS, _NORMALS, 2), np.float32)
    for azimuth, strength in zip(lamps.azimuths, lamps.strengths, strict=True):
        toward = (x * np.cos(azimuth) + y * np.sin(azimuth)) * level
        table[..., 0] += strength * np.clip(toward + z * rise, 0, None)
        table[..., 1] += strength * (np.clip(toward + z * (1 + rise), 0, None) / half) ** 32
    return table


def _slopes(surface: Surface) -> tuple[Field, Field]:
    # The bore is far deeper than the belt: its wall would tilt the normals of the hub's face.
    height = np.maximum(surface.height, np.float32(BELT)) * np.float32(surface.scale / 8)
    x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _turned_face(rng: np.random.Generator, surface: Surface, lamps: Lamps) -> Field:
    """Compute the relative brightness of a turned face: its bow tie, its rings, the chatter of the tool."""
    around = np.linspace(0, 2 * np.pi, _STATIONS, endpoint=False)
    tilt = np.cos(lamps.elevation) / np.sqrt(2 + 2 * np.sin(lamps.elevation))
    lobe = np.zeros(_STATIONS)
    for azimuth, strength in zip(lamps.azimuths, lamps.strengths, strict=True):
        across = tilt * np.sin(azimuth - around) / lamps.spread
        lobe += strength * (1 + 0.25 * np.cos(azimuth - around)) * np.exp(-(across**2))
    tone, lean = _rings(rng, surface.scale)
    station = surface.angle * np.float32(_STATIONS / (2 * np.pi)) + lean.take(surface.ring)
    bow_tie = (0.40 + 1.10 * lobe).astype(np.float32).take(station.astype(np.int32) % _STATIONS)
    tool_marks = 1 + tone.take(surface.ring) + np.float32(0.026) * _streaks(rng, surface)
    return np.asarray(bow_tie * tool_marks, np.float32)


def _rings(rng: np.random.Generator, scale: float) -> tuple[Field, Field]:
    """Draw profiles over the radius: tone of the tool's rings, and the lean of each (in stations)."""
    count = int(2.2 * RINGS * scale)
    fine, coarse = 0.006 * RINGS * scale, 0.03 * RINGS * scale
    tone = 0.022 * grain(rng, (1, count), fine)[0] + 0.018 * grain(rng, (1, count), coarse)[0]
    lean = grain(rng, (1, count), 0.5 * coarse)[0] * np.float32(0.05 * _STATIONS / (2 * np.pi))
    return tone * np.float32(rng.uniform(0.7, 1.3)), lean


def _streaks(rng: np.random.Generator, surface: Surface) -> Field:
    """Draw arcs along the tool's path: noise on (radius, angle), bent round the axis."""
    rows = int(surface.scale * 1.05)
    flat = grain(rng, (rows, 96), 0.8)
    flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), sigmaX=2.5, sigmaY=0.6), np.float32)
    flat /= flat.std() + np.float32(1e-6)
    wrapped = np.hstack([flat, flat[:, :1]])
    column = surface.angle * np.float32(96 / (2 * np.pi))
    row = surface.radius * np.float32(surface.scale)
    bent = cv2.remap(wrapped, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, np.float32)


def _openness(surface: Surface) -> Field:
    """Compute the share of the sky visible from each point: points below their surroundings are darker."""
    height = np.maximum(surface.height, np.float32(BELT))
    depth = np.maximum(_soft(height, 0.045 * surface.scale) - height, 0) * np.float32(5)
    depth += np.maximum(_soft(height, 0.014 * surface.scale) - height, 0) * np.float32(5)
    return np.asarray(1 / (1 + depth), np.float32)


def _belt(rng: np.random.Generator, surface: Surface, lamps: Lamps) -> Field:
    """Draw the belt under the part: rubber grain, soft stains, dust, and the shadow of the part."""
    side = (surface.body.shape[0], surface.body.shape[1])
    texture = 0.010 * grain(rng, side, 0.009 * surface.scale)
    texture += 0.014 * grain(rng, side, 0.3 * surface.scale)
    _dust(rng, texture, surface.scale)
    main = lamps.azimuths[int(np.argmax(lamps.strengths))]
    shift = 0.06 * surface.scale
    move = np.array([[1, 0, -shift * np.cos(main)], [0, 1, -shift * np.sin(main)]])
    thrown = cv2.warpAffine(surface.body, move, side[::-1])
    cast = ramp(_soft(np.asarray(thrown, np.float32), 0.035 * surface.scale), 0.0, 1.0)
    contact = _soft(surface.body, 0.02 * surface.scale)
    lit = (lamps.belt + texture) * (1 - 0.55 * cast) * (1 - 0.4 * contact)
    return np.asarray(lit, np.float32)


def _dust(rng: np.random.Generator, texture: Field, scale: float) -> None:
    """Draw a few specks of swarf and dust on the belt."""
    for _ in range(int(rng.poisson(5))):
        x, y = (int(place * 16) for place in rng.uniform(0, texture.shape[0], 2))
        radius = int(rng.uniform(0.004, 0.009) * scale * 16)
        cv2.circle(texture, (x, y), radius, float(rng.uniform(-0.06, 0.12)), -1, cv2.LINE_8, 4)


def _soft(field: Field, sigma: float) -> Field:
    """Blur by a Gaussian, on fewer pixels where it is wide."""
    step = min(4, max(1, int(sigma / 1.5)))
    small = cv2.resize(field, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(
        cv2.resize(small, field.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32
    )


def _slope(shape: tuple[int, ...], lamps: Lamps) -> Field:
    """Compute the lamps' unevenness over the field of view, times the exposure."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    plane = 1 + np.float32(lamps.slope[0]) * x + np.float32(lamps.slope[1]) * y
    return np.asarray((plane - 0.05 * (x * x + y * y)) * np.float32(lamps.exposure), np.float32)
