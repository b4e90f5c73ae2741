"""What `segment_neu.py` and `segment_tiles.py` share: contenders trained for the same time on one machine, then tested.

Each contender is trained with each seed in a process of its own for `--minutes`, reading and validation included, on
the train split, chosen on the val split and measured on the test split at the pictures' own size. All run in the same
loop with the same precision, so that the peers are not slower than ours for lack of bf16; `--peer-precision f32`
trains them as a plain PyTorch loop would. With `--processor-time` a contender's minutes are those that processors spent
on it, all its threads added up, so that what else a machine does takes nothing from anyone; OMP_NUM_THREADS=1 makes
them those of one core. A contender that was stopped goes on where it was when the same command runs again, and one
that has its figures is not trained again: a night is enough for some of them. `curves.svg` in `--work` shows what each
reached on validation after how many minutes.

story     the first U-Net with half its filters, whole pictures at 256 px, cross-entropy, batches of 16, no augmentation
smp       smp's U-Net on ResNet-18 with ImageNet weights, whole pictures at 256 px, cross-entropy, no augmentation
light     ours: the default settings
resnet18  ours: the default settings, with smp's U-Net on the same weights
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from flawline.core.segmentation_metrics import ConfusionMatrix, Detection
from flawline.data.masks import MaskedSource, open_masks
from flawline.jobs.train.segment.schedule import Clock
from flawline.jobs.train.segment.segment_settings import (
    NO_AUGMENTATION,
    NetworkSettings,
    SegmentSettings,
)
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures
from flawline.types import Sample

WEIGHTS = "resnet18_to_layer3_imagenet.safetensors"
PEERS = ("story", "smp")
OURS = ("light", "resnet18")
BINS = 1000
# Below this a class is marked at random, and every recall can be had.
LEAST_PRECISION = 0.1


@dataclass(slots=True)
class ProcessorClock(Clock):
    """Seconds that processors spent on a training."""

    began: float = field(default_factory=time.process_time)

    def seconds(self) -> float:
        """Seconds so far, of all threads."""
        return self.before + time.process_time() - self.began


def contender(name: str, options: argparse.Namespace, seed: int) -> SegmentSettings:
    """How a contender is trained."""
    resnet = NetworkSettings("unet", "resnet18", str(options.weights / WEIGHTS))
    # One more thing than the story knew, and in its favour: the rate falls to the end.
    plain = SegmentSettings(
        loss="cross-entropy",
        resolution="fit",
        around_defects=0.0,
        augmentation=NO_AUGMENTATION,
        average=0.0,
        weight_decay=0.0,
        encoder_rate=1.0,
        precision=options.peer_precision,
    )
    settings = {
        "story": replace(
            plain, network=NetworkSettings("unet-original"), batch=16, rate=options.story_rate
        ),
        "smp": replace(plain, network=resnet),
        "light": SegmentSettings(),
        "resnet18": SegmentSettings(network=resnet),
    }[name]
    return replace(settings, epochs=None, minutes=options.minutes, seed=seed)


def arguments(description: str, minutes: float) -> argparse.ArgumentParser:
    """The options of every benchmark of segmenters on one set of pictures."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", required=True, help="samples.csv with image, mask, group, split")
    parser.add_argument("--weights", required=True, type=Path, help=f"folder that holds {WEIGHTS}")
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=minutes, help="of each training")
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--split", default="test", help="split that is scored; val while choosing")
    parser.add_argument("--peer-precision", default="auto", choices=("auto", "f32"))
    parser.add_argument("--story-rate", type=float, default=1e-4)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser


def race(description: str, classes: Sequence[str]) -> None:
    """The command of a benchmark on one set of pictures."""
    parser = arguments(description, 10.0)
    parser.add_argument("--only", default=",".join((*PEERS, *OURS)))
    options = parser.parse_args()
    found = trained_runs(options, options.only.split(","), classes, run_one)
    if found is None:
        return
    for ours in set(OURS) & found.keys():
        for peer in set(PEERS) & found.keys():
            print(versus(ours, found[ours], peer, found[peer], classes))
    print(draw_curves(found, options))


Runs = dict[str, list[dict[str, Any]]]
RunOne = Callable[[argparse.Namespace, Sequence[str], str, int], None]


