"""Draw pictures of heat sinks with scratches and stains, by the published statistics of a real set."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.heat_sink_labels import DrawnDefect
from flawline.synthetic.heat_sink_shapes import Drawn, draw_shape
from flawline.synthetic.heat_sink_statistics import SIDE, plan
from flawline.synthetic.heat_sink_surface import PartSurface, draw_part_surface, paint

_TRIES = 30


@dataclass(frozen=True, slots=True, eq=False)
class HeatSink:
    """One drawn picture: `pixels` uint8 (320, 320, 3), RGB, its `mask` uint8 (320, 320) and its defects.

    The mask is 0 on background, 1 on scratches, 2 on stains.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    defects: tuple[DrawnDefect, ...]


def draw_heat_sink(
    rng: np.random.Generator, *, surface: PartSurface | None = None, stain_growth: float = 1.0
) -> HeatSink:
    """Draw one picture with random defects.

    `surface` is shared by the pictures of one part (drawn anew where None); `stain_growth` multiplies the sides of the
    stains.
    """
    plan_rng, place_rng, paint_rng, surface_rng = (
        np.random.default_rng(int(seed)) for seed in rng.integers(2**63, size=4)
    )
    surface = surface or draw_part_surface(surface_rng, 1.0)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    placed: list[tuple[Drawn, tuple[int, int]]] = []
    for planned in plan(plan_rng, stain_growth=stain_growth):
        drawn = draw_shape(place_rng, planned)
        top, left = _free_place(place_rng, drawn, mask)
        height, width = drawn.mask.shape
        mask[top : top + height, left : left + width][drawn.mask] = planned.value
        placed.append((drawn, (top, left)))
    defects = tuple(
        DrawnDefect(drawn.planned.value, left, top, drawn.mask) for drawn, (top, left) in placed
    )
    return HeatSink(paint(paint_rng, surface, placed), mask, defects)


def _free_place(rng: np.random.Generator, drawn: Drawn, mask: NDArray[np.uint8]) -> tuple[int, int]:
    """Find a place for the box with the least overlap with the defects drawn before; mostly there is none."""
    height, width = drawn.mask.shape
    taken = cv2.dilate((mask > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    best, least = (0, 0), np.inf
    for _ in range(_TRIES):
        top, left = _place(rng, SIDE - height), _place(rng, SIDE - width)
        overlap = int(taken[top : top + height, left : left + width][drawn.mask].sum())
        if overlap < least:
            best, least = (top, left), overlap
        if not overlap:
            break
    return best


def _place(rng: np.random.Generator, room: int) -> int:
    """Draw a place, more often at the edges, where dirt gathers."""
    share = rng.random()
    if rng.random() < 0.12:
        share = round(share)
    return round(share * room)
