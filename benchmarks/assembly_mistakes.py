"""How well detectors and golden samples find what is missing, elsewhere or too many on drawn plates. Prints a table.

    python benchmarks/assembly_mistakes.py [--seeds 3] [--bad 100] [--loose]

Needs no data. Each seed draws 60 right plates to learn from, and another 60 right ones and `--bad` wrong ones to test
on. A figure is the AUROC of plates of one mistake against the right ones of the test; mean over seeds.

With `--loose` plates have a screw and eight washers lying anywhere instead; wrong ones have seven or nine, half each.
Here nothing has a place, so that no golden sample can be compared with.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import flawline
from flawline.core.metrics import auroc
from flawline.synthetic.assembly import DEFECTS
from flawline.synthetic.assembly_parts import DRAWN, Item, draw_plate
from flawline.synthetic.surface import grain

Scores = Mapping[str, float]


def detector(**options: str) -> Callable[[Path, Path], Scores]:
    """Scores of a test by a detector that learnt from the right plates of a folder."""

    def scores(learn: Path, test: Path) -> Scores:
        recipe = flawline.train_anomaly(learn / "good", effort="none", **options).recipe  # type: ignore[arg-type]
        inspector = flawline.Inspector(recipe)
        pictures = sorted(test.glob("good/*.png")) + sorted(test.glob("bad/*.png"))
        return {
            path.relative_to(test).as_posix(): inspector.find(flawline.as_picture(path)).score
            for path in pictures
        }

    return scores


def golden(one: bool) -> Callable[[Path, Path], Scores]:
    """Strengths of a test beside one golden sample, or what the right plates of a folder have in common."""

    def scores(learn: Path, test: Path) -> Scores:
        sample = learn / "golden.png" if one else learn / "good"
        found = flawline.compare_golden(
            test / "samples.csv", sample, align="rigid", largest_angle=10, least=0
        )
        return {picture.sample.name: picture.score for picture in found.pictures}

    return scores


WAYS: Mapping[str, Callable[[Path, Path], Scores]] = {
    "patch-gaussian": detector(method="patch-gaussian"),
    "patch-gaussian, align rigid": detector(method="patch-gaussian", align="rigid"),
    "patch-memory": detector(method="patch-memory"),
    "patch-memory, align rigid": detector(method="patch-memory", align="rigid"),
    "golden sample, one picture": golden(one=True),
    "golden sample of 20 pictures": golden(one=False),
}


def write_loose(folder: Path, *, good: int, bad: int, seed: int) -> None:
    """Write plates with washers anywhere into folder/good and folder/bad; bad ones have one too few, then too many."""
    for label, count in (("good", good), ("bad", bad)):
        (folder / label).mkdir(parents=True)
        for index in range(count):
            washers = 8 if label == "good" else (7, 9)[index % 2]
            rng = np.random.default_rng([seed, int(label == "bad"), index])
            path = folder / label / f"{index:04d}.png"
            path.write_bytes(cv2.imencode(".png", loose(rng, washers)[..., ::-1])[1].tobytes())


def loose(rng: np.random.Generator, washers: int, size: int = 256) -> NDArray[np.uint8]:
    """Draw a screw and washers that lie anywhere and do not touch, uint8 (size, size, 3)."""
    side = 2 * size
    canvas, places = draw_plate(rng, side), list[NDArray[np.float64]]()
    while len(places) <= washers:
        place = rng.uniform(0.12, 0.88, 2)
        if all(np.hypot(*(place - other)) > 0.11 for other in places):
            places.append(place)
    for index, (x, y) in enumerate(places):
        kind = "washer" if index else "screw"
        DRAWN[kind](canvas, Item(kind, float(x), float(y), float(rng.uniform(0, 360))), side)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    noisy = small + 2 * grain(rng, (size, size), 0.6)[..., None]
    return np.clip(noisy * rng.normal(1, 0.02), 0, 255).astype(np.uint8)


DETECTORS = ("patch-gaussian", "patch-memory")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bad", type=int, default=100)
    parser.add_argument("--loose", action="store_true")
    given = parser.parse_args()
    ways = {k: v for k, v in WAYS.items() if not given.loose or k in DETECTORS}
    kinds = ("one too few", "one too many") if given.loose else DEFECTS
    write = write_loose if given.loose else flawline.synth_assembly
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    seconds = dict.fromkeys(ways, 0.0)
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as place:
            learn, test = Path(place) / "learn", Path(place) / "test"
            write(learn, good=60, bad=0, seed=2 * seed)
            write(test, good=60, bad=given.bad, seed=2 * seed + 1)
            for way, scores in ways.items():
                began = time.perf_counter()
                found[way].append(by_mistake(scores(learn, test), len(kinds)))
                seconds[way] += time.perf_counter() - began
    print("| way | " + " | ".join(kinds) + " | all | s |\n|" + "---|" * (len(kinds) + 3))
    for way, rows in found.items():
        values = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
        print(f"| {way} | {values} | {seconds[way] / given.seeds:.0f} |")


def by_mistake(scores: Scores, kinds: int) -> list[float]:
    """AUROC of each mistake against right plates, then of all."""
    good = [score for name, score in scores.items() if name.startswith("good")]
    bad = [scores[name] for name in sorted(scores) if name.startswith("bad")]
    chosen = [bad[kind::kinds] for kind in range(kinds)]
    return [
        auroc(np.repeat([False, True], [len(good), len(some)]), np.array([*good, *some]))
        for some in (*chosen, bad)
    ]


if __name__ == "__main__":
    main()
