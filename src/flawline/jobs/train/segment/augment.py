"""Augment patches: illumination, noise, and defects of one picture copied onto the good area of another."""

from __future__ import annotations

from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.segment.pairs import Pair
from flawline.jobs.train.segment.segment_settings import Augmentation

_FEATHER = 5
_RING = 15
_LARGEST = 0.5
# A bend moves a defect by a few pixels.
_NEAR = 8
# The standard normal distribution in 256 equally probable steps.
_NORMAL = np.array([NormalDist().inv_cdf((step + 0.5) / 256) for step in range(256)])


def relit(
    pixels: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Vary gain, offset, gamma and noise of pixels (h, w, 3) or (h, w), the same in all channels."""
    if settings.light:
        gain, offset, gamma = rng.normal(0, settings.light, 3)
        levels = np.linspace(0, 1, 256)
        bent = levels ** np.exp(gamma) * np.exp(gain) + offset / 2
        table = np.clip(np.rint(bent * 255), 0, 255).astype(np.uint8)
        pixels = np.asarray(cv2.LUT(pixels, table), np.uint8)
    if settings.noise:
        pixels = _noisy(pixels, rng.uniform(0, settings.noise), rng)
    return pixels


def _noisy(
    pixels: NDArray[np.uint8], deviation: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add noise by way of a table: drawing from the normal distribution takes longer than all other steps."""
    height, width = pixels.shape[:2]
    levels = np.clip(np.rint(deviation * _NORMAL), -255, 255).astype(np.int16)
    drawn = np.frombuffer(rng.bytes(height * width), np.uint8).reshape(height, width)
    noise = cv2.LUT(drawn, levels)
    if pixels.ndim == 3:
        noise = cv2.merge((noise, noise, noise))
    return np.asarray(cv2.add(pixels, noise, dtype=cv2.CV_8U), np.uint8)


def in_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert pixels to (h, w, 3) where they are grey, (h, w)."""
    return pixels if pixels.ndim == 3 else np.asarray(cv2.merge((pixels,) * 3), np.uint8)


def pasted(patch: Pair, donor: Pair, at: NDArray[np.float64]) -> Pair:
    """Copy the defect that a donor patch shows at `at` (x, y) to the same place of a patch.

    The surroundings of the defect fade into the patch, and its grey levels are shifted by the difference between the
    good areas around it in both. The patch stays as it is where the defect would not lie wholly on good area, or is
    larger than half of it. After G. Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
    Segmentation", CVPR 2021, with the fading and the shift added.
    """
    pixels, mask = patch
    if pixels.ndim != donor[0].ndim:
        pixels, donor = in_colour(pixels), (in_colour(donor[0]), donor[1])
    shape = _component(donor[1], at)
    if shape is None or shape.mean() > _LARGEST:
        return patch
    wide, ring = _grown(shape, _FEATHER), _grown(shape, _RING)
    ring = ring & ~wide & (donor[1] == 0) & (mask == 0)
    if mask[wide].any() or (donor[1][wide & ~shape] != 0).any() or not ring.any():
        return patch
    shift = (pixels[ring].mean(0) - donor[0][ring].mean(0)).astype(np.float32)
    box = _box(wide)
    inner = _grown(shape, 3)[box].astype(np.float32)
    share = cv2.GaussianBlur(inner, (_FEATHER, _FEATHER), 0)
    if pixels.ndim == 3:
        share = share[..., None]
    mixed, old = pixels.copy(), pixels[box].astype(np.float32)
    mixed[box] = np.clip(np.rint(old + share * (donor[0][box] + shift - old)), 0, 255)
    return mixed, np.where(shape, donor[1], mask)


def _box(shape: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of a shape with a margin for the fading."""
    rows, columns = (np.flatnonzero(shape.any(axis)) for axis in (1, 0))
    return (
        slice(max(0, rows[0] - _FEATHER), rows[-1] + 1 + _FEATHER),
        slice(max(0, columns[0] - _FEATHER), columns[-1] + 1 + _FEATHER),
    )


def _component(mask: NDArray[np.uint8], at: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Find the connected defect at or next to a place; None where there is none or where it leaves the patch."""
    defective = (mask != 0) & (mask != IGNORE)
    y, x = np.nonzero(defective)
    if not len(x):
        return None
    away = (x - at[0]) ** 2 + (y - at[1]) ** 2
    near = int(away.argmin())
    if away[near] > _NEAR**2:
        return None
    _, labels = cv2.connectedComponents(defective.view(np.uint8), connectivity=8)
    shape = np.asarray(labels == labels[y[near], x[near]], np.bool_)
    edge = shape[0].any() or shape[-1].any() or shape[:, 0].any() or shape[:, -1].any()
    return None if edge else shape


def _grown(shape: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.dilate(shape.view(np.uint8), kernel) > 0)
