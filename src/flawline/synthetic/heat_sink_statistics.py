"""Published statistics of heat sinks: numbers and sizes of their defects.

Source of every number: the statistics published with the Heat Sink Surface Defect Dataset (Kaifeng Yang; 1000 pictures
of 320 x 320 px, 7118 labelled objects): pictures by class, objects by picture, and height, width and area of each.
They are summarised here as counts and quantiles; places of objects are not published.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

SIDE = 320
SCRATCH, STAIN = 1, 2
CLASSES = ("background", "scratch", "stain")

# Pictures with scratches only, stains only, and both; there is none without any.
ONLY_SCRATCH, ONLY_STAIN, BOTH = 28, 300, 672
# Pictures with 1, 2, 3, ... objects of the class.
SCRATCH_COUNTS = (231, 160, 97, 58, 44, 40, 16, 17, 12, 10, 8, 5, 1, 1)
STAIN_COUNTS = (100, 131, 129, 140, 120, 83, 71, 57, 40, 29, 24, 12, 11, 9, 5, 4, 3, 2, 1, 0, 1)

_LENGTH_QUANTILES = (0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 100)
_QUANTILES = (0, 10, 25, 50, 75, 90, 97, 99, 100)


@dataclass(frozen=True, slots=True)
class ObjectSize:
    """Objects whose longer side is below `below` px.

    `slimness` holds quantiles of shorter over longer side, `fullness` those of the area: over the box for stains, over
    the diagonal of the box (so the width of a stroke, px) for scratches. `upright` is the share with the longer
    side vertical, `link` the correlation of slimness and fullness.
    """

    below: int
    slimness: tuple[float, ...]
    fullness: tuple[float, ...]
    upright: float
    link: float


_LENGTHS = {
    SCRATCH: (1, 16, 19, 25, 31, 41, 51, 63, 77, 94, 117, 153, 216, 272, 308, 316, 318, 319, 320),
    STAIN: (1, 9, 10, 11, 12, 14, 16, 18, 20, 23, 27, 33, 43, 57, 83, 110, 138, 170, 320),
}
_SIZES = {
    SCRATCH: (
        ObjectSize(
            30, (.21, .35, .5, .68, .88, .96, 1, 1, 1), (1, 3.7, 4, 4.4, 4.6, 4.9, 6.1, 9.1, 9.5), .57, -.11),
        ObjectSize(
            45, (.11, .22, .35, .53, .77, .92, .99, 1, 1), (3.2, 4, 4.3, 4.6, 4.8, 5, 6, 7.1, 8.7), .54, -.12),
        ObjectSize(
            70, (.09, .16, .27, .46, .74, .89, .98, 1, 1), (3.4, 4.1, 4.5, 4.8, 5, 5.1, 6.4, 7.1, 9.3), .57, .03),
        ObjectSize(
            110, (.07, .13, .22, .41, .65, .86, .94, .99, 1), (3.4, 4.2, 4.5, 4.9, 5.1, 5.5, 7.2, 9, 13.7), .53, .17),
        ObjectSize(
            180, (.03, .09, .18, .39, .64, .8, .95, .98, 1), (3.4, 4.2, 4.5, 4.8, 5.1, 6.5, 8.5, 10.2, 13.1), .43, .31),
        ObjectSize(
            321, (.04, .08, .15, .34, .59, .82, .91, .96, .99), (3.7, 4.1, 4.4, 4.9, 6.3, 9.6, 13.3, 16.5, 26.4),
            .26, .52),
    ),
    STAIN: (
        ObjectSize(
            12, (.4, .71, .8, .9, 1, 1, 1, 1, 1), (.3, .46, .52, .62, .68, .74, .82, .85, .98), .35, -.19),
        ObjectSize(
            16, (.36, .67, .75, .85, .92, 1, 1, 1, 1), (.37, .52, .57, .63, .68, .73, .79, .8, .89), .42, 0),
        ObjectSize(
            20, (.33, .59, .69, .81, .89, .94, 1, 1, 1), (.32, .51, .57, .63, .68, .73, .77, .81, .86), .46, -.05),
        ObjectSize(
            30, (.22, .52, .63, .76, .88, .95, 1, 1, 1), (.23, .48, .54, .6, .66, .72, .76, .8, .88), .46, -.03),
        ObjectSize(
            45, (.23, .45, .57, .71, .84, .93, .97, 1, 1), (.24, .42, .49, .57, .65, .71, .76, .79, .85), .49, -.09),
        ObjectSize(
            70, (.16, .37, .48, .62, .77, .87, .98, .98, 1), (.15, .38, .45, .54, .62, .66, .71, .76, .8), .45, -.24),
        ObjectSize(
            110, (.14, .28, .36, .51, .71, .82, .9, .94, .96), (.18, .35, .44, .52, .61, .67, .72, .81, .85),
            .37, -.34),
        ObjectSize(
            321, (.11, .15, .28, .41, .53, .69, .8, .83, .86), (.1, .34, .39, .47, .58, .66, .73, .74, .75),
            .26, -.35),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """A defect to draw: its class, the sides of its box in px, and its fullness (see `ObjectSize`)."""

    value: int
    height: int
    width: int
    fullness: float


def plan(rng: np.random.Generator, *, stain_growth: float = 1.0) -> tuple[Planned, ...]:
    """Draw the defects of one picture: stains, then scratches, each from large to small.

    `stain_growth` multiplies the sides of the stains.
    """
    kinds = rng.choice(3, p=np.array([ONLY_SCRATCH, ONLY_STAIN, BOTH]) / 1000)
    stains = 0 if kinds == 0 else _count(rng, STAIN_COUNTS)
    scratches = 0 if kinds == 1 else _count(rng, SCRATCH_COUNTS)
    defects = [_defect(rng, STAIN, stain_growth) for _ in range(stains)]
    defects += [_defect(rng, SCRATCH, 1.0) for _ in range(scratches)]
    return tuple(sorted(defects, key=lambda d: (-d.value, -d.height * d.width)))


def _count(rng: np.random.Generator, pictures: tuple[int, ...]) -> int:
    return 1 + int(rng.choice(len(pictures), p=np.array(pictures) / sum(pictures)))


def _defect(rng: np.random.Generator, value: int, growth: float) -> Planned:
    lengths: NDArray[np.float64] = np.log(np.array(_LENGTHS[value], np.float64))
    length = float(np.exp(np.interp(rng.uniform(0, 100), _LENGTH_QUANTILES, lengths)))
    size = next(size for size in _SIZES[value] if length < size.below)
    # A Gaussian copula: two normal numbers with that correlation, each taken as a quantile.
    first, other = rng.normal(size=2)
    second = size.link * first + np.sqrt(1 - size.link**2) * other
    slimness, fullness = (
        float(np.interp(100 * ndtr(normal), _QUANTILES, quantiles))
        for normal, quantiles in ((first, size.slimness), (second, size.fullness))
    )
    longer = min(SIDE, max(1, round(length * growth)))
    shorter = max(1, round(longer * slimness))
    upright = rng.random() < size.upright
    return Planned(value, *((longer, shorter) if upright else (shorter, longer)), fullness)
