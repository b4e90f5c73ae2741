"""Segmenters of hot-rolled steel (NEU, 3 classes of defects) that learn from few masks and many pictures without.

Our default `light` learns for the same time from the same few pictures of the train split with masks alone, and with
the other pictures of that split as pictures without masks (`flawline train segment --unmasked`). Pictures are drawn and
epochs chosen as in `few_masks.py`. Each run says when it began to learn from the pictures without masks, and which
network it kept.

python benchmarks/unmasked_pictures.py --data PATH/neu_seg/samples.csv --weights PATH/weights --work PATH/work
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from few_masks import drawn
from flawline.data.masks import MaskedSource, open_masks
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures
from flawline.recipe.manifest import file_hash
from flawline.types import Sample
from segment_neu import CLASSES
from segment_race import arguments, by_split, contender, train_and_score, trained_runs, versus


def without(
    source: MaskedSource, every: Sequence[Sample], few: Sequence[Sample]
) -> UnmaskedPictures:
    """The pictures of a split that are not among the few, without their masks."""
    names = {sample.name for sample in few}
    others = [sample for sample in every if sample.name not in names]
    return UnmaskedPictures(
        source.source, {file_hash(source.source.read(sample.name)): sample for sample in others}
    )


def run_one(options: argparse.Namespace, classes: Sequence[str], name: str, seed: int) -> None:
    """Train and score on few masks, alone or with pictures without masks."""
    from flawline.jobs.train.segment.pseudo_masks import pseudo_messages
    from flawline.jobs.train.segment.trained import training_pseudo, training_records

    who, _, pictures = name.partition("-")
    source = open_masks(options.data, classes=list(classes))
    every = by_split(source)["train"]
    few = drawn(source, every, int(pictures), seed)
    more = without(source, every, few) if who == "unmasked" else None
    settings = contender("light", options, seed)
    train_and_score(options, f"{name}-{seed}", settings, source, few, unmasked=more)
    if more is not None:
        folder = options.work / f"{name}-{seed}"
        for words in pseudo_messages(training_pseudo(folder), training_records(folder)):
            print(f"{name} seed {seed}: {words}", flush=True)


def main() -> None:
    """Train both on each number of masks with each seed."""
    parser = arguments(__doc__, 3.0)
    parser.add_argument("--pictures", default="5", help="numbers of pictures with masks")
    options = parser.parse_args()
    numbers = options.pictures.split(",")
    names = [f"{who}-{number}" for number in numbers for who in ("masks", "unmasked")]
    found = trained_runs(options, names, CLASSES, run_one)
    if found is None:
        return
    for number in numbers:
        ours, peer = f"unmasked-{number}", f"masks-{number}"
        print(versus(ours, found[ours], peer, found[peer], CLASSES))


if __name__ == "__main__":
    main()
