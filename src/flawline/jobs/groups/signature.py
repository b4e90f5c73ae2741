"""Describe a picture for grouping in about 20 kB, whatever its size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.jobs.groups.near_search import grid_descriptor, turn_free_descriptor
from flawline.jobs.groups.similarity import is_flat, texture
from flawline.types import Picture

_STEPS = 40  # of local contrast 1; eight bits reach 3.2, which is rarely exceeded


@dataclass(frozen=True, slots=True)
class Signature:
    """Texture of a picture as int8 (h, w), its descriptors, and a digest of its pixels.

    `longer_side` is that of the file in pixels. A `flat` picture has no texture to compare.
    """

    steps: NDArray[np.int8]
    longer_side: int
    turn_free: NDArray[np.float32]
    grid: NDArray[np.float32]
    digest: bytes
    flat: bool

    @property
    def texture(self) -> NDArray[np.float32]:
        """Local contrast, float32 (h, w)."""
        return self.steps.astype(np.float32) / np.float32(_STEPS)


def signature(picture: Picture) -> Signature:
    """Describe one picture."""
    contrast = texture(np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8))
    shape = np.array(picture.pixels.shape, dtype=np.int64).tobytes()
    return Signature(
        steps=np.clip(np.rint(contrast * _STEPS), -127, 127).astype(np.int8),
        longer_side=max(picture.width, picture.height),
        turn_free=turn_free_descriptor(contrast),
        grid=grid_descriptor(contrast),
        digest=hashlib.blake2b(shape + picture.pixels.tobytes(), digest_size=16).digest(),
        flat=is_flat(contrast),
    )
