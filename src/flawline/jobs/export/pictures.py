"""Draw pictures for a comparison without a source: parts with and without defects, with noise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np

from flawline.synthetic.castings import DEFECTS, SIZES, draw_casting
from flawline.types import Picture

COUNT = 16
_LARGEST_DRAWN = 512
_NOISE = 6.0


def drawn_pictures(size: tuple[int, int]) -> Iterator[tuple[str, Picture]]:
    """Draw `COUNT` pictures of `size` (height, width) with names, every other one with a defect; always the same."""
    side = int(np.clip(max(size), SIZES[0], _LARGEST_DRAWN))
    for index in range(COUNT):
        rng = np.random.default_rng([2, index])
        defect = DEFECTS[index // 2 % len(DEFECTS)] if index % 2 else None
        drawn = draw_casting(rng, size=side, defect=defect).pixels
        sized = np.asarray(cv2.resize(drawn, size[::-1], interpolation=cv2.INTER_LINEAR))
        noisy = sized + rng.normal(0, _NOISE, sized.shape)
        pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        name = f"drawn {index + 1}"
        yield (
            name,
            Picture(pixels, size[1], size[0], "RGB", "drawn", 3, pixels.nbytes, digest),
        )
