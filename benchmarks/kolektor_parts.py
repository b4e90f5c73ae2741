"""How well the default detector finds cracked commutators, by picture and by part of eight surfaces. Prints a table.

    python benchmarks/kolektor_parts.py [DATA] [--seeds 3] [--method ...] [--align ...]

DATA (default: the variable FLAWLINE_TEST_DATA) holds `kolektorsdd/`. Folds by part, three parts each: a detector learns
from the good pictures of the other parts by `flawline.train_anomaly` with its defaults, and scores all pictures of the
fold. AUROC counts pairs within a fold, since scores of different detectors are on different scales.

Every part of the set has a crack on one surface, so there is no good part. In its place stands the part without the
cracked surface: the highest score of its good surfaces against the highest of all its surfaces. "Cracked surface first"
counts the parts of which the cracked surface has the highest score.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import flawline

FOLDS = 3


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its file, its part, and whether it shows a crack."""

    image: str
    part: str
    cracked: bool


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", default=os.environ.get("FLAWLINE_TEST_DATA", "."))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--method")
    parser.add_argument("--align")
    parser.add_argument("--window")
    given = parser.parse_args()
    options = {k: v for k in ("method", "align", "window") if (v := getattr(given, k)) is not None}
    folder = Path(given.data) / "kolektorsdd"
    shots = read(folder)
    print(
        f"{len(shots)} pictures of {len({s.part for s in shots})} parts, {sum(s.cracked for s in shots)} cracked"
    )
    print(
        "| seed | AUROC of pictures | AUROC of parts | cracked surface first |\n|---|---|---|---|"
    )
    rows = []
    for seed in range(given.seeds):
        folds = [scored(folder, shots, fold, seed, options) for fold in range(FOLDS)]
        pictures = within([of_pictures(shots, one) for one in folds])
        parts = within([of_parts(shots, one) for one in folds])
        first = sum(cracked_first(shots, one) for one in folds)
        rows.append((pictures, parts, first))
        print(f"| {seed} | {pictures:.3f} | {parts:.3f} | {first} |", flush=True)
    mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
    print(
        "| mean (sd) | "
        + " | ".join(f"{m:.3f} ({s:.3f})" for m, s in zip(mean, spread, strict=True))
        + " |"
    )


def read(folder: Path) -> list[Shot]:
    with (folder / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [Shot(row["file"], row["part_guess"], int(row["n_defects"]) > 0) for row in rows]


def scored(
    folder: Path, shots: Sequence[Shot], fold: int, seed: int, options: Mapping[str, Any]
) -> dict[str, float]:
    """Learn from the good pictures of other folds; raw scores of the pictures of this one."""
    parts = sorted({shot.part for shot in shots})
    apart = set(parts[fold::FOLDS])
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "learn.csv"
        rows = [
            f"{(folder / s.image).resolve()},good,{s.part}\n"
            for s in shots
            if s.part not in apart and not s.cracked
        ]
        table.write_text("image,label,group\n" + "".join(rows), encoding="utf-8")
        with flawline.open_source(table, root="/") as source:
            recipe = flawline.train_anomaly(source, effort="none", seed=seed, **options).recipe
    inspector = flawline.Inspector(recipe)
    return {
        s.image: inspector.find(flawline.as_picture(folder / s.image)).score
        for s in shots
        if s.part in apart
    }


def of_pictures(
    shots: Sequence[Shot], scores: Mapping[str, float]
) -> tuple[list[float], list[float]]:
    """Scores of good and of cracked pictures."""
    own = [(s.cracked, scores[s.image]) for s in shots if s.image in scores]
    return [x for bad, x in own if not bad], [x for bad, x in own if bad]


def of_parts(shots: Sequence[Shot], scores: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """Highest scores of parts without their cracked surface, and with it."""
    good: dict[str, float] = {}
    whole: dict[str, float] = {}
    for shot in (s for s in shots if s.image in scores):
        whole[shot.part] = max(whole.get(shot.part, -np.inf), scores[shot.image])
        if not shot.cracked:
            good[shot.part] = max(good.get(shot.part, -np.inf), scores[shot.image])
    return list(good.values()), list(whole.values())


def cracked_first(shots: Sequence[Shot], scores: Mapping[str, float]) -> int:
    own = [s for s in shots if s.image in scores]
    best = {
        part: max((s for s in own if s.part == part), key=lambda s: scores[s.image])
        for part in {s.part for s in own}
    }
    return sum(shot.cracked for shot in best.values())


def within(folds: Sequence[tuple[list[float], list[float]]]) -> float:
    """Share of pairs of a good and a bad one of the same fold in which the bad one scores higher, ties half."""
    wins = pairs = 0.0
    for good, bad in folds:
        difference = np.subtract.outer(bad, good)
        wins += float((difference > 0).sum() + 0.5 * (difference == 0).sum())
        pairs += difference.size
    return wins / pairs


if __name__ == "__main__":
    main()
