"""Learn good parts from a folder, then inspect arrays as they come from a camera, and print what is wrong with them.

    python examples/inspect_arrays.py [GOOD_PARTS]

Without a folder, sample castings are drawn. Arrays are RGB; turn what OpenCV reads with image[..., ::-1].
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import flawline


def camera(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """Stand in for a camera: the pictures of a folder as arrays."""
    for path in sorted(folder.rglob("*.jpg")):
        yield np.asarray(flawline.read_image(path).pixels)


def main(good: Path, pictures: Path, overlay: Path) -> None:
    # With less said, alignment, light and method are chosen by trials, which takes minutes.
    trained = flawline.train_anomaly(good, part="casting", window=128, effort="none")
    inspector = flawline.Inspector(trained.recipe)
    defects: list[pl.DataFrame] = []
    for number, array in enumerate(camera(pictures)):
        # A line runs for months: only what is shown at once may hold its picture.
        found = inspector.inspect(array, name=f"part {number}", keep_picture=False)
        print(
            f"{found.image}: {found.verdict}, score {found.score:.1f}, {len(found.regions)} defects"
        )
        defects.append(found.defects())
        if found.verdict == "reject":
            found.overlay(array).save(overlay)
    table = pl.concat(defects)
    print(table.select("image", "label", "box_left", "box_top", "area").sort("area").tail(5))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        drawn = Path(scratch) / "parts"
        flawline.synth_castings(drawn, good=24, bad=6, size=192)
        parts = Path(sys.argv[1]) if len(sys.argv) > 1 else drawn / "good"
        main(parts, drawn / "bad", Path(scratch) / "overlay.png")
