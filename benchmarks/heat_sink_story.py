"""The story of the heat sinks retold on drawn ones: three published U-Nets and ours, from masks to the place of stains.

python benchmarks/heat_sink_story.py --work PATH/work --minutes 60
python benchmarks/heat_sink_story.py --work PATH/work --minutes 60 --weights resnet50=FILE --weights vgg16=FILE

It draws 1000 heat sinks with the classes' shares and the label noise of the published set, trains each contender for
the same processor time on the train split, and prints the sections of the story: the set, the confusion matrix of each
contender, the choice by escapes, the test split, the stains that the chosen recipe measures, the verdicts by a
specification, the control chart, and where stains gather. A contender that has its recipe is not trained again, and one
that was stopped goes on, so that the same command can be repeated night by night. Needs the extra [train].

unet      the first U-Net with half its filters, whole pictures at 256 px, cross-entropy, 40 epochs at most
resnet50  U-Net on ResNet-50, whole pictures at 256 px, cross-entropy, 40 epochs at most
vgg16     U-Net on VGG16, the same
light     ours: `flawline train segment` with its own choices
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flawline.data.masks import open_masks
from flawline.jobs.train.segment.chosen_settings import CHOICES
from flawline.jobs.train.segment.segment_settings import (
    NO_AUGMENTATION,
    NetworkSettings,
    SegmentSettings,
)
from flawline.recipe import write_recipe

CLASSES = ("scratch", "stain")
NOISE = "missing=0.03,extra=0.01,wrong-class=0.01,shifted=0.1"
SPEC = """name = "heat sink, gold side"
version = 1
limits = [
  { limit = "area", class = "stain", max = "900 px2", review = "400 px2" },
  { limit = "skeleton_length", class = "scratch", max = "110 px" },
]
"""
PUBLISHED = SegmentSettings(
    loss="cross-entropy",
    resolution="fit",
    around_defects=0.0,
    augmentation=NO_AUGMENTATION,
    average=0.0,
    weight_decay=0.0,
    encoder_rate=1.0,
    batch=16,
    rate=1e-4,
)


def main() -> None:
    """Draw, train, and print every section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60.0, help="of processors, each training")
    parser.add_argument("--only", default="unet,resnet50,vgg16,light")
    parser.add_argument("--weights", action="append", default=[], help="ENCODER=FILE, repeatable")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    samples = work / "sinks" / "samples.csv"
    if not samples.exists():
        drawn = ["-n", str(options.pictures), "--label-noise", NOISE, "--seed", str(options.seed)]
        flawline("synth", "heat-sink", work / "sinks", *drawn)
    weights = dict(one.split("=", 1) for one in options.weights)
    missed = {}
    for name in options.only.split(","):
        recipe = work / f"{name}.flaw"
        if not recipe.exists():
            train(name, samples, recipe, options, weights)
        print(f"\n== {name}: validation, then the test split", flush=True)
        missed[name] = confusion(recipe, samples)
    # The story picks the model that lets fewest bad parts through; of equals the one that rejects fewest good ones.
    chosen = min(missed, key=lambda name: missed[name])
    print(f"\n== chosen by escapes on validation: {chosen}", flush=True)
    tell(work, work / f"{chosen}.flaw", samples)


def train(
    name: str,
    samples: Path,
    recipe: Path,
    options: argparse.Namespace,
    weights: dict[str, str],
) -> None:
    """Train one contender for its processor minutes, and write its recipe."""
    from flawline.jobs.train.segment import loop
    from flawline.jobs.train.segment.checkpoint import CHECKPOINT
    from flawline.jobs.train.segment.train_segment import TrainSegmentSettings, train_segment
    from segment_race import ProcessorClock

    loop.Clock = ProcessorClock
    network = {
        "unet": NetworkSettings("unet-original"),
        "resnet50": NetworkSettings("unet", "resnet50", weights.get("resnet50")),
        "vgg16": NetworkSettings("unet", "vgg16", weights.get("vgg16")),
    }
    ours = name == "light"
    training = SegmentSettings() if ours else replace(PUBLISHED, network=network[name])
    training = replace(
        training, epochs=None if ours else 40, minutes=options.minutes, seed=options.seed
    )
    folder = recipe.with_suffix(".training")
    settings = TrainSegmentSettings(
        part="heat sink",
        training=training,
        choose=tuple(choice for choice in CHOICES if ours and choice != "length"),
        spec=tomllib.loads(SPEC),
    )
    with open_masks(str(samples), classes=list(CLASSES)) as source:
        trained = train_segment(
            source,
            settings,
            folder=folder,
            resume=(folder / CHECKPOINT).exists(),
            each=lambda record, split: print(
                f"{name}: {record.seconds / 60:.1f} minutes, mean IoU {100 * (record.mean_iou or 0):.1f} %",
                flush=True,
            ),
        )
    write_recipe(trained.recipe, recipe)
    print(f"{name}: {trained.verdict.text}")


