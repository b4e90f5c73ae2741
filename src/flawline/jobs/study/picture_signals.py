"""Measure of a picture what tells of the camera, the light and the part: brightness, sharpness, noise, colour, "
"framing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.types import Picture, Track, Unjudged

_SIDE = 12
_TARGET = 512


@dataclass(frozen=True, slots=True, eq=False)
class PictureSignals:
    """Numbers of one picture, and its `look`: a small grey picture without mean and contrast, (144,)."""

    values: dict[str, float]
    look: NDArray[np.float64]


def picture_signals(
    source: Source, track: Track
) -> tuple[dict[str, PictureSignals], tuple[Unjudged, ...]]:
    """Measure all pictures of a source by name; returns those that cannot be read too."""
    samples = list(source.samples())
    results = map_pictures(source, samples, measured, target=_TARGET)
    found: dict[str, PictureSignals] = {}
    failed: list[Unjudged] = []
    for sample, result in track(results, title="Pictures", total=len(samples)):
        if isinstance(result, Unjudged):
            failed.append(result)
        else:
            found[sample.name] = result
    return found, tuple(failed)


def measured(picture: Picture) -> PictureSignals:
    """Measure one picture.

    `brightness` is the mean grey level, 0 to 255. `sharpness` is the mean absolute Laplacian of the smoothed picture
    by the mean grey level.
    `noise` is the standard deviation of J. Immerkær, "Fast noise variance estimation", Computer Vision and Image
    Understanding 64, 1996, on the quarter of the picture with the least edges. `warmth` is the logarithm of red over
    blue.
    `framing` is the diagonal
    of the file's picture in px, `shift x` and `shift y` the centre of the edges as shares of the sides.
    """
    pixels = picture.pixels
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    level = float(grey.mean())
    # Noise has edges of its own: smoothed, it has next to none.
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.2)
    edges = np.abs(cv2.Laplacian(smooth, cv2.CV_32F))
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rough = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))[1:-1, 1:-1]
    blocks = (
        cv2.resize(rough, (16, 16), interpolation=cv2.INTER_AREA)
        if min(rough.shape) > 16
        else rough
    )
    noise = (
        float(np.sort(blocks.ravel())[: max(1, blocks.size // 4)].mean()) * np.sqrt(np.pi / 2) / 6
    )
    red, blue = (float(pixels[..., channel].mean()) for channel in (0, 2))
    weight = float(edges.sum()) or 1.0
    height, width = grey.shape
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    look = (small - small.mean()).ravel()
    return PictureSignals(
        {
            "brightness": level,
            "sharpness": float(edges.mean()) / max(level, 1.0),
            "noise": noise,
            "warmth": float(np.log((red + 1) / (blue + 1))),
            "framing": float(np.hypot(picture.width, picture.height)),
            "shift x": float((edges.sum(axis=0) * (np.arange(width) + 0.5)).sum() / weight / width),
            "shift y": float(
                (edges.sum(axis=1) * (np.arange(height) + 0.5)).sum() / weight / height
            ),
        },
        look / max(float(np.linalg.norm(look)), 1e-9),
    )
