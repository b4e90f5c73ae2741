"""How fast masks are measured: against OpenCV's contours in a loop, and against scikit-image.

    python benchmarks/measure.py [--masks 1000] [--rounds 7]

Masks are drawn (tests/helpers/drawn_masks.py): 320 x 320 px, two classes, about seven defects each. The loop calls
cv2.findContours, cv2.contourArea and cv2.minEnclosingCircle for each class of each picture, as the published table of
heat sinks was made; both sides give contour area and enclosing circle of every defect, which are compared. Rounds take
turns, so that what else the machine does falls on all alike; the medians are printed, wall clock and processor time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from flawline.core.measure.measure import measure
from helpers.drawn_masks import random_masks

EQUAL = ("contour_area", "circle_x", "circle_y", "circle_radius")
SHAPE = (
    *("area", "left", "top", "width", "height", "centroid_x", "centroid_y"),
    *("eccentricity", "solidity", "convex_area", "perimeter"),
)
SCIKIT = ("area", "bbox", "centroid", "eccentricity", "solidity", "area_convex", "perimeter")
WITHOUT = ("contrast", "probability", "subpixel_area")
Masks = Sequence[NDArray[np.uint8]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    masks = random_masks(options.masks)
    compare(masks)
    small(masks, options.rounds)
    single(options.rounds)
    against_scikit_image(masks[: max(1, options.masks // 10)], min(3, options.rounds))
    large(options.rounds)


def compare(masks: Masks) -> None:
    """The loop's numbers and ours must be the same, or no speed counts."""
    found = measure(masks, columns=EQUAL, workers=2)
    ours = np.stack([found.picture, found.value, *(found[name] for name in EQUAL)], axis=1)
    ours[:, 3:5] -= 0.5
    theirs = np.array(loop(masks))
    ours, theirs = (_sorted(rows) for rows in (ours, theirs))
    if len(ours) != len(theirs):
        print(f"the loop finds {len(theirs)} defects, Flawline {len(ours)}")
        return
    worst = np.abs(ours - theirs).max(axis=0)
    print(
        f"{len(ours)} defects; largest differences: area {worst[2]:g}, circle {worst[3:].max():.2g} px"
    )


def _sorted(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """By picture, class and area, then roughly by place."""
    x, y = np.round(rows[:, 3:5]).T
    return rows[np.lexsort((y, x, rows[:, 2], rows[:, 1], rows[:, 0]))]


def small(masks: Masks, rounds: int) -> None:
    every = [name for name in measure(masks[:1]).columns if name not in WITHOUT] + ["contours"]
    runs: dict[str, Callable[[], Any]] = {
        "loop over pictures": lambda: loop(masks),
        "equal columns, 1 thread": lambda: measure(masks, columns=EQUAL),
        "equal columns, 2 threads": lambda: measure(masks, columns=EQUAL, workers=2),
        "all columns, 1 thread": lambda: measure(masks, columns=every),
        "all columns, 2 threads": lambda: measure(masks, columns=every, workers=2),
    }
    report(runs, rounds, "loop over pictures")


def single(rounds: int) -> None:
    """One picture at a time, as `flawline inspect` measures: all columns but those of pictures and probabilities."""
    for count in (1, 7, 33):
        mask = with_defects(count)
        print(f"one mask of 256 px with {len(measure([mask]))} defects:")
        runs: dict[str, Callable[[], Any]] = {
            "loop over pictures": lambda mask=mask: loop([mask]),
            "all columns": lambda mask=mask: measure([mask]),
        }
        report(runs, 20 * rounds, "loop over pictures")


def with_defects(count: int) -> NDArray[np.uint8]:
    """Stains and scratches on a grid of 6 x 6 places."""
    rng = np.random.default_rng(count)
    mask = np.zeros((256, 256), np.uint8)
    for place in rng.permutation(36)[:count].tolist():
        centre = (21 + 42 * (place % 6), 21 + 42 * (place // 6))
        axes = (int(rng.integers(5, 18)), int(rng.integers(2, 8)))
        cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, int(rng.integers(1, 3)), -1)
    return mask


def against_scikit_image(masks: Masks, rounds: int) -> None:
    try:
        from skimage.measure import label, regionprops_table
    except ImportError:
        print("scikit-image is not installed")
        return

    def theirs() -> None:
        for mask in masks:
            for value in (1, 2):
                regionprops_table(label(mask == value, connectivity=2), properties=SCIKIT)

    runs: dict[str, Callable[[], Any]] = {
        "regionprops_table": theirs,
        "the same columns, 1 thread": lambda: measure(masks, columns=SHAPE),
        "the same columns, 2 threads": lambda: measure(masks, columns=SHAPE, workers=2),
    }
    report(runs, rounds, "regionprops_table")


def large(rounds: int) -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((4000, 5000), np.uint8)
    for y in range(20, 4000, 40):
        for x in range(25, 5000, 50):
            centre = (x + int(rng.integers(-5, 6)), y + int(rng.integers(-5, 6)))
            radii = rng.integers(2, 11, 2).tolist()
            cv2.ellipse(mask, centre, radii, rng.uniform(0, 180), 0, 360, 1, -1)
    count = len(measure([mask], columns=["area"]))
    runs: dict[str, Callable[[], Any]] = {
        "loop over pictures": lambda: loop([mask]),
        "equal columns": lambda: measure([mask], columns=EQUAL),
        "all columns": lambda: measure([mask]),
    }
    print(f"one mask of 20 megapixels with {count} defects:")
    report(runs, min(3, rounds), "loop over pictures")


def loop(masks: Masks) -> list[tuple[float, ...]]:
    """Picture, class, contour area, centre and radius of every contour."""
    rows = []
    for place, mask in enumerate(masks):
        for value in (1, 2):
            contours, _ = cv2.findContours(
                (mask == value).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
            )
            for contour in contours:
                (x, y), radius = cv2.minEnclosingCircle(contour)
                rows.append((place, value, cv2.contourArea(contour), x, y, radius))
    return rows


def report(runs: dict[str, Callable[[], Any]], rounds: int, peer: str) -> None:
    wall: dict[str, list[float]] = {name: [] for name in runs}
    busy: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            started, worked = time.perf_counter(), time.process_time()
            run()
            if turn:  # the first round warms up
                wall[name].append(time.perf_counter() - started)
                busy[name].append(time.process_time() - worked)
    for name in runs:
        ratio = median(wall[peer]) / median(wall[name])
        effort = median(busy[peer]) / median(busy[name])
        print(
            f"  {name:28s} {1000 * median(wall[name]):8.1f} ms wall ({ratio:5.2f} x)  "
            f"{1000 * median(busy[name]):8.1f} ms processor ({effort:5.2f} x)"
        )


if __name__ == "__main__":
    main()
