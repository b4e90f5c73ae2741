"""How well the self-test's drawn defects predict the detection of real ones: a table by size, Markdown.

    python benchmarks/self_test_real.py --work FOLDER [--tile FOLDER] [--kolektorsdd FOLDER] [--defects N] [--few N]

A recipe is trained by the defaults on good pictures. Spots and scratches, dark and light, at four contrasts are drawn
into other good ones. From these a logistic regression over the logarithms of size (the root of the area) and contrast
predicts the detection of each region of the masks of real bad pictures: of a long region (five times as long as wide)
by scratches, of another by spots, of its sign. The contrast of a region is taken in two ways, as a share of 255: the
mean of its grey levels, and the mean of the tenth that differs most, each less the mean of a ring around the region.
Prediction and reality agree where the mean prediction lies in the 95 % interval of the share found. Neither the recipe
nor the prediction saw a bad picture.

Of tiles: good pictures of train teach, those of val are drawn into, the bad ones of both are tested. Of kolektorsdd:
three folds by part.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

import flawline
from flawline.core.metrics import Share
from flawline.data.as_picture import as_picture
from flawline.data.source import Source
from flawline.jobs.evaluate.masks import mask_of

CONTRASTS = (0.05, 0.1, 0.2, 0.4)
LONG = 5.0
CLASSES = 4


@dataclass(frozen=True)
class Round:
    """Pictures to learn from, to draw into, and bad ones with their masks and labels."""

    learn: list[Path]
    draw: list[Path]
    bad: list[tuple[Path, Path, str]]


@dataclass(frozen=True)
class Region:
    """A real defect: what it is called, its size in px, its contrasts, whether it is long, and what became of it.

    `predicted` is the chance of its detection by its mean contrast and by that of its strongest tenth.
    """

    label: str
    size: float
    contrast: float
    strongest: float
    long: bool
    found: bool
    predicted: tuple[float, float] = (0.0, 0.0)


def main() -> None:
    """Run each set that has a folder, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tile", type=Path)
    parser.add_argument("--kolektorsdd", type=Path)
    parser.add_argument("--defects", type=int, default=48)
    parser.add_argument("--few", type=int, default=10**6)
    options = parser.parse_args()
    for name, rounds in (("tile", tile_rounds), ("kolektorsdd", kolektor_rounds)):
        folder = getattr(options, name)
        if folder is None:
            continue
        regions = [
            region
            for place, one in enumerate(rounds(folder, options.few))
            for region in tried(one, options.work / f"{name}-{place}", options.defects)
        ]
        print(table(name, regions), flush=True)


