"""Drawn masks, some of them wrong, and the probabilities of a segmenter that sees the truth."""

from __future__ import annotations

import cv2
import numpy as np

from flawline.errors import ImageError
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.types import Picture, Sample

CLASSES = ("background", "scratch", "stain")
SIDE = 80


def mask_of(*discs, side=SIDE):
    """Discs (class, x, y, radius) on background."""
    mask = np.zeros((side, side), np.uint8)
    for value, x, y, radius in discs:
        cv2.circle(mask, (x, y), radius, (value,), -1)
    return mask


def shares_of(truth, sure=0.98):
    """Probabilities of a model that sees `truth`."""
    shares = np.full((3, *truth.shape), (1 - sure) / 2, np.float32)
    np.put_along_axis(shares, truth[None].astype(np.int64), np.float32(sure), 0)
    return shares


class Masks:
    """Twelve pictures: one disc each, in turn a scratch and a stain, and wrong masks of four of them."""

    classes = CLASSES

    def __init__(self, groups=True, broken=()):
        self._samples = [Sample(f"{n}.png", group=str(n) if groups else None) for n in range(12)]
        self._broken = broken

    def samples(self):
        return self._samples

    def truth(self, number):
        return mask_of((1 + number % 2, 30 + number, 40, 10))

    def pair(self, sample):
        number = int(sample.name.partition(".")[0])
        if number in self._broken:
            raise ImageError("expected a picture, got none", code="image-empty")
        mask = self.truth(number)
        if number == 2:
            mask[:] = 0
        if number == 5:
            mask = mask_of((2, 12, 12, 9)) + mask
        if number == 7:
            mask[mask > 0] = 1
        if number == 9:
            mask = np.roll(mask, 5, axis=1)
        pixels = np.full((SIDE, SIDE, 3), 90, np.uint8)
        pixels[self.truth(number) > 0] = 170
        return Picture(pixels, SIDE, SIDE, "L", "PNG", 1, 0, f"{number:064d}"), mask


def settings(**given):
    return AuditSettings(training=SegmentSettings(epochs=1), **given)
