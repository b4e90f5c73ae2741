"""Drawn parts with scratches and stains, as a source of pictures with masks; skips what needs the extra [train]."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from flawline.jobs.train.segment.extra import PACKAGES
from flawline.types import Picture, Sample

MISSING = [name for name in PACKAGES if find_spec(name) is None]


class DrawnSource:
    """Grey plates of 80 x 72 pixels; one in four is good."""

    classes = ("background", "scratch", "stain")

    def __init__(self, count=12, size=(72, 80), seed=0):
        self.size = size
        self.seed = seed
        self.reads = 0
        self._samples = [Sample(f"{n}.png", group=str(n)) for n in range(count)]

    def samples(self):
        return self._samples

    def pair(self, sample):
        self.reads += 1
        number = int(sample.name.partition(".")[0])
        rng = np.random.default_rng([self.seed, number])
        height, width = self.size
        pixels = rng.normal(130, 4, (height, width)).astype(np.float32)
        mask = np.zeros((height, width), np.uint8)
        if number % 4 != 3:
            start, end = rng.integers(5, min(self.size) - 5, (2, 2)).tolist()
            cv2.line(mask, start, end, (1,), 2)
        if number % 4 in (1, 2):
            centre = rng.integers(12, min(self.size) - 12, 2).tolist()
            cv2.circle(mask, centre, int(rng.integers(4, 9)), (2,), -1)
        pixels[mask == 1] += 70
        pixels[mask == 2] -= 60
        grey = np.clip(pixels, 0, 255).astype(np.uint8)
        return picture_of(np.repeat(grey[..., None], 3, axis=2)), mask


def picture_of(pixels):
    height, width = pixels.shape[:2]
    return Picture(pixels, width, height, "L", "PNG", 1, 0, "0" * 64)


@pytest.fixture
def drawn_source():
    return DrawnSource


@pytest.fixture(autouse=True)
def skip_without_the_extra(request):
    if MISSING and request.node.get_closest_marker("train"):
        pytest.skip(
            f"the extra [train] is not installed ({', '.join(MISSING)}); `make test-train` runs this"
        )
