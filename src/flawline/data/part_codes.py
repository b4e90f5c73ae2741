"""Read DataMatrix, QR and 1-D codes in pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from flawline.errors import DependencyError
from flawline.types import Picture


@dataclass(frozen=True, slots=True)
class PartCode:
    """A code in a picture: its text, its kind such as "DataMatrix", and the centre (x, y) in px of the picture."""

    text: str
    kind: str
    at: tuple[float, float]


def codes_of(picture: Picture) -> tuple[PartCode, ...]:
    """Read all codes of a picture, from left to right and top to bottom.

    Raises:
        DependencyError: zxing-cpp is not installed.
    """
    reader = _reader()
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    factor = picture.width / grey.shape[1]
    found = []
    for one in reader.read_barcodes(np.ascontiguousarray(grey)):
        corners = one.position
        ends = (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)
        x, y = (factor * sum(getattr(end, axis) for end in ends) / 4 for axis in ("x", "y"))
        kind = str(one.format).removeprefix("BarcodeFormat.")
        text = one.text.strip()
        if text:
            found.append(PartCode(text, kind, (float(x), float(y))))
    return tuple(sorted(found, key=lambda code: (code.at[1], code.at[0], code.text)))


def _reader() -> Any:
    try:
        import zxingcpp
    except ImportError:
        raise DependencyError(
            "reading codes needs zxing-cpp", hint="install it with `pip install 'flawline[codes]'`"
        ) from None
    return zxingcpp


def check_reader() -> None:
    """Raise DependencyError where zxing-cpp is not installed."""
    _reader()
