"""Pictures inside a report, as data addresses."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import SIDE, thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.types import Sample, Unjudged


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
