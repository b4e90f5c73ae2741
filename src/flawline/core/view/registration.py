"""Register a small picture to a reference: coarse search by correlation, fine search by ECC.

Both are compared by their structure, grey levels less their local mean and over their local spread, so that a change of
illumination matters little. Every motion is a 3 x 3 matrix from pixels of the picture to pixels of the reference, with
pixel centres at whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

# Added to grey levels before their logarithm, in which a change of illumination is a shift.
DARK = np.float32(10.0)
# Structure is the difference from a blur of this share of the longer side.
_LOCAL = 0.06
# Correlation fades out over this share of each side.
_TAPER = 0.15
_ANGLE_STEP = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Turned or scaled copies of a reference, as `spectra` (K, h, w // 2 + 1); `motions` (K, 3, 3) undo each copy."""

    size: tuple[int, int]
    spectra: NDArray[np.complex64]
    motions: Matrix


def structure(grey: Floats) -> Floats:
    """Normalise logarithms of grey levels (h, w) by local mean and spread: about -1 to 1, 0 where plain."""
    fine = cv2.GaussianBlur(np.log(grey + DARK), (0, 0), 1.0)
    sigma = max(2.0, _LOCAL * max(grey.shape))
    detail = fine - cv2.GaussianBlur(fine, (0, 0), sigma)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), sigma))
    return np.asarray(detail / (spread + 0.3 * float(detail.std()) + 0.01), np.float32)


def turn(centre: tuple[float, float], degrees: float = 0.0, scale: float = 1.0) -> Matrix:
    """Make the motion that turns about (x, y), from x towards y as seen on the screen, and enlarges."""
    cos, sin = (scale * f(math.radians(degrees)) for f in (math.cos, math.sin))
    x, y = centre
    return np.array(
        [[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y], [0, 0, 1]]
    )


def shift(x: float, y: float) -> Matrix:
    """Make the motion by x to the right and y down."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def rescaled(motion: NDArray[Any], across: float, down: float) -> Matrix:
    """Convert a motion to pictures that are `across` times as wide and `down` times as high."""
    # Pixel centres are at whole numbers, so the picture's edge is at -1/2.
    scale = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    return np.asarray(scale @ motion @ np.linalg.inv(scale), np.float64)


def moved(values: Floats, motion: Matrix, border: int = cv2.BORDER_CONSTANT) -> Floats:
    """Apply a motion to a picture, same size; 0 where nothing is known."""
    return np.asarray(
        cv2.warpAffine(values, motion[:2], values.shape[::-1], borderMode=border), np.float32
    )


def likeness(reference: Floats, values: Floats, weights: Floats) -> float:
    """Compute the correlation coefficient over weighted pixels, -1 to 1; 0 where either is plain."""
    total = float(weights.sum())
    if total <= 0:
        return 0.0
    a, b = (v - float((v * weights).sum()) / total for v in (reference, values))
    power = float((a * a * weights).sum()) * float((b * b * weights).sum())
    return float((a * b * weights).sum()) / math.sqrt(power) if power > 0 else 0.0


def make_templates(reference: Floats, motions: list[Matrix]) -> Templates:
    """Make templates of a reference under `motions`."""
    faded = reference * fade(reference.shape)
    copies = np.stack([moved(faded, motion) for motion in motions])
    spectra = np.conj(fft.rfft2(copies, axes=(1, 2))).astype(np.complex64)
    undone = np.stack([np.linalg.inv(motion) for motion in motions])
    return Templates((reference.shape[0], reference.shape[1]), spectra, undone)


def turned_templates(reference: Floats, largest_angle: float) -> Templates:
    """Make templates turned in steps of 4 degrees up to `largest_angle` either way, unturned included."""
    steps = math.ceil(min(largest_angle, 180.0) / _ANGLE_STEP)
    angles = {(_ANGLE_STEP * k) % 360 for k in range(-steps, steps + 1)}
    return make_templates(reference, [turn(_middle(reference), angle) for angle in sorted(angles)])


def correlate(values: Floats, templates: Templates, count: int) -> list[Matrix]:
    """Find the `count` best motions, of different templates, best first."""
    height, width = templates.size
    spectrum = fft.rfft2(values * fade(values.shape)).astype(np.complex64)
    surfaces = fft.irfft2(spectrum * templates.spectra, s=(height, width), axes=(1, 2))
    flat = surfaces.reshape(len(surfaces), -1)
    peaks = flat.argmax(axis=1)
    heights = flat[np.arange(len(flat)), peaks]
    chosen = _apart(heights, count, len(heights) == round(360 / _ANGLE_STEP))
    found = []
    for index in chosen:
        row, column = divmod(int(peaks[index]), width)
        down = row - height if row > height // 2 else row
        across = column - width if column > width // 2 else column
        found.append(templates.motions[index] @ shift(-across, -down))
    return found


def refine(
    reference: Floats, values: Floats, start: Matrix, weights: Floats, *, turning: bool
) -> tuple[Matrix, float]:
    """Refine a motion near `start` so that the picture is most like the reference; returns it and its likeness.

    Enhanced correlation coefficient (G. Evangelidis and E. Psarakis, IEEE TPAMI 30(10), 2008), over shifts and, if
    `turning`, small turns; the scale stays. Where it does not converge, `start` stays.
    """
    known = weights * moved(np.ones_like(values), start)
    begun = moved(values, start)
    motion = cv2.MOTION_EUCLIDEAN if turning else cv2.MOTION_TRANSLATION
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    mask = (known > 0.99).astype(np.uint8)
    best = start, likeness(reference, begun, known)
    try:
        _, warp = cv2.findTransformECC(
            reference, begun, np.eye(2, 3, dtype=np.float32), motion, criteria, mask, 3
        )
    except cv2.error:
        return best
    refined = np.linalg.inv(np.vstack([warp, [0, 0, 1]])) @ start
    known = weights * moved(np.ones_like(values), refined)
    like = likeness(reference, moved(values, refined), known)
    return (refined, like) if like > best[1] else best


def _middle(values: Floats) -> tuple[float, float]:
    return (values.shape[1] - 1) / 2, (values.shape[0] - 1) / 2


def fade(size: tuple[int, ...]) -> Floats:
    """Make weights (height, width): 1 in the middle, smoothly down to 0 at the edges."""
    down, across = (
        np.clip(np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) / (_TAPER * n), 0, 1)
        for n in size
    )
    smooth = np.outer(np.sin(down * np.pi / 2) ** 2, np.sin(across * np.pi / 2) ** 2)
    return smooth.astype(np.float32)


def _apart(heights: NDArray[np.floating], count: int, around: bool, gap: int = 1) -> list[int]:
    """Choose the indices of the largest peaks, none within `gap` of a better one."""
    chosen: list[int] = []
    for index in np.argsort(-heights, kind="stable"):
        away = [abs(int(index) - other) for other in chosen]
        if around:
            away = [min(d, len(heights) - d) for d in away]
        if all(d > gap for d in away):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return chosen


def vertex(values: list[float]) -> float:
    """Find the top, from -1/2 to 1/2, of the parabola through three equally spaced values."""
    left, middle, right = values
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
