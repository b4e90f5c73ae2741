"""Sets of pictures that `find_defects.py` measures on: what is learnt from and what is tested, round by round."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import flawline

FOLDS = 3


@dataclass(frozen=True)
class Shot:
    """A picture file: the kind of its defect, None for a good one, and the part that it shows."""

    path: Path
    kind: str | None
    part: str


@dataclass(frozen=True)
class Round:
    """Good pictures to learn from, known bad ones that may be learnt from too, and those that test."""

    good: tuple[Shot, ...]
    known: tuple[Shot, ...]
    test: tuple[Shot, ...]


def rounds_of(name: str, data: Path, work: Path, seed: int) -> list[Round]:
    """Return the rounds of a set: the stated split, or three folds by part, drawn anew for each seed."""
    return SETS[name](data, work, seed)


def shortened(shots: Sequence[Shot], most: int | None) -> tuple[Shot, ...]:
    """Leave at most `most` good and as many bad pictures, spread over all."""
    if most is None:
        return tuple(shots)
    kept: set[Shot] = set()
    for bad in (False, True):
        of_kind = [shot for shot in shots if (shot.kind is not None) == bad]
        places = np.unique(np.linspace(0, len(of_kind) - 1, most).astype(int)) if of_kind else ()
        kept |= {of_kind[place] for place in places}
    return tuple(shot for shot in shots if shot in kept)


def _screw(data: Path, work: Path, seed: int) -> list[Round]:
    """As the set is split; a screw a picture. Its bad ones only test."""

    def shots(folder: str, kind: str | None) -> tuple[Shot, ...]:
        files = sorted((data / folder).iterdir())
        return tuple(Shot(file, kind, f"{folder}/{file.name}") for file in files)

    return [
        Round(shots("train/good", None), (), shots("test/good", None) + shots("test/bad", "bad"))
    ]


def _tile(data: Path, work: Path, seed: int) -> list[Round]:
    """Free tiles of train and val are learnt from, those of train with a defect are the known bad ones."""
    with (data / "samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    def shots(*splits: str) -> list[Shot]:
        return [
            Shot(data / r["image"], None if r["label"] == "free" else r["label"], r["group"])
            for r in rows
            if r["split"] in splits
        ]

    known = tuple(shot for shot in shots("train") if shot.kind)
    return [Round(_good(shots("train", "val")), known, tuple(shots("test")))]


def _casting(data: Path, work: Path, seed: int) -> list[Round]:
    """Folds by part, as `flawline groups` finds parts; half of all bad pictures, of other folds, are known."""
    folder = work / "casting"
    if not folder.is_dir():
        with zipfile.ZipFile(data) as archive:
            archive.extractall(folder)
    kept = work / "casting-parts.json"
    if not kept.is_file():
        found = flawline.groups(folder).pictures
        kept.write_text(json.dumps({one.sample.name: str(one.group) for one in found}))
    parts: dict[str, str] = json.loads(kept.read_text())
    shots = [
        Shot(folder / name, "bad" if name.startswith("bad") else None, part)
        for name, part in sorted(parts.items())
    ]
    return folded(shots, seed, known=sum(shot.kind is not None for shot in shots) // 2)


def _kolektorsdd(data: Path, work: Path, seed: int) -> list[Round]:
    """Folds by part, eight surfaces a part; the parts of other folds with a crack are known."""
    with (data / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return folded(
        [
            Shot(data / row["file"], "crack" if int(row["n_defects"]) else None, row["part_guess"])
            for row in rows
        ],
        seed,
    )


def _elpv(data: Path, work: Path, seed: int) -> list[Round]:
    """Monocrystalline cells graded 0 against those graded 1, in folds; the bad ones of other folds are known."""
    with (data / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["module_type"] == "mono"]
    graded = [(row["image"], float(row["defect_probability"])) for row in rows]
    return folded(
        [
            Shot(data / name, "bad" if grade else None, name)
            for name, grade in graded
            if grade in (0, 1)
        ],
        seed,
    )


def _good(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    return tuple(shot for shot in shots if shot.kind is None)


def folded(shots: Sequence[Shot], seed: int, known: int | None = None) -> list[Round]:
    """Deal parts to folds; at most `known` bad pictures of the other folds are known, whole parts drawn by chance."""
    names = np.random.default_rng((7, seed)).permutation(np.unique([shot.part for shot in shots]))
    place = {str(name): index for index, name in enumerate(names)}
    rounds = []
    for fold in range(FOLDS):
        others = [shot for shot in shots if place[shot.part] % FOLDS != fold]
        bad = sorted((shot for shot in others if shot.kind), key=lambda shot: place[shot.part])
        test = tuple(shot for shot in shots if place[shot.part] % FOLDS == fold)
        rounds.append(Round(_good(others), tuple(bad[:known]), test))
    return rounds


SETS: dict[str, Callable[[Path, Path, int], list[Round]]] = {
    "screw": _screw,
    "casting": _casting,
    "tile": _tile,
    "kolektorsdd": _kolektorsdd,
    "elpv": _elpv,
}
