"""Pictures inside a report: thumbnails and heat overlays as data addresses."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.types import Sample, Unjudged

SIDE = 320


def thumbnail(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Shrink uint8 RGB (h, w, 3) to at most `side` pixels on the longer side; smaller pictures stay."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    width = max(1, round(pixels.shape[1] * scale))
    height = max(1, round(pixels.shape[0] * scale))
    return np.asarray(
        cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def heat_overlay(
    pixels: NDArray[np.uint8], heat: NDArray[np.float32], low: float, high: float
) -> NDArray[np.uint8]:
    """Lay a map (h, w) over a picture: nothing at `low` and below, full colour at `high`.

    Colours are OpenCV's Inferno, monotone in lightness; the picture below turns grey so that only heat has colour.
    """
    height, width = pixels.shape[:2]
    smooth = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    level = np.clip((smooth - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)
    colours = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    weight = 0.75 * level[..., None]
    blended: NDArray[np.uint8] = np.rint(grey * (1 - weight) + colours * weight).astype(np.uint8)
    return blended


def data_address(pixels: NDArray[np.uint8]) -> str:
    """A JPEG data: address of RGB pixels for an <img>."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def read_thumbnails(
    source: Source,
    samples: Sequence[Sample],
    *,
    side: int = SIDE,
    value_range: tuple[float, float] | None = None,
) -> dict[str, NDArray[np.uint8]]:
    """Thumbnails (uint8 RGB) of samples by name; those that cannot be read are missing."""
    read = map_pictures(
        source, samples, lambda p: thumbnail(p.pixels, side), target=side, value_range=value_range
    )
    return {s.name: small for s, small in read if not isinstance(small, Unjudged)}


def meaning(defective: bool | None) -> str:
    """The word that a report uses: "bad", "good" or "unknown"."""
    return {True: "bad", False: "good", None: "unknown"}[defective]