def trained_runs(
    options: argparse.Namespace, names: Sequence[str], classes: Sequence[str], run: RunOne
) -> Runs | None:
    """Train what has no figures yet, each in a process of its own, and print all; None in such a process."""
    if options.one:
        name, seed = options.one.split(":")
        run(options, classes, name, int(seed))
        return None
    options.work.mkdir(parents=True, exist_ok=True)
    found: Runs = {}
    for seed in range(options.seeds):
        for name in names:
            if not file_of(options, name, seed).exists():
                subprocess.run([sys.executable, *sys.argv, "--one", f"{name}:{seed}"], check=True)
            figures = json.loads(file_of(options, name, seed).read_text())
            found.setdefault(name, []).append(figures)
            print(line(f"{name} seed {seed}", [figures], classes), flush=True)
    print()
    for name, runs in found.items():
        print(line(name, runs, classes))
    return found


def draw_curves(found: Runs, options: argparse.Namespace) -> Path:
    """Draw the mean IoU on validation of every training by its minutes, as an SVG file."""
    from flawline.core.colours import SERIES
    from flawline.report.figure import as_svg, new_figure, own_style

    with own_style():
        figure, axes = new_figure((8.0, 4.5))
        for (name, runs), colour in zip(found.items(), SERIES, strict=False):
            for number, run in enumerate(runs):
                label = name if number == 0 else None
                axes.plot(*zip(*run["curve"], strict=True), color=colour, label=label)
        axes.set_xlabel("processor minutes" if options.processor_time else "minutes")
        axes.set_ylabel("mean IoU of defects on validation, %")
        axes.legend(frameon=False)
        svg = as_svg(figure, "Mean IoU by minutes of training")
    path = Path(options.work / "curves.svg")
    path.write_text(svg, encoding="utf-8")
    return path


def file_of(options: argparse.Namespace, name: str, seed: int) -> Path:
    """Where the figures of a run are written."""
    return Path(options.work / f"{name}-{seed}-{options.split}.json")


def run_one(options: argparse.Namespace, classes: Sequence[str], name: str, seed: int) -> None:
    """Train and score one contender."""
    source = open_masks(options.data, classes=list(classes))
    samples = by_split(source)
    train_and_score(
        options, f"{name}-{seed}", contender(name, options, seed), source, samples["train"]
    )


def by_split(source: MaskedSource) -> dict[str | None, list[Sample]]:
    """The samples of a source by their split."""
    found: dict[str | None, list[Sample]] = {}
    for sample in source.samples():
        found.setdefault(sample.split, []).append(sample)
    return found


def train_and_score(
    options: argparse.Namespace,
    run: str,
    settings: SegmentSettings,
    source: MaskedSource,
    train: Sequence[Sample],
    truth: MaskedSource | None = None,
    unmasked: UnmaskedPictures | None = None,
) -> None:
    """Train on some samples, choose on the val split, score by `truth`, if not by the same masks; write the figures."""
    from flawline.jobs.train.segment import loop
    from flawline.jobs.train.segment.checkpoint import CHECKPOINT
    from flawline.jobs.train.segment.fit import train_segmenter
    from flawline.jobs.train.segment.trained import training_records

    if options.processor_time:
        loop.Clock = ProcessorClock
    folder, samples = options.work / run, by_split(source)
    resume = (folder / CHECKPOINT).exists()
    trained = train_segmenter(
        source, train, samples["val"], folder, settings, unmasked=unmasked, resume=resume
    )
    for record in trained:
        share = 100 * (record.mean_iou or 0.0)
        print(f"{run}: {record.seconds / 60:.1f} minutes, mIoU {share:.1f}", flush=True)
    records = training_records(folder)
    figures = score(folder, truth or source, samples[options.split])
    figures["curve"] = [
        [record.seconds / 60, 100 * record.mean_iou]
        for record in records
        if record.mean_iou is not None
    ]
    figures["epochs"] = len(records)
    figures["patches"] = sum(record.steps for record in records) * settings.batch
    figures["minutes"] = records[-1].seconds / 60
    Path(options.work / f"{run}-{options.split}.json").write_text(json.dumps(figures))


