"""How well detectors and golden samples find what is missing, elsewhere or too many on drawn plates. Prints a table.

    python benchmarks/assembly_mistakes.py [--seeds 3] [--bad 100]

Needs no data. Each seed draws 60 right plates to learn from, and another 60 right ones and `--bad` wrong ones to test
on. A figure is the AUROC of plates of one mistake against the right ones of the test; mean over seeds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import flawline
from flawline.core.metrics import auroc
from flawline.synthetic.assembly import DEFECTS

Scores = Mapping[str, float]


def detector(**options: str) -> Callable[[Path, Path], Scores]:
    """Scores of a test by a detector that learnt from the right plates of a folder."""

    def scores(learn: Path, test: Path) -> Scores:
        recipe = flawline.train_anomaly(learn / "good", **options).recipe  # type: ignore[arg-type]
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bad", type=int, default=100)
    given = parser.parse_args()
    found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    seconds = dict.fromkeys(WAYS, 0.0)
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as place:
            learn, test = Path(place) / "learn", Path(place) / "test"
            flawline.synth_assembly(learn, good=60, bad=0, seed=2 * seed)
            flawline.synth_assembly(test, good=60, bad=given.bad, seed=2 * seed + 1)
            for way, scores in WAYS.items():
                began = time.perf_counter()
                found[way].append(by_mistake(scores(learn, test)))
                seconds[way] += time.perf_counter() - began
    print("| way | " + " | ".join(DEFECTS) + " | all | s |\n|" + "---|" * (len(DEFECTS) + 3))
    for way, rows in found.items():
        values = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
        print(f"| {way} | {values} | {seconds[way] / given.seeds:.0f} |")


def by_mistake(scores: Scores) -> list[float]:
    """AUROC of each mistake against right plates, then of all."""
    good = [score for name, score in scores.items() if name.startswith("good")]
    bad = [scores[name] for name in sorted(scores) if name.startswith("bad")]
    chosen = [bad[kind :: len(DEFECTS)] for kind in range(len(DEFECTS))]
    return [
        auroc(np.repeat([False, True], [len(good), len(some)]), np.array([*good, *some]))
        for some in (*chosen, bad)
    ]


if __name__ == "__main__":
    main()
