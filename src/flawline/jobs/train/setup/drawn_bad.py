"""Bad parts to choose a set-up by where too few are known: defects drawn into good pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
    """Draws one defect into any picture: the same into the same bytes, and what was drawn once is kept.

    `inside` gives the pixels of the part, bool (H, W), or None for all; `smallest` is the width, px, of the smallest
    defect that counts, None for a usual one.
    """

    inside: Callable[[NDArray[np.uint8]], NDArray[np.bool_] | None]
    smallest: float | None = None
    seed: int = 0
    _drawn: dict[str, _Change | None] = field(default_factory=dict)

    def __call__(self, picture: Picture) -> Picture | None:
        """Draw a defect of a random kind, size and contrast; None where none has room."""
        if picture.sha256 not in self._drawn:
            drawn = self._draw(picture)
            self._drawn[picture.sha256] = (
                None if drawn is None else _Change.between(picture.pixels, drawn)
            )
        change = self._drawn[picture.sha256]
        if change is None:
            return None
        return replace(picture, pixels=change.applied(picture.pixels))

    def _draw(self, picture: Picture) -> NDArray[np.uint8] | None:
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
            return drawn
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """The changed part of a picture, from a row and a column on."""

    top: int
    left: int
    pixels: NDArray[np.uint8]

    @classmethod
    def between(cls, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> _Change:
        """Cut out what differs."""
        rows, columns = (
            np.flatnonzero((before != after).any(axis=axes)) for axes in ((1, 2), (0, 2))
        )
        if not len(rows):
            return cls(0, 0, after[:0, :0])
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return cls(int(rows[0]), int(columns[0]), after[box].copy())

    def applied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Change a copy."""
        changed = pixels.copy()
        height, width = self.pixels.shape[:2]
        changed[self.top : self.top + height, self.left : self.left + width] = self.pixels
        return changed