def tile_rounds(folder: Path, few: int) -> Iterator[Round]:
    """Give the one round of magnetic tiles."""
    rows = list(csv.DictReader((folder / "samples.csv").open(encoding="utf-8")))
    good = {
        split: [
            folder / row["image"] for row in rows if (row["label"], row["split"]) == ("free", split)
        ]
        for split in ("train", "val")
    }
    bad = [
        (folder / row["image"], folder / row["mask"], row["label"])
        for row in rows
        if row["split"] != "test" and row["label"] != "free"
    ]
    yield Round(good["train"][:few], good["val"][:few], bad[:: max(1, len(bad) // few)])


def kolektor_rounds(folder: Path, few: int) -> Iterator[Round]:
    """Give three folds by part of commutators."""
    rows = list(csv.DictReader((folder / "index.csv").open(encoding="utf-8")))
    parts = sorted({row["part_guess"] for row in rows})
    for fold in range(3):
        held = set(parts[fold::3])
        good = [row for row in rows if row["n_defects"] == "0"]
        yield Round(
            [folder / row["file"] for row in good if row["part_guess"] not in held][:few],
            [folder / row["file"] for row in good if row["part_guess"] in held][:few],
            [
                (folder / row["file"], folder / row["mask"], "crack")
                for row in rows
                if row["n_defects"] != "0" and row["part_guess"] in held
            ],
        )


def tried(one: Round, work: Path, defects: int) -> list[Region]:
    """Train, draw, predict and inspect the real defects of a round; what is done is not repeated."""
    kept = work.with_suffix(".json")
    if not kept.exists():
        learn = listed(one.learn, work, "learn")
        recipe = flawline.train_anomaly(learn, effort="none", self_test="off").recipe
        study = flawline.study_pod(
            recipe,
            listed(one.draw, work, "draw"),
            kinds=("spot", "scratch"),
            contrasts=CONTRASTS,
            defects=defects,
        )
        drawn = [
            (trial.kind, trial.contrast, (trial.width * trial.length) ** 0.5, trial.found)
            for trial in study.test.trials
        ]
        inspector = flawline.Inspector(recipe)
        real = [vars(region) for bad in one.bad for region in real_regions(inspector, *bad)]
        kept.write_text(json.dumps({"drawn": drawn, "real": real}), encoding="utf-8")
    done = json.loads(kept.read_text(encoding="utf-8"))
    return predicted(done["drawn"], [Region(**region) for region in done["real"]])


def listed(paths: Sequence[Path], work: Path, name: str) -> Source:
    """Write a manifest of good pictures and open it."""
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{name}.csv"
    lines = ["image,label", *(f"{one.resolve()},good" for one in paths)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return flawline.open_source(path, root=paths[0].parents[1])


def real_regions(
    inspector: flawline.Inspector, image: Path, mask: Path, label: str
) -> Iterator[Region]:
    """Inspect a bad picture and tell which regions of its mask are found."""
    picture = as_picture(image)
    regions = mask_of(mask.read_bytes())
    if not len(regions.areas):
        return
    inspection = inspector.inspect(picture)
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY).astype(np.float64)
    for number, area in enumerate(regions.areas.tolist(), start=1):
        own = regions.regions == number
        reach = 2 * max(3, round(area**0.5 / 2)) + 1
        wide = cv2.dilate(own.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
        ring = wide & (regions.regions == 0)
        if area < 4 or not ring.any():
            continue
        points = np.argwhere(own)[:, ::-1].astype(np.float32)
        sides = sorted(side + 1 for side in cv2.minAreaRect(points)[1])
        marked = bool((inspection.class_mask[own] > 0).any())
        levels = (grey[own] - grey[ring].mean()) / 255
        mean = float(levels.mean())
        tail = np.quantile(levels, 0.9 if mean > 0 else 0.1)
        yield Region(
            label,
            area**0.5,
            mean,
            float(levels[levels >= tail].mean() if mean > 0 else levels[levels <= tail].mean()),
            sides[1] >= LONG * sides[0],
            inspection.verdict != "accept" and marked,
        )


def predicted(
    drawn: Sequence[tuple[str, float, float, bool]], real: Sequence[Region]
) -> list[Region]:
    """Predict the detection of each region from drawn defects of its kind and sign."""
    models = {}
    for long in (False, True):
        for light in (False, True):
            kind = "scratch" if long else "spot"
            own = [one for one in drawn if one[0] == kind and (one[1] > 0) == light]
            x = np.array([(np.log(size), np.log(abs(contrast))) for _, contrast, size, _ in own])
            models[long, light] = LogisticRegression(C=1e3).fit(x, [one[3] for one in own])
    result = []
    for region in real:
        chances = [
            models[region.long, region.contrast > 0].predict_proba(
                [[np.log(region.size), np.log(max(abs(contrast), 0.005))]]
            )[0, 1]
            for contrast in (region.contrast, region.strongest)
        ]
        result.append(replace(region, predicted=(float(chances[0]), float(chances[1]))))
    return result


def table(name: str, regions: Sequence[Region]) -> str:
    """Compare prediction and reality by size, in classes of about as many, and by label."""
    ordered = sorted(regions, key=lambda region: region.size)
    count = min(CLASSES, max(1, len(ordered) // 8))
    groups = [list(group) for group in np.array_split(np.array(ordered, object), count)]
    lines = [
        f"| {name} | regions | contrast, mean and strongest | predicted by mean, agrees | by strongest, agrees "
        "| found, 95 % interval |",
        "|---|---|---|---|---|---|",
        *(line(f"{own[0].size:.0f} to {own[-1].size:.0f} px", own) for own in groups),
        line("all", ordered),
    ]
    for label in sorted({region.label for region in regions}):
        lines.append(line(label, [region for region in ordered if region.label == label]))
    return "\n".join(lines) + "\n"


def line(name: str, own: Sequence[Region]) -> str:
    """Write one line of the table."""
    share = Share(sum(region.found for region in own), len(own))
    low, high = share.interval
    means = [float(np.mean([region.predicted[way] for region in own])) for way in (0, 1)]
    agree = [f"{100 * mean:.0f} %, {'yes' if low <= mean <= high else 'no'}" for mean in means]
    contrast = " and ".join(
        f"{100 * float(np.median([abs(value) for value in values])):.0f}"
        for values in ([one.contrast for one in own], [one.strongest for one in own])
    )
    return (
        f"| {name} | {len(own)} | {contrast} % | {agree[0]} | {agree[1]} | {share.hits} of {share.of}: "
        f"{100 * share.value:.0f} % ({100 * low:.0f} to {100 * high:.0f}) |"
    )


if __name__ == "__main__":
    main()
