"""Draw the items of an assembled plate: each into a float32 canvas (side, side, 3), RGB, levels of 0 to 255."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.surface import grain

Pixels = NDArray[np.uint8]
Canvas = NDArray[np.float32]
Colour = tuple[float, float, float]

_SHIFT = 4  # places of drawing are in sixteenths of a pixel
_STEEL: Colour = (168, 170, 174)
_DARK: Colour = (48, 50, 54)
# Half of the width and height of items, shares of the plate's side.
_HALVES: Mapping[str, tuple[float, float]] = {
    "screw": (0.045, 0.045),
    "washer": (0.036, 0.036),
    "label-blue": (0.105, 0.055),
    "label-orange": (0.105, 0.055),
    "connector": (0.085, 0.06),
}


@dataclass(frozen=True, slots=True)
class Item:
    """An item at (`x`, `y`), shares of the plate's side, turned by `degrees`; `turn_any` where every turn is right."""

    kind: str
    x: float
    y: float
    degrees: float = 0.0
    turn_any: bool = False

    def corners(self, side: int, across: float = 1.0, down: float = 1.0) -> NDArray[np.float64]:
        """Give the corners (4, 2) of its box, or of shares of it, px."""
        wide, high = _HALVES[self.kind]
        box = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        return self.places([(x * across, y * down) for x, y in box], side, wide, high)

    def places(
        self, points: Any, side: int, wide: float | None = None, high: float | None = None
    ) -> NDArray[np.float64]:
        """Turn and move points (n, 2), shares of half its width and height, to px."""
        own = _HALVES[self.kind]
        scaled = np.asarray(points, float) * (wide or own[0], high or own[1])
        cos, sin = (f(math.radians(self.degrees)) for f in (math.cos, math.sin))
        turned = scaled @ np.array([[cos, sin], [-sin, cos]])
        return np.asarray((turned + np.array((self.x, self.y))) * side, np.float64)

    def cover(self, mask: Pixels, side: int) -> None:
        """Draw its place into a mask, 1 there."""
        if self.kind in ("screw", "washer"):
            _disc(mask, self, side, _HALVES[self.kind][0], 1)
        else:
            _fill(mask, self.corners(side), 1)


def draw_plate(rng: np.random.Generator, side: int) -> Canvas:
    """Draw the plate: painted green-grey, with grain along it and a darker rim."""
    shape = (side, side)
    brushed = cv2.blur(grain(rng, shape, 0.8), (15, 1)) * 9 + 2.5 * grain(rng, shape, 0.2 * side)
    plate = np.empty((*shape, 3), np.float32)
    plate[:] = np.array((92, 112, 104), np.float32)
    plate += np.asarray(brushed, np.float32)[..., None]
    rim = round(0.035 * side)
    edge = np.ones(shape, np.float32)
    edge[rim:-rim, rim:-rim] = 0
    return np.asarray(plate - 45 * cv2.GaussianBlur(edge, (0, 0), 2)[..., None], np.float32)


def _screw(canvas: Canvas, item: Item, side: int) -> None:
    """Draw a cross-head screw with its shadow."""
    radius = _HALVES["screw"][0]
    _disc(canvas, item, side, 1.12 * radius, (52, 60, 58))
    _disc(canvas, item, side, radius, _STEEL)
    _disc(canvas, item, side, 0.82 * radius, (186, 188, 192))
    for along, across in ((0.62, 0.13), (0.13, 0.62)):
        _fill(canvas, item.corners(side, along, across), _DARK)


def _washer(canvas: Canvas, item: Item, side: int) -> None:
    radius = _HALVES["washer"][0]
    _disc(canvas, item, side, radius, (58, 66, 63))
    _disc(canvas, item, side, 0.93 * radius, (202, 190, 150))
    _disc(canvas, item, side, 0.48 * radius, (40, 44, 44))


def _label(canvas: Canvas, item: Item, side: int, colour: Colour, bars: str) -> None:
    """Draw a label with a bar code: wide bars for 1."""
    _fill(canvas, item.corners(side), (232, 232, 226))
    left = item.places([(-0.94, -0.86), (-0.55, -0.86), (-0.55, 0.86), (-0.94, 0.86)], side)
    _fill(canvas, left, colour)
    at = -0.42
    for bar in bars:
        wide = 0.09 if bar == "1" else 0.035
        corners = [(at, -0.6), (at + wide, -0.6), (at + wide, 0.6), (at, 0.6)]
        _fill(canvas, item.places(corners, side), _DARK)
        at += wide + 0.075


def _connector(canvas: Canvas, item: Item, side: int) -> None:
    """Draw a socket with two rows of pins, a notch on one side and a dot at pin 1."""
    _fill(canvas, item.corners(side, 1.06, 1.08), (50, 58, 56))
    _fill(canvas, item.corners(side), (214, 206, 184))
    _fill(canvas, item.corners(side, 0.84, 0.72), (70, 66, 60))
    _fill(
        canvas, item.places([(-0.2, 0.6), (0.2, 0.6), (0.2, 1.0), (-0.2, 1.0)], side), (70, 66, 60)
    )
    for x in np.linspace(-0.66, 0.66, 6):
        for y in (-0.32, 0.32):
            pin = [
                (x - 0.06, y - 0.12),
                (x + 0.06, y - 0.12),
                (x + 0.06, y + 0.12),
                (x - 0.06, y + 0.12),
            ]
            _fill(canvas, item.places(pin, side), (226, 196, 96))
    dot = item.places([(-0.92, -0.88)], side)[0]
    _circle(canvas, dot, 0.008 * side, (196, 52, 44))


def _disc(canvas: Any, item: Item, side: int, radius: float, colour: Any) -> None:
    _circle(canvas, np.array((item.x, item.y)) * side, radius * side, colour)


def _circle(canvas: Any, centre: NDArray[np.float64], radius: float, colour: Any) -> None:
    place = np.rint(centre * 2**_SHIFT).astype(int).tolist()
    cv2.circle(canvas, place, round(radius * 2**_SHIFT), colour, -1, shift=_SHIFT)


def _fill(canvas: Any, corners: NDArray[np.float64], colour: Any) -> None:
    points = np.rint(corners * 2**_SHIFT).astype(np.int32)
    cv2.fillConvexPoly(canvas, points, colour, shift=_SHIFT)


DRAWN: Mapping[str, Callable[[Canvas, Item, int], None]] = {
    "screw": _screw,
    "washer": _washer,
    "label-blue": lambda canvas, item, side: _label(canvas, item, side, (52, 92, 190), "1011001"),
    "label-orange": lambda canvas, item, side: _label(
        canvas, item, side, (222, 126, 40), "0110110"
    ),
    "connector": _connector,
}
"""How each kind of item is drawn."""
