"""Bad parts to choose a set-up by where too few are known: defects drawn into good pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.drawn_defects import KINDS, draw_defect, is_grey
from flawline.types import Picture

SIZES = (0.012, 0.05)
"""Smallest and largest width of a drawn defect, as a share of the side of a square as large as the picture."""
CONTRASTS = (0.15, 0.5)
"""Weakest and strongest contrast, as a share of the range of grey levels."""
_TRIES = 8


@dataclass(frozen=True, slots=True)
class DefectDrawing:
    """Draws one defect into any picture: the same into the same bytes.

    `inside` gives the pixels of the part, bool (H, W), or None for all; `smallest` is the width, px, of the smallest
    defect that counts, None for a usual one.
    """

    inside: Callable[[NDArray[np.uint8]], NDArray[np.bool_] | None]
    smallest: float | None = None
    seed: int = 0

    def __call__(self, picture: Picture) -> Picture | None:
        """Draw a defect of a random kind, size and contrast; None where none has room."""
        rng = np.random.default_rng([self.seed, int(picture.sha256[:16] or "0", 16)])
        pixels = picture.pixels
        inside = self.inside(pixels)
        side = math.sqrt(pixels.shape[0] * pixels.shape[1])
        low, high = (share * side for share in SIZES)
        if self.smallest is not None:
            low, high = self.smallest, 3 * self.smallest
        kinds = [kind for kind in KINDS.values() if not (kind.coloured and is_grey(pixels))]
        for _ in range(_TRIES):
            kind = kinds[rng.integers(len(kinds))]
            width = max(kind.smallest, math.exp(rng.uniform(math.log(low), math.log(high))))
            contrast = rng.uniform(*CONTRASTS) * (rng.choice([-1, 1]) if kind.signed else 1)
            try:
                drawn, _ = draw_defect(pixels, inside, kind.name, width, float(contrast), rng)
            except ValueError:
                continue  # No place has room for this one.
            return replace(picture, pixels=drawn)
        return None