def confusion(recipe: Path, samples: Path) -> tuple[int, int]:
    """Print the confusion matrix and the parts missed and rejected; return those of the validation split."""
    from flawline import Inspector

    found: tuple[int, int] | None = None
    for split in ("validation", "test"):
        matrix, detection = counted(Inspector.open(recipe), samples, split)
        print(f"{split}: share of the pixels of each true class (rows) by predicted class")
        names = ("background", *CLASSES)
        print(f"{'':<12}" + "".join(f"{name:>12}" for name in names))
        for name, row in zip(names, matrix.by_true_class(), strict=True):
            shares = row or [0.0] * len(names)
            print(f"{name:<12}" + "".join(f"{100 * share:>10.1f} %" for share in shares))
        escapes, overkill = detection.escapes(), detection.overkill()
        print(
            f"accuracy {100 * (matrix.accuracy() or 0):.2f} %, mean IoU {100 * (matrix.mean() or 0):.1f} %; "
            f"parts missed {escapes and f'{escapes.hits} of {escapes.of}'}, "
            f"good parts rejected {overkill and f'{overkill.hits} of {overkill.of}'}",
            flush=True,
        )
        found = found or (escapes.hits if escapes else 0, overkill.hits if overkill else 0)
    assert found is not None
    return found


def counted(inspector: Any, samples: Path, split: str) -> tuple[Any, Any]:
    """Count pixels and parts of one split."""
    from flawline.core.segmentation_metrics import ConfusionMatrix, Detection
    from flawline.data.splits import part_of

    matrix = ConfusionMatrix(len(CLASSES) + 1)
    detection = Detection(("background", *CLASSES))
    with open_masks(str(samples), classes=list(CLASSES)) as source:
        for sample in source.samples():
            if sample.split != split:
                continue
            picture, mask = source.pair(sample)
            marked = inspector.find(picture).class_mask
            matrix.add(mask, marked)
            detection.add(mask, marked, part_of(sample))
    return matrix, detection


def tell(work: Path, recipe: Path, samples: Path) -> None:
    """Print the sections after the choice: the test split, verdicts, the chart and the places."""
    store = work / "line.db"
    store.unlink(missing_ok=True)
    for title, words in (
        (
            "test split",
            [
                "evaluate",
                recipe,
                samples,
                "--classes",
                ",".join(CLASSES),
                "-o",
                work / "evaluation",
            ],
        ),
        (
            "every picture inspected, judged by the specification and recorded",
            ["inspect", recipe, samples, "--store", store, "-o", work / "inspected"],
        ),
        (
            "control chart",
            [
                "chart",
                "--store",
                store,
                "--measure",
                "LargestStainArea",
                "--by",
                "part",
                "--summary",
                "max",
                "-o",
                work / "chart",
            ],
        ),
        (
            "where stains gather",
            ["study", "location", "--store", store, "--only", "stain", "-o", work / "location"],
        ),
    ):
        print(f"\n== {title}", flush=True)
        flawline(*words, fine=(0, 1))


def flawline(*words: object, fine: Sequence[int] = (0,)) -> None:
    """Run a command of Flawline, and end where it fails."""
    asked = [sys.executable, "-m", "flawline", *map(str, words), "--quiet"]
    done = subprocess.run(asked, check=False)
    if done.returncode not in fine:
        raise SystemExit(f"{' '.join(map(str, words))} ended with {done.returncode}")


if __name__ == "__main__":
    main()