def score(folder: Path, source: MaskedSource, samples: Sequence[Sample]) -> dict[str, Any]:
    """Figures of the best network of a training over whole pictures."""
    from flawline.jobs.train.segment.prediction import class_probabilities
    from flawline.jobs.train.segment.torch_settings import choose_machine
    from flawline.jobs.train.segment.trained import load_trained

    found = load_trained(folder)
    matrix, detection = ConfusionMatrix(len(source.classes)), Detection(source.classes)
    right, wrong = np.zeros((2, len(source.classes), BINS), np.int64)
    for sample in samples:
        picture, mask = source.pair(sample)
        shares = class_probabilities(
            found.built.network,
            picture.pixels,
            found.built.preparation,
            found.settings.framing,
            choose_machine("auto", "auto"),
        )
        marked = shares.argmax(0)
        matrix.add(mask, marked)
        detection.add(mask, marked, sample.group or sample.name)
        for number, share in enumerate(shares):
            bins = np.minimum((share * BINS).astype(np.int64), BINS - 1)
            right[number] += np.bincount(bins[mask == number], minlength=BINS)
            wrong[number] += np.bincount(bins[mask != number], minlength=BINS)
    figures = matrix.figures()
    escapes, overkill = detection.escapes(), detection.overkill()
    return {
        "mean_iou": matrix.mean(),
        "accuracy": matrix.accuracy(),
        "iou": [one.iou for one in figures],
        "recall": [one.recall for one in figures],
        "precision": [one.precision for one in figures],
        "regions": {name: [s.hits, s.of] for name, s in detection.by_class().items()},
        "false_regions": detection.false_regions(),
        "escapes": escapes and [escapes.hits, escapes.of],
        "overkill": overkill and [overkill.hits, overkill.of],
        "right": right.tolist(),
        "wrong": wrong.tolist(),
        "best_epoch": len(found.records),
        "parameters": found.built.record["parameters"],
    }


def recall_at(figures: dict[str, Any], number: int, precision: float) -> float:
    """The highest pixel recall of a class over thresholds at which its precision is at least this high."""
    right = np.cumsum(figures["right"][number][::-1])
    marked = right + np.cumsum(figures["wrong"][number][::-1])
    precise = right >= precision * marked
    return float(right[precise].max(initial=0) / right[-1])


def line(name: str, runs: Sequence[dict[str, Any]], classes: Sequence[str]) -> str:
    """Mean and, of several runs, spread (standard deviation)."""

    def of(values: Sequence[float | None]) -> str:
        known = [100 * value for value in values if value is not None]
        spread = f"+-{np.std(known, ddof=1):.1f}" if len(known) > 1 else ""
        return f"{np.mean(known):.1f}{spread}" if known else "-"

    each = " ".join(
        f"{label} {of([run['iou'][number] for run in runs])}/{of([run['recall'][number] for run in runs])}"
        for number, label in enumerate(classes, start=1)
    )
    escapes = [run["escapes"][0] / run["escapes"][1] for run in runs if run["escapes"]]
    overkill = [run["overkill"][0] / run["overkill"][1] for run in runs if run["overkill"]]
    rate = np.mean([run["patches"] / run["minutes"] / 60 for run in runs])
    return (
        f"{name:<16} mIoU {of([run['mean_iou'] for run in runs])}  IoU/recall: {each}  "
        f"accuracy {of([run['accuracy'] for run in runs])}  escapes {of(escapes)} overkill {of(overkill)}  "
        f"{rate:.1f} patches/s"
    )


def versus(
    ours: str,
    runs: Sequence[dict[str, Any]],
    peer: str,
    others: Sequence[dict[str, Any]],
    classes: Sequence[str],
) -> str:
    """The gain in mean IoU, and in recall of each class at the precision that the peer has."""
    gain = np.mean([r["mean_iou"] for r in runs]) - np.mean([r["mean_iou"] for r in others])
    parts = []
    for number, label in enumerate(classes, start=1):
        pairs = [
            (recall_at(run, number, precision), recall_at(other, number, precision))
            for run, other in zip(runs, others, strict=False)
            if (precision := other["precision"][number] or 0.0) >= LEAST_PRECISION
        ]
        if pairs:
            mine, its = np.mean(pairs, axis=0)
            parts.append(f"{label} {100 * mine:.1f} against {100 * its:.1f}")
    return f"{ours} - {peer}: mIoU {100 * gain:+.1f}; recall at its precision: {', '.join(parts)}"
