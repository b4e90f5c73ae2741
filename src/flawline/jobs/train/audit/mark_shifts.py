"""Find marks of a mask that would meet the prediction better some pixels away.

A mark is moved over the probability of its class. Its soft IoU with that probability is highest where both lie on each
other: unlike the mean probability under the mark it does not rise inside a larger blob, and unlike single pixels it
takes the whole mark together, so that it also tells where no pixel is sure. Whether the mark belongs there is then
asked of the picture, too: by how much more a mark differs from what is around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Chosen on drawn heat sinks of another seed than any that the documentation names, marks of them moved by 2.5 to 6 px.
# A shorter move is within what two people differ by. A gain counts from _GAIN on, and from _TIMES times what three
# quarters of the marks of its class stay below.
_MOVE, _GAIN, _TIMES = 2.0, 0.25, 4.0
# Outer radius of the ring around a mark, px, and a contrast that counts as none, in standard deviations.
_RING, _FLAT = 3, 0.05

Box = tuple[int, int, int, int]
Places = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class MarkFit:
    """A connected mark of class `value`, bool (h, w) in a box (left, top, w, h), and the move that meets it best.

    Moved by `x` px to the right and `y` px down its soft IoU with the prediction, and the part of the contrast of the
    picture that it has, are higher by `gain` together; 0 where they are not.
    """

    value: int
    box: Box
    pixels: Places
    x: int
    y: int
    gain: float

    @property
    def moved(self) -> bool:
        """Whether the move is longer than outlines differ, and the gain large enough to count in any set."""
        return bool(np.hypot(self.x, self.y) >= _MOVE and self.gain >= _GAIN)


def mark_fits(
    mask: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    pixels: NDArray[np.uint8],
    reach: int,
) -> Iterator[MarkFit]:
    """Move every mark of a mask (H, W) up to `reach` px over the probabilities (C, H, W) of its class.

    Pixels of other marks and unknown ones count as not seen, so that no mark is moved onto another. `pixels` are the
    picture, RGB (H, W, 3).
    """
    if not reach:
        return
    colours = _padded(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), reach + _RING)
    for value in range(1, len(probabilities)):
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(
            (mask == value).view(np.uint8), connectivity=8
        )
        free = np.where(mask == 0, probabilities[value], np.float32(0))
        padded = np.pad(free, reach), np.pad(probabilities[value], reach)
        for number in range(1, count):
            left, top, width, height = box = _box(boxes[number])
            mark = labels[top : top + height, left : left + width] == number
            rows = slice(top, top + height + 2 * reach)
            columns = slice(left, left + width + 2 * reach)
            around = np.where(
                np.pad(mark, reach), padded[1][rows, columns], padded[0][rows, columns]
            )
            x, y, better = _best_move(mark, around, reach)
            more = 2 * (reach + _RING)
            part = colours[top : top + height + more, left : left + width + more]
            gain = better + _contrast_gain(mark, part, reach, (x, y)) if x or y else 0.0
            yield MarkFit(value, box, mark, x, y, max(0.0, gain))


def gain_limits(classes: int, fits: Sequence[tuple[int, float]]) -> NDArray[np.float64]:
    """Return the gain (C,) from which a mark of a class counts as shifted, given classes and gains of all marks.

    Every mark gains a little somewhere, the more the vaguer the predictions of its class are. Most marks are right, so
    that the upper quartile of the gains tells what right ones gain.
    """
    limits = np.full(classes, _GAIN)
    values = np.array([value for value, _ in fits], np.int64)
    gains = np.array([gain for _, gain in fits])
    for value in np.unique(values).tolist():
        limits[value] = max(_GAIN, _TIMES * float(np.quantile(gains[values == value], 0.75)))
    return limits


def sides(fit: MarkFit, mask: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Return the pixels (H, W) of a mark that it leaves by its move, and those of background that it takes."""
    height, width = mask.shape
    here, there = np.zeros(mask.shape, np.bool_), np.zeros(mask.shape, np.bool_)
    rows, columns = np.nonzero(fit.pixels)
    rows, columns = rows + fit.box[1], columns + fit.box[0]
    here[rows, columns] = True
    rows, columns = rows + fit.y, columns + fit.x
    on = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    there[rows[on], columns[on]] = True
    return here & ~there, there & ~here & (mask == 0)


def shift_words(x: int, y: int) -> str:
    """Say where a mask lies that is `x` px too far right and `y` px too far down."""
    across = ("to the left" if x < 0 else "to the right") if abs(x) > 0.4 * abs(y) else ""
    along = ("above" if y < 0 else "below") if abs(y) > 0.4 * abs(x) else ""
    where = " and ".join(word for word in (along, across) if word)
    return f"the mask lies about {np.hypot(x, y):.0f} px {where} of what is seen"


def _best_move(pixels: Places, around: NDArray[np.float32], reach: int) -> tuple[int, int, float]:
    """Move a mark (h, w) over its surroundings (h + 2 reach, w + 2 reach); the shortest of equal moves counts."""
    sums = cv2.matchTemplate(around, pixels.astype(np.float32), cv2.TM_CCORR).astype(np.float64)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    length = np.hypot(right, down)
    seen = float(around[_near(np.pad(pixels, reach), reach)].sum(dtype=np.float64))
    iou = sums / np.maximum(pixels.sum() + seen - sums, 1e-9)
    # Rounding of the correlation must not move a mark that fits.
    best = np.where(length <= reach, iou - 1e-6 * length, -1.0)
    row, column = np.unravel_index(int(best.argmax()), best.shape)
    gain = max(0.0, float(iou[row, column] - iou[reach, reach]))
    return int(column) - reach, int(row) - reach, gain


def _contrast_gain(
    mark: Places, colours: NDArray[np.float32], reach: int, move: tuple[int, int]
) -> float:
    """Return by how much more a mark stands out after a move (x, y), as a part of the most within reach.

    A mark stands out by the distance of its mean colour from that of a ring around it, in standard deviations.
    """
    inside = np.pad(mark, _RING)
    ring = _near(inside, _RING) & ~_near(inside, 1)
    contrast = np.zeros((2 * reach + 1, 2 * reach + 1))
    for channel in range(colours.shape[2]):
        plane = np.ascontiguousarray(colours[..., channel])
        difference = _means(plane, inside) - _means(plane, ring)
        contrast += (difference / (plane.std() + 1e-3)) ** 2
    contrast = np.sqrt(contrast)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    most = float(contrast[np.hypot(right, down) <= reach].max())
    here, there = contrast[reach, reach], contrast[reach + move[1], reach + move[0]]
    return float(there - here) / (most + _FLAT)


def _means(plane: NDArray[np.float32], places: Places) -> NDArray[np.float64]:
    """Average a plane over places (h, w), moved over all of it."""
    sums = cv2.matchTemplate(plane, places.astype(np.float32), cv2.TM_CCORR)
    return np.asarray(sums / places.sum(), np.float64)


def _padded(colours: NDArray[Any], by: int) -> NDArray[np.float32]:
    return np.pad(colours.astype(np.float32), ((by, by), (by, by), (0, 0)), mode="edge")


def _near(places: Places, reach: int) -> Places:
    away = cv2.distanceTransform((~places).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= reach)


def _box(stats: NDArray[Any]) -> Box:
    left, top, width, height = (int(value) for value in stats[:4])
    return left, top, width, height
