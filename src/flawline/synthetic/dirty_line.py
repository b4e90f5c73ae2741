"""Draw sound castings in the order in which a line makes them, with a speck of dirt that grows on the lens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flawline.errors import UsageError
from flawline.synthetic.castings import draw_casting, write_picture

SPECK = (0.685, 0.235)
"""Place of the speck, x and y as parts of the side."""
WIDTH = 0.027
"""Its standard deviation, as a part of the side."""


def write_dirty_line(
    folder: Path,
    *,
    parts: int = 50,
    first: int = 25,
    growth: float = 0.025,
    size: int = 300,
    seed: int = 0,
) -> list[Path]:
    """Write folder/part_001.jpg and so on; return the paths.

    From part number `first` on (from 1) a soft dark speck is at one place of every picture, each time darker by
    `growth` of the light, up to all of it. The castings depend on `seed` and their number alone.

    Raises:
        UsageError: a count below 1, a seed below 0, a growth outside 0 to 1, or a folder that cannot be written.
    """
    if parts < 1 or first < 1 or seed < 0 or not 0 <= growth <= 1:
        raise UsageError(
            "expected parts and first of 1 or more, a seed of 0 or more and a growth from 0 to 1, "
            f"got {parts}, {first}, {seed} and {growth:g}"
        )
    rows, columns = np.mgrid[:size, :size]
    away = (columns - SPECK[0] * size) ** 2 + (rows - SPECK[1] * size) ** 2
    speck = np.exp(-away / (2 * (WIDTH * size) ** 2))[..., None]
    written = []
    for number in range(1, parts + 1):
        drawn = draw_casting(np.random.default_rng([seed, 2, number]), size=size).pixels
        dark = min(1.0, growth * max(0, number - first + 1))
        pixels = np.round(drawn * (1 - dark * speck)).astype(np.uint8)
        written.append(write_picture(folder / f"part_{number:03d}.jpg", pixels))
    return written
