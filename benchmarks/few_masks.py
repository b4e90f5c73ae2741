"""Segmenters of hot-rolled steel (NEU, 3 classes of defects) that learn from few labelled pictures.

Our default `light` and smp's U-Net on ResNet-18 learn for the same time from the same 5, 10 and 20 pictures of the
train split, drawn by seed so that the first five show every class; the fewer are among the more. Epochs are chosen on
the whole val split, so that the figures show what few pictures teach and not how well few pictures choose.
`few-masks.svg` in `--work` shows the mean IoU of the defects by the number of pictures.

python benchmarks/few_masks.py --data PATH/neu_seg/samples.csv --weights PATH/weights --work PATH/work
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np

from flawline.data.masks import MaskedSource, open_masks
from flawline.types import Sample
from segment_neu import CLASSES
from segment_race import (
    Runs,
    arguments,
    by_split,
    contender,
    train_and_score,
    trained_runs,
    versus,
)

EVERY_CLASS = 5


def drawn(source: MaskedSource, train: Sequence[Sample], pictures: int, seed: int) -> list[Sample]:
    """Draw pictures, the first five of which show every class."""
    for attempt in count():
        order = np.random.default_rng([seed, attempt]).permutation(len(train))
        first = [np.unique(source.mask(train[number])) for number in order[:EVERY_CLASS]]
        if set(range(1, len(source.classes))) <= set(np.concatenate(first).tolist()):
            return [train[number] for number in order[:pictures]]
    raise AssertionError


def run_one(options: argparse.Namespace, classes: Sequence[str], name: str, seed: int) -> None:
    """Train and score one contender on few pictures."""
    who, _, pictures = name.partition("-")
    source = open_masks(options.data, classes=list(classes))
    train = drawn(source, by_split(source)["train"], int(pictures), seed)
    settings = contender(who, options, seed)
    train_and_score(options, f"{name}-{seed}", settings, source, train)


def draw(found: Runs, options: argparse.Namespace) -> Path:
    """Draw the mean IoU by the number of pictures: a line through the means, a point for each seed."""
    from flawline.core.colours import SERIES
    from flawline.report.figure import as_svg, new_figure, own_style

    with own_style():
        figure, axes = new_figure((7.0, 4.2))
        for who, colour in zip(options.only.split(","), SERIES, strict=False):
            own = {
                int(name.partition("-")[2]): [100 * (run["mean_iou"] or 0.0) for run in runs]
                for name, runs in sorted(found.items())
                if name.partition("-")[0] == who
            }
            numbers = sorted(own)
            means = [np.mean(own[number]) for number in numbers]
            axes.plot(numbers, means, color=colour, label=who)
            for number in numbers:
                axes.plot([number] * len(own[number]), own[number], "o", ms=4, color=colour)
        axes.set_xticks(sorted({int(name.partition("-")[2]) for name in found}))
        axes.set_xlabel("labelled pictures to learn from")
        axes.set_ylabel(f"mean IoU of defects on {options.split}, %")
        axes.set_ylim(0, None)
        axes.legend(frameon=False)
        svg = as_svg(figure, "Mean IoU by labelled pictures")
    path = Path(options.work / "few-masks.svg")
    path.write_text(svg, encoding="utf-8")
    return path


def main() -> None:
    """Train both on each number of pictures with each seed."""
    parser = arguments(__doc__, 3.0)
    parser.add_argument("--pictures", default="20,10,5", help="numbers of labelled pictures")
    parser.add_argument("--only", default="light,smp")
    options = parser.parse_args()
    names = [f"{who}-{n}" for n in options.pictures.split(",") for who in options.only.split(",")]
    found = trained_runs(options, names, CLASSES, run_one)
    if found is None:
        return
    for pictures in options.pictures.split(","):
        ours, peer = f"light-{pictures}", f"smp-{pictures}"
        if ours in found and peer in found:
            print(versus(ours, found[ours], peer, found[peer], CLASSES))
    print(draw(found, options))


if __name__ == "__main__":
    main()
