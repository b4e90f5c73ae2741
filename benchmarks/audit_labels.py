"""How many drawn label errors `flawline audit-labels` finds, and how much of what it says is one.

python benchmarks/audit_labels.py --work PATH/work
python benchmarks/audit_labels.py --work PATH/work --data PATH/neu_seg/samples.csv --classes inclusion,patches,scratches

Without --data, heat sinks are drawn with label noise of known places. With --data, the labels of its train split are
taken to be right and the same four kinds of mistakes are drawn into them; what is found wrong in the data itself then
counts as a false alarm, so that precision is a lower bound. An error is found where suspicious regions cover a quarter
of its wrong pixels; a region is right where half of its pixels are wrong. Needs the extra [train].
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import average_precision
from flawline.data.masks.rle import paint_coco
from flawline.jobs.train.audit.audit_labels import audit_labels
from flawline.jobs.train.audit.audit_settings import TRAINING, AuditSettings
from flawline.jobs.train.audit.label_audit import AuditedPicture, LabelAudit
from label_errors import Box, DrawnSource, Mask, NoisySource

KINDS = {"missing": "missing", "extra": "extra", "wrong_class": "class", "shifted": "border"}
# A shifted mark leaves its box by as much.
REACH = 6
FOUND, RIGHT = 0.25, 0.5


def main() -> None:
    """Draw, audit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--data", help="samples.csv with image, mask, group, split")
    parser.add_argument("--classes", default="scratch,stain")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=25, help="of the training of each fold")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    classes = options.classes.split(",")
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        work = options.work / f"{'real' if options.data else 'drawn'}-{options.pictures}-{seed}"
        source = (
            NoisySource(options.data, classes, options.pictures, seed)
            if options.data
            else DrawnSource(work / "set", classes, options.pictures, seed)
        )
        # As `flawline audit-labels` trains.
        training = replace(TRAINING, epochs=options.epochs, seed=seed)
        audit = audit_labels(source, work, AuditSettings(options.folds, training))
        print(
            f"seed {seed}, {options.pictures} pictures, {options.folds} folds, {options.epochs} epochs"
        )
        print(figures(audit, source), flush=True)


@dataclass
class Counts:
    """Errors by kind of noise: all, found, and called what they are; regions by kind: all and right."""

    errors: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)

    def add_regions(self, picture: AuditedPicture, wrong: NDArray[np.bool_]) -> None:
        """Count the suspicious regions of a picture."""
        for region in picture.regions:
            own = np.zeros(picture.size, np.uint8)
            paint_coco(list(region.runs), list(picture.size), own, 1)
            self.regions[region.kind] += 1
            self.right[region.kind] += bool(wrong[own > 0].mean() >= RIGHT)

    def add_error(self, kind: str, said: Mask) -> None:
        """Count an error by the kinds of regions, numbered from 1, at its wrong pixels."""
        self.errors[kind] += 1
        if (said > 0).mean() >= FOUND:
            self.found[kind] += 1
            most = int(np.bincount(said[said > 0]).argmax())
            self.named[kind] += list(KINDS.values())[most - 1] == KINDS[kind]


def figures(audit: LabelAudit, source: DrawnSource | NoisySource) -> str:
    """Recall of the errors, precision of the regions by kind, and the ranking of pictures."""
    samples = {sample.name: sample for sample in source.samples()}
    counts, noisy = Counts(), []
    for picture in audit.pictures:
        sample = samples[picture.image]
        wrong = source.pair(sample)[1] != source.truth(sample)
        counts.add_regions(picture, wrong)
        kinds = kinds_of(picture)
        boxes = [(kind, around(box)) for kind, box in source.errors.get(picture.image, ())]
        own = [(kind, kinds[box][wrong[box]]) for kind, box in boxes if wrong[box].any()]
        noisy.append(bool(own))
        for kind, said in own:
            counts.add_error(kind, said)
    return "\n".join([*lines_of(counts), line_of_ranking(audit, noisy)])


def lines_of(counts: Counts) -> list[str]:
    """Recall and precision in words."""
    c = counts
    found = [
        f"{k} {share(c.found, c.errors, k)} (called so {share(c.named, c.found, k)})" for k in KINDS
    ]
    right = [f"{k} {share(c.right, c.regions, k)}" for k in KINDS.values()]
    return [
        f"errors found {share(c.found, c.errors)}; by kind: {', '.join(found)}",
        f"regions that are errors {share(c.right, c.regions)}; by kind: {', '.join(right)}",
    ]


def line_of_ranking(audit: LabelAudit, noisy: Sequence[bool]) -> str:
    """How early pictures with errors come."""
    scores = np.array([-picture.score for picture in audit.pictures])
    tenth = max(1, len(noisy) // 10)
    return (
        f"pictures with errors {np.mean(noisy):.1%} of {len(noisy)}: average precision "
        f"{average_precision(noisy, scores):.3f}, at random {np.mean(noisy):.3f}; "
        f"of the first tenth {np.mean(noisy[:tenth]):.1%}"
    )


def around(box: Box) -> tuple[slice, slice]:
    """The rows and columns of a box and what a shift leaves it by."""
    left, top, width, height = box
    return (
        slice(max(0, top - REACH), top + height + REACH),
        slice(max(0, left - REACH), left + width + REACH),
    )


def kinds_of(picture: AuditedPicture) -> Mask:
    """The kind of suspicious region at each pixel, numbered from 1."""
    kinds = np.zeros(picture.size, np.uint8)
    for region in picture.regions:
        number = list(KINDS.values()).index(region.kind) + 1
        paint_coco(list(region.runs), list(picture.size), kinds, number)
    return kinds


def share(part: Counter[str], whole: Counter[str], kind: str | None = None) -> str:
    """Such as "12 of 15"."""
    if kind is None:
        return f"{part.total()} of {whole.total()} ({part.total() / max(whole.total(), 1):.1%})"
    return f"{part[kind]} of {whole[kind]}"


if __name__ == "__main__":
    main()
