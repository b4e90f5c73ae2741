"""Write the table of errors into reference/measurements.md: `python docs/measurement_errors.py`.

Shapes with known answers are drawn at random places and angles: the share of each pixel that a shape covers is its
probability, and pixels of at least one half are the mask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from math import pi, radians
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from flawline.core.measure.measure import measure
from helpers.drawn_masks import arc, bar, coverage, disc

PAGE = Path(__file__).with_name("reference") / "measurements.md"
BEGIN, END = "<!-- errors -->\n", "<!-- /errors -->\n"
EACH, SIDE = 8, 130
HEAD = (
    "| shape | column | true | mean error | standard deviation | largest error |\n"
    "|---|---|---|---|---|---|\n"
)

Shape = Callable[..., Callable[..., object]]


def disc_truth(radius: float) -> dict[str, float]:
    return {
        "area": pi * radius**2,
        "contour_area": pi * radius**2,
        "subpixel_area": pi * radius**2,
        "circle_radius": radius,
        "perimeter": 2 * pi * radius,
        "circularity": 1,
        "solidity": 1,
        "max_width": 2 * radius,
    }


def bar_truth(length: float, width: float) -> dict[str, float]:
    return {
        "area": length * width,
        "subpixel_area": length * width,
        "rectangle_length": length,
        "rectangle_width": width,
        "skeleton_length": length,
        "mean_width": width,
        "max_width": width,
        "perimeter": 2 * (length + width),
    }


def arc_truth(radius: float, width: float, sweep: float) -> dict[str, float]:
    length = radius * radians(sweep)
    return {"area": length * width, "skeleton_length": length, "mean_width": width}


def cases() -> Iterator[tuple[str, Callable[[np.random.Generator], object], dict[str, float]]]:
    """Name, how to draw one, and the true values."""

    def middle(rng: np.random.Generator) -> tuple[float, float]:
        x, y = SIDE / 2 + rng.random(2)
        return float(x), float(y)

    for radius in (3, 10, 40):
        yield (
            f"disc, radius {radius}",
            lambda rng, r=radius: disc(*middle(rng), r),
            disc_truth(radius),
        )
    for length, width in ((20, 3), (60, 3), (60, 8), (100, 20)):
        yield (
            f"bar, {length} x {width}",
            lambda rng, s=(length, width): bar(*middle(rng), *s, rng.uniform(0, 180)),
            bar_truth(length, width),
        )
    for radius, width, sweep in ((20, 3, 90), (40, 3, 180), (40, 6, 120), (30, 2, 300)):
        yield (
            f"arc, radius {radius}, width {width}, {sweep}°",
            lambda rng, s=(radius, width, sweep): arc(
                *middle(rng), s[0], s[1], rng.uniform(0, 360), s[2]
            ),
            arc_truth(radius, width, sweep),
        )


def rendered() -> str:
    """The table in Markdown."""
    rng = np.random.default_rng(0)
    lines = []
    for name, draw, truth in cases():
        maps = [coverage((SIDE, SIDE), draw(rng)) for _ in range(EACH)]
        found = measure([(m >= 0.5).astype(np.uint8) for m in maps], probabilities=maps)
        assert len(found) == EACH
        for column, true in truth.items():
            error = np.asarray(found[column], dtype=np.float64) - true
            worst = error[np.abs(error).argmax()]
            numbers = (f"{round(float(value), 2) + 0.0:+.2f}" for value in (error.mean(), worst))
            mean, largest = numbers
            lines.append(
                f"| {name} | `{column}` | {true:.4g} | {mean} | {error.std():.2f} | {largest} |"
            )
    return HEAD + "\n".join(lines) + "\n"


def replaced(text: str) -> str:
    """The page with the table of today."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + rendered() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
