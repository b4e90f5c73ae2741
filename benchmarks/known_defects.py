"""What learning from known bad parts brings, also for kinds of defects that were not among them: one table, Markdown.

    python benchmarks/known_defects.py --work FOLDER [--tile FOLDER] [--casting ZIP] [--kolektorsdd FOLDER] \\
        [--seed 0] [--fold 0] [--align polar] [--effort none]

Folds by part, drawn by the seed; tiles of the splits train and val only. For each fold detectors learn from the good
parts of the others: from no bad part, from all known bad parts of the others, and for each kind of defect from those of
the other kinds. Escapes are bad pictures of the tested fold at the threshold that 5 % of its good pictures exceed, so
that they say how well the two are told apart and not how well thresholds carry over. "as judged" counts by the
thresholds of the recipe: bad pictures accepted, good ones not accepted. Tiles have masks, and they are used.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import flawline
from bar_sets import Round, Shot, folded, rounds_of
from flawline.core.metrics import auroc

OVERKILL = 0.05
FORGET = "all but this kind"


@dataclass(frozen=True)
class Run:
    """Scores and verdicts of the tested pictures, and what the training said of known bad parts."""

    scores: dict[str, float]
    verdicts: dict[str, str]
    said: str
    seconds: float


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--work", required=True, type=Path)
    for name in ("tile", "casting", "kolektorsdd"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fold", type=int, help="this fold alone")
    parser.add_argument("--align", default=None)
    parser.add_argument("--effort", default="none", help="of train anomaly, for its set-up")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in ("tile", "casting", "kolektorsdd"):
        if getattr(options, name) is not None:
            one_set(name, options)


def one_set(name: str, options: argparse.Namespace) -> None:
    """Print the rows of a set, fold by fold."""
    print(
        f"## {name}\n\n| fold | known bad | AUROC | escapes | as judged: escapes; good | by kind | s |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for fold, whole in enumerate(rounds(name, getattr(options, name), options)):
        if options.fold in (None, fold):
            for row in rows(whole, options):
                print(f"| {fold} {row}", flush=True)
    print()


def rounds(name: str, data: Path, options: argparse.Namespace) -> list[Round]:
    """Return the folds of a set; those of tiles are of the splits train and val."""
    if name != "tile":
        return rounds_of(name, data.resolve(), options.work.resolve(), options.seed)
    with (data / "samples.csv").open(newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["split"] in ("train", "val")]
    return folded(
        [
            Shot(
                (data / row["image"]).resolve(),
                None if row["label"] == "free" else row["label"],
                row["group"],
            )
            for row in listed
        ],
        options.seed,
    )


def rows(whole: Round, options: argparse.Namespace) -> Iterator[str]:
    """Train without, with all, and without each kind; the last as one row, each kind with its own detector."""
    none = trained(whole, (), options)
    yield shown("none", whole.test, none)
    known = trained(whole, whole.known, options)
    yield shown("all", whole.test, known)
    print(f"<!-- {known.said} -->")
    kinds = sorted({shot.kind for shot in whole.known if shot.kind})
    if len(kinds) < 2:
        return
    texts, missed, count = [], 0, 0
    for kind in kinds:
        others = tuple(shot for shot in whole.known if shot.kind != kind)
        own = trained(whole, others, options)
        hits, of = escapes(whole.test, own, kind)
        texts.append(f"{kind} {hits}/{of}")
        missed, count = missed + hits, count + of
        print(f"<!-- without {kind}: {own.said} -->")
    yield f"| {FORGET} | | {missed}/{count} | | {', '.join(texts)} | |"


def trained(whole: Round, known: Sequence[Shot], options: argparse.Namespace) -> Run:
    """Learn from the good and the known bad, and inspect what is tested."""
    train = manifest(options.work / "train.csv", (*whole.good, *known))
    test = manifest(options.work / "test.csv", whole.test)
    settings: dict[str, Any] = {"effort": options.effort, "self_test": "off"}
    if options.align is not None:
        settings["align"] = options.align
    began = time.perf_counter()
    with flawline.open_source(train, root="/") as source:
        found = flawline.train_anomaly(source, seed=options.seed, **settings)
    seconds = time.perf_counter() - began
    inspector = flawline.Inspector(found.recipe)
    with flawline.open_source(test, root="/") as source:
        judged = {sample.name: one for sample, one in inspector.inspect_many(source)}
    said = [line for line in found.messages if "known bad part" in line]
    return Run(
        {name: float(one.score) for name, one in judged.items()},
        {name: str(one.verdict) for name, one in judged.items()},
        " ".join(said),
        seconds,
    )


def shown(what: str, test: Sequence[Shot], run: Run) -> str:
    """Write a row."""
    bad = np.array([shot.kind is not None for shot in test])
    scores = np.array([run.scores[str(shot.path)] for shot in test])
    accepted = np.array([run.verdicts[str(shot.path)] == "accept" for shot in test])
    kinds = sorted({shot.kind for shot in test if shot.kind})
    by_kind = ", ".join("{} {}/{}".format(kind, *escapes(test, run, kind)) for kind in kinds)
    hits, of = escapes(test, run)
    return (
        f"| {what} | {auroc(bad, scores):.3f} | {hits}/{of} | {accepted[bad].sum()}/{bad.sum()}; "
        f"{(~accepted[~bad]).sum()}/{(~bad).sum()} | {by_kind} | {run.seconds:.0f} |"
    )


def escapes(test: Sequence[Shot], run: Run, kind: str | None = None) -> tuple[int, int]:
    """Count the bad pictures, of a kind if one is given, at 5 % overkill, and all such."""
    good = [run.scores[str(shot.path)] for shot in test if shot.kind is None]
    limit = np.quantile(good, 1 - OVERKILL, method="higher")
    own = [
        run.scores[str(shot.path)]
        for shot in test
        if shot.kind is not None and kind in (None, shot.kind)
    ]
    return int(sum(score <= limit for score in own)), len(own)


def manifest(path: Path, shots: Sequence[Shot]) -> Path:
    """Write a manifest, with the masks of tiles."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label", "group", "mask"])
        writer.writeheader()
        for shot in shots:
            mask = shot.path.parent.parent / "masks" / f"{shot.path.stem}.png"
            there = shot.kind is not None and mask.is_file()
            writer.writerow(
                {
                    "image": str(shot.path),
                    "label": shot.kind or "good",
                    "group": shot.part,
                    "mask": str(mask) if there else "",
                }
            )
    return path


if __name__ == "__main__":
    main()
