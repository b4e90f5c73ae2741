"""Generated pictures: textures, drawn parts and flaws, light, camera.

Both kinds of picture are uint8 RGB (side, side, 3). Nothing in them is photographed except the
freely licensed sample scenes that :mod:`.scenes` cuts out of installed Python packages.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .marks import FLAWS, SHAPES, Mask
from .scenes import scene_crop
from .textures import Field, Rng, along, smooth, texture

Picture = NDArray[Any]
Colours = NDArray[Any]
SCENE_SHARE = 0.4
GREY_SHARE = 0.6


def _colour(rng: Rng, grey: bool) -> Colours:
    """A random colour (3,) in 0..1, grey or mostly pale."""
    level = rng.random()
    if grey:
        return np.full(3, level, np.float32)
    return np.clip(level + rng.normal(0, rng.choice([0.05, 0.25]), 3), 0, 1).astype(np.float32)


def painted(rng: Rng, field: Field, grey: bool) -> Colours:
    """The grey field (side, side) as colours (side, side, 3) on the line between two of them."""
    low, high = _colour(rng, grey), _colour(rng, grey)
    return low + (high - low) * field[:, :, None]


def _material(rng: Rng, side: int, grey: bool, scenes: list[Picture]) -> Colours:
    if scenes and rng.random() < SCENE_SHARE:
        cut = scene_crop(rng, scenes, side).astype(np.float32) / 255
        return np.repeat(cut.mean(axis=2, keepdims=True), 3, axis=2) if grey else cut
    return painted(rng, texture(rng, side), grey)


def _soft(rng: Rng, mask: Mask) -> Field:
    """The mask as 0..1, at times blurred."""
    cover = mask.astype(np.float32) / 255
    if rng.random() < 0.4:
        cover = cv2.GaussianBlur(cover, (0, 0), np.exp(rng.uniform(-0.7, 1.8)))
    return cover


def _embossed(rng: Rng, picture: Colours, cover: Field) -> Colours:
    """Light and dark edges along the cover, as on a raised or sunk mark."""
    soft = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.6, 3))
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.5)
    slope = np.cos(angle) * cv2.Sobel(soft, -1, 1, 0) + np.sin(angle) * cv2.Sobel(soft, -1, 0, 1)
    return picture + np.float32(depth) * slope[:, :, None]


def _with_part(rng: Rng, picture: Colours, grey: bool, scenes: list[Picture]) -> Colours:
    """One shape of another material laid over the picture."""
    side = picture.shape[0]
    cover = _soft(rng, SHAPES[rng.integers(len(SHAPES))](rng, side))
    if rng.random() < 0.3:
        shadow = cv2.GaussianBlur(np.roll(cover, rng.integers(-6, 7, 2), (0, 1)), (0, 0), 3)
        picture = picture * (1 - np.float32(rng.uniform(0.2, 0.8)) * shadow[:, :, None])
    veil = cover[:, :, None]
    picture = picture * (1 - veil) + _material(rng, side, grey, scenes) * veil
    return _embossed(rng, picture, cover) if rng.random() < 0.4 else picture


def _with_flaw(rng: Rng, picture: Colours, grey: bool) -> Colours:
    """One mark that darkens, brightens or raises what lies under it."""
    cover = _soft(rng, FLAWS[rng.integers(len(FLAWS))](rng, picture.shape[0]))
    if rng.random() < 0.3:
        return _embossed(rng, picture, cover)
    veil = cover[:, :, None] * np.float32(rng.uniform(0.1, 1))
    return picture * (1 - veil) + _colour(rng, grey) * veil


def _lit(rng: Rng, picture: Colours) -> Colours:
    """Uneven light: a slope, slow patches, a vignette or a glare."""
    side = picture.shape[0]
    if rng.random() < 0.4:
        picture = picture * (1 + rng.uniform(0, 0.6) * along(rng, side))[:, :, None]
    if rng.random() < 0.2:
        picture = picture * (0.5 + smooth(rng, side))[:, :, None]
    if rng.random() < 0.15:
        reach = along(rng, side) ** 2 + along(rng, side) ** 2
        glare = np.exp(-reach * np.exp(rng.uniform(0, 4))) * rng.uniform(-0.6, 1)
        picture = picture + glare[:, :, None]
    return picture.astype(np.float32)


def _levels(rng: Rng, picture: Colours) -> Colours:
    """A random exposure: contrast about the mean, brightness and gamma."""
    if rng.random() < 0.6:
        mean = picture.mean()
        middle = rng.uniform(0.15, 0.85) if rng.random() < 0.6 else mean
        picture = (picture - mean) * np.float32(np.exp(rng.uniform(-1.6, 0.7))) + middle
    picture = np.clip(picture, 0, 1)
    return picture ** np.float32(np.exp(rng.normal(0, 0.3))) if rng.random() < 0.3 else picture


def _photographed(rng: Rng, picture: Colours) -> Picture:
    """Blur, sensor noise and compression; uint8."""
    if rng.random() < 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), np.exp(rng.uniform(-0.9, 1.1)))
    if rng.random() < 0.4:
        shape = picture.shape[:2] + ((1,) if rng.random() < 0.7 else (3,))
        sigma = np.float32(np.exp(rng.uniform(-5.5, -2.3)))
        picture = picture + rng.standard_normal(shape, dtype=np.float32) * sigma
    taken = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(25, 96))
        code = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        taken = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return taken


def generated(rng: Rng, side: int, scenes: list[Picture]) -> Picture:
    """A made-up part: a material, parts and flaws on it, light and a camera."""
    grey = bool(rng.random() < GREY_SHARE)
    picture = _material(rng, side, grey, scenes)
    for _ in range(int(rng.choice([0, 1, 2, 3, 5], p=[0.2, 0.3, 0.25, 0.15, 0.1]))):
        picture = _with_part(rng, picture, grey, scenes)
    for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.35, 0.35, 0.2, 0.1]))):
        picture = _with_flaw(rng, picture, grey)
    return _photographed(rng, _levels(rng, _lit(rng, picture)))


def photographed(rng: Rng, side: int, scenes: list[Picture]) -> Picture:
    """A crop of a sample scene with its own light, levels and camera."""
    crop = scene_crop(rng, scenes, side).astype(np.float32) / 255
    if rng.random() < GREY_SHARE:
        crop = np.repeat(crop @ rng.dirichlet(np.ones(3)).astype(np.float32)[:, None], 3, axis=2)
    elif rng.random() < 0.5:
        crop = crop[:, :, rng.permutation(3)] * rng.uniform(0.6, 1.3, 3).astype(np.float32)
    if rng.random() < 0.15:
        crop = 1 - crop
    return _photographed(rng, _levels(rng, _lit(rng, crop)))
