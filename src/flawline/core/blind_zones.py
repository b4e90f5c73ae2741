"""Find the places of a part where a recipe finds less than elsewhere.

Defects drawn at random places are compared with the rate at which others of their kind, contrast and size were found.
Found and expected ones are smoothed over the frame by the same Gaussian; their quotient is the relative detection at a
place. It is low where the difference, in standard deviations, is below what 19 of 20 shuffles of the results among the
defects of the same kind, contrast and size show at their lowest place: a permutation test of the largest statistic,
which holds for all places together (T. E. Nichols and A. P. Holmes, "Nonparametric permutation tests for functional
neuroimaging", Human Brain Mapping 15, 2002, pp. 1-25).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LONGER = 32
"""Places along the longer side of the map."""
WIDTH = 0.055
"""Standard deviation of the smoothing, as a share of the longer side."""
_SHUFFLES = 200
_CONFIDENCE = 0.95
_MOST = 0.8
_FEWEST = 4.0


@dataclass(frozen=True, slots=True)
class BlindZone:
    """A connected place where less is found: `box` (left, top, width, height) in shares of the frame, 0 to 1.

    `found` of `of` defects drawn there or next to it were found, where `expected` were expected by their kind, contrast
    and size. `look` says what the place looks like: "dark", "light", "textured" or "".
    """

    box: tuple[float, float, float, float]
    found: int
    of: int
    expected: float
    look: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BlindMap:
    """Relative detection by place: `relative` float64 (h, w), 1 as usual, NaN where too few defects were drawn.

    `low` is bool (h, w), where it is significantly low; `zones` are its pieces, the largest lack first.
    """

    relative: Floats
    low: NDArray[np.bool_]
    zones: tuple[BlindZone, ...]


def find_blind_zones(
    places: Floats,
    found: NDArray[np.bool_],
    expected: Floats,
    strata: Sequence[object],
    aspect: float,
    rng: np.random.Generator,
    mean: NDArray[np.uint8] | None = None,
) -> BlindMap:
    """Compute the relative detection by place and where it is low.

    Args:
        places: (N, 2) rows and columns of the defects in shares of the frame, 0 to 1.
        found: (N,) whether each was found.
        expected: (N,) how often its like is found, 0 to 1 exclusive.
        strata: (N,) what is alike: results are shuffled within.
        aspect: height over width of the frame.
        rng: of the shuffles.
        mean: the usual look of the part, uint8 (h, w, 3), to say how a zone looks.
    """
    size = _size(aspect)
    weights = _weights(places, size)
    wanted = weights @ expected
    spread = np.sqrt(np.square(weights) @ (expected * (1 - expected)))
    enough = np.square(weights.sum(1)) >= _FEWEST * np.maximum(np.square(weights).sum(1), 1e-12)
    enough &= wanted > 1e-6

    def statistic(results: Floats) -> Floats:
        z = (weights @ (results - expected)) / np.maximum(spread, 1e-12)
        return np.where(enough, z, 0.0)

    relative = np.where(enough, (weights @ found) / np.maximum(wanted, 1e-12), np.nan)
    limit = _lowest(statistic, found.astype(np.float64), strata, rng)
    low = enough & (statistic(found.astype(np.float64)) < limit)
    low &= np.nan_to_num(relative, nan=1.0) < _MOST
    low = low.reshape(size)
    zones = _zones(low, places, found, expected, mean)
    return BlindMap(relative.reshape(size), low, zones)


def _size(aspect: float) -> tuple[int, int]:
    if aspect >= 1:
        return LONGER, max(4, round(LONGER / aspect))
    return max(4, round(LONGER * aspect)), LONGER


def _weights(places: Floats, size: tuple[int, int]) -> Floats:
    """Compute the Gaussian weight of each defect (N) at each place of the map: (h * w, N)."""
    rows = (np.arange(size[0]) + 0.5) / size[0]
    columns = (np.arange(size[1]) + 0.5) / size[1]
    scale = np.array(size) / max(size)
    down = (rows[:, None] - places[None, :, 0]) * scale[0] / WIDTH
    across = (columns[:, None] - places[None, :, 1]) * scale[1] / WIDTH
    squared = np.square(down)[:, None] + np.square(across)[None]
    return np.asarray(np.exp(-squared / 2).reshape(size[0] * size[1], len(places)))


def _lowest(
    statistic: Callable[[Floats], Floats],
    found: Floats,
    strata: Sequence[object],
    rng: np.random.Generator,
) -> float:
    """Find the statistic that the lowest place of shuffled results falls below in one of twenty shuffles."""
    groups: dict[object, list[int]] = {}
    for place, name in enumerate(strata):
        groups.setdefault(name, []).append(place)
    shuffled, lowest = found.copy(), []
    for _ in range(_SHUFFLES):
        for own in groups.values():
            shuffled[own] = rng.permutation(found[own])
        lowest.append(float(statistic(shuffled).min()))
    return float(np.quantile(lowest, 1 - _CONFIDENCE))


def _zones(
    low: NDArray[np.bool_],
    places: Floats,
    found: NDArray[np.bool_],
    expected: Floats,
    mean: NDArray[np.uint8] | None,
) -> tuple[BlindZone, ...]:
    count, marked = cv2.connectedComponents(low.astype(np.uint8), connectivity=8)
    labels = np.asarray(marked, np.int32)
    size = np.array(low.shape)
    cells = np.minimum((places * size).astype(int), size - 1)
    # What was drawn within the reach of the smoothing decided.
    reach = np.ones((2 * round(WIDTH * LONGER) + 1,) * 2, np.uint8)
    looks = _looks(labels, mean)
    zones = []
    for number in range(1, count):
        rows, columns = np.nonzero(labels == number)
        top, left = rows.min() / size[0], columns.min() / size[1]
        bottom, right = (rows.max() + 1) / size[0], (columns.max() + 1) / size[1]
        near = cv2.dilate((labels == number).astype(np.uint8), reach) > 0
        there = near[cells[:, 0], cells[:, 1]]
        if there.sum() >= _FEWEST:
            box = float(left), float(top), float(right - left), float(bottom - top)
            counts = int(found[there].sum()), int(there.sum()), float(expected[there].sum())
            zones.append(BlindZone(box, *counts, looks[number]))
    return tuple(sorted(zones, key=lambda zone: (zone.found - zone.expected, zone.box)))


def _looks(labels: NDArray[np.int32], mean: NDArray[np.uint8] | None) -> dict[int, str]:
    """Say whether zones are among the darkest, lightest or most textured quarter of the frame."""
    numbers = range(1, int(labels.max()) + 1)
    if mean is None:
        return dict.fromkeys(numbers, "")
    grey = cv2.cvtColor(mean, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    across = labels.shape[1], labels.shape[0]
    level = cv2.resize(grey, across, interpolation=cv2.INTER_AREA)
    rough = cv2.resize(edges, across, interpolation=cv2.INTER_AREA)
    dark, light = np.quantile(level, (0.25, 0.75))
    coarse = np.quantile(rough, 0.75)

    def look(number: int) -> str:
        own = labels == number
        middle = float(np.median(level[own]))
        if middle <= dark:
            return "dark"
        if middle >= light:
            return "light"
        return "textured" if float(np.median(rough[own])) >= coarse else ""

    return {number: look(number) for number in numbers}
