"""Embed pictures in a report as data addresses."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray


def data_address(pixels: NDArray[np.uint8]) -> str:
    """Encode RGB pixels as a JPEG data: address for an <img>."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def meaning(defective: bool | None) -> str:
    """Return the word for a label's meaning: "bad", "good" or "unknown"."""
    return {True: "bad", False: "good", None: "unknown"}[defective]
