"""How well a segmenter with its own choices finds cracked commutators it has not seen, by picture, in folds by part.

    python benchmarks/segment_kolektor.py [DATA] --work PATH/work [--minutes 8] [--seeds 1]

DATA (default: the variable FLAWLINE_TEST_DATA) holds `kolektorsdd/`. Three folds of three parts each: a segmenter
learns for so many processor minutes from the other six parts, and the highest probability of a crack of each picture of
the fold is its score. Prints the average precision of pictures, over all and within each fold, and how many cracked
pictures have the highest score of their part. Needs the extra [train].
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

import flawline
from flawline.inspector.model import Found
from flawline.jobs.train.segment import loop
from kolektor_parts import FOLDS, Shot, cracked_first, of_pictures, read, within
from segment_race import ProcessorClock


def main() -> None:
    """Train and score every fold of every seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", default=os.environ.get("FLAWLINE_TEST_DATA", "."))
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=8.0, help="of processors, each training")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    loop.Clock = ProcessorClock
    folder = Path(given.data).resolve() / "kolektorsdd"
    shots = read(folder)
    given.work.mkdir(parents=True, exist_ok=True)
    for seed in range(given.seeds):
        folds = [
            scored(folder, shots, fold, seed, given.minutes, given.work) for fold in range(FOLDS)
        ]
        of_all = {name: score for one in folds for name, score in one.items()}
        each = ", ".join(f"{precision(shots, one):.3f}" for one in folds)
        pictures = within([of_pictures(shots, one) for one in folds])
        first = sum(cracked_first(shots, one) for one in folds)
        print(
            f"seed {seed}: average precision {precision(shots, of_all):.3f} of {len(of_all)} pictures "
            f"(folds {each}), AUROC within folds {pictures:.3f}, cracked surface first in {first} of "
            f"{len({s.part for s in shots})} parts",
            flush=True,
        )


def scored(
    folder: Path, shots: Sequence[Shot], fold: int, seed: int, minutes: float, work: Path
) -> dict[str, float]:
    """Learn from the parts of other folds; the highest probability of a crack in each picture of this one."""
    parts = sorted({shot.part for shot in shots})
    apart = set(parts[fold::FOLDS])
    recipe = work / f"{fold}-{seed}.flaw"
    if not recipe.exists():
        train(folder, [s for s in shots if s.part not in apart], seed, minutes, recipe)
    inspector = flawline.Inspector.open(recipe)
    return {
        s.image: crack(inspector.find(flawline.as_picture(folder / s.image)))
        for s in shots
        if s.part in apart
    }


def crack(found: Found) -> float:
    """The highest probability that a pixel is not background."""
    return 0.0 if found.probabilities is None else float(1 - found.probabilities[0].min())


def train(folder: Path, shots: Sequence[Shot], seed: int, minutes: float, recipe: Path) -> None:
    """Train with the defaults; one part validates."""
    parts = sorted({s.part for s in shots})
    apart = parts[seed % len(parts)]
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "learn.csv"
        rows = ["image,mask,group,split"]
        for shot in shots:
            mask = folder / "masks" / f"{Path(shot.image).stem}.png" if shot.cracked else ""
            split = "validation" if shot.part == apart else "train"
            rows.append(f"{folder / shot.image},{mask},{shot.part},{split}")
        table.write_text("\n".join(rows), encoding="utf-8")
        with flawline.open_source(table, root="/") as source:
            trained = flawline.train_segment(
                source,
                classes={255: "crack"},
                unlabelled="empty",
                minutes=minutes,
                seed=seed,
            )
    print(f"{recipe.stem}: {trained.verdict.text}", flush=True)
    flawline.write_recipe(trained.recipe, recipe)


def precision(shots: Sequence[Shot], scores: dict[str, float]) -> float:
    """Average precision of pictures."""
    own = [s for s in shots if s.image in scores]
    return float(
        average_precision_score(
            np.array([s.cracked for s in own]), np.array([scores[s.image] for s in own])
        )
    )


if __name__ == "__main__":
    main()
