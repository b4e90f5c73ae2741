"""Segmenters of hot-rolled steel (NEU, 3 classes of defects) that learn from masks, boxes or strokes in the same time.

Boxes and strokes are made from the masks of the train and val splits: a box around every region; a stroke along the
middle of every region and some lines of the background, the rest unknown. `grabcut` estimates the outlines in the
boxes, `filled` takes all of a box as the defect. Epochs are chosen on the val split by the same kind of labels; all are
scored by the masks. `--labels` prints how well the labels agree with the masks of the val split, without a training.

python benchmarks/weak_labels.py --data PATH/neu_seg/samples.csv --weights PATH/weights --work PATH/work
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE, ConfusionMatrix
from flawline.data.masks import MaskedSource, open_masks
from flawline.data.whole_file import write_text
from flawline.types import Sample
from segment_neu import CLASSES
from segment_race import arguments, by_split, contender, train_and_score, trained_runs, versus

KINDS = ("masks", "grabcut", "filled", "strokes")
LINES = 3


def regions(mask: NDArray[np.uint8], number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The regions of a class: numbers by pixel, and boxes (N + 1, 5) with the background first."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask == number).astype(np.uint8))
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


def write_boxes(source: MaskedSource, samples: Sequence[Sample], path: Path) -> Path:
    """Write a box around every region, as COCO."""
    images, annotations = [], []
    for place, sample in enumerate(samples):
        mask = source.mask(sample)
        size = {"width": mask.shape[1], "height": mask.shape[0]}
        images.append({"id": place, "file_name": sample.name, **size})
        for number in range(1, len(source.classes)):
            for box in regions(mask, number)[1][1:, :4].tolist():
                annotations.append({"image_id": place, "category_id": number, "bbox": box})
    categories = [{"id": k, "name": name} for k, name in enumerate(source.classes) if k]
    document = {"images": images, "categories": categories, "annotations": annotations}
    return write_text(path, json.dumps(document))


def stroked(mask: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Keep the pixels of every region that lie deepest in it, and those of some lines of the background."""
    found = np.full_like(mask, IGNORE)
    for number in np.unique(mask[mask > 0]).tolist():
        labels, stats = regions(mask, number)
        depth = cv2.distanceTransform((mask == number).astype(np.uint8), cv2.DIST_L2, 5)
        for region in range(1, len(stats)):
            own = labels == region
            found[own & (depth >= 0.7 * depth[own].max())] = number
    lines, rng = np.zeros_like(mask), np.random.default_rng(seed)
    for _ in range(LINES):
        start, end = rng.integers(0, mask.shape[::-1], (2, 2)).tolist()
        cv2.line(lines, start, end, (1,), 2)
    found[(lines > 0) & (cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0)] = 0
    return found


def write_strokes(source: MaskedSource, samples: Sequence[Sample], folder: Path) -> Path:
    """Write the strokes of every mask; pictures of a split share nothing with the order of the samples."""
    for sample in samples:
        seed = int("".join(filter(str.isdigit, Path(sample.name).stem)) or 0)
        path = (folder / sample.name).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), stroked(source.mask(sample), seed))
    return folder


def labelled(kind: str, source: MaskedSource, options: argparse.Namespace) -> MaskedSource:
    """The source with labels of a kind in the train and val splits."""
    if kind == "masks":
        return source
    splits = by_split(source)
    samples = [*splits["train"], *splits["val"]]
    work = Path(options.work)
    if kind == "strokes":
        place = write_strokes(source, samples, work / "strokes")
        return open_masks(options.data, annotations=place, classes=list(CLASSES), ignore=IGNORE)
    place = write_boxes(source, samples, work / "boxes.json")
    boxes = "fill" if kind == "filled" else "grabcut"
    return open_masks(options.data, annotations=place, classes=list(CLASSES), boxes=boxes)


def run_one(options: argparse.Namespace, classes: Sequence[str], name: str, seed: int) -> None:
    """Train by one kind of labels and score by masks."""
    truth = open_masks(options.data, classes=list(classes))
    weak = labelled(name, truth, options)
    settings = contender("light", options, seed)
    train = by_split(weak)["train"]
    train_and_score(options, f"{name}-{seed}", settings, weak, train, truth)


def agreement(options: argparse.Namespace) -> None:
    """Print how well the labels of each kind agree with the masks of the val split."""
    truth = open_masks(options.data, classes=list(CLASSES))
    for kind in options.only.split(","):
        weak, matrix, open_pixels = labelled(kind, truth, options), ConfusionMatrix(4), 0
        samples = by_split(weak)["val"]
        for sample in samples:
            mask, label = truth.mask(sample), weak.pair(sample)[1]
            open_pixels += int((label == IGNORE).sum())
            matrix.add(np.where(label == IGNORE, IGNORE, mask), np.where(label == IGNORE, 0, label))
        known = int(matrix.counts.sum())
        words = ", ".join(
            f"{name} IoU {100 * (one.iou or 0):.1f} precision {100 * (one.precision or 0):.1f} "
            f"recall {100 * (one.recall or 0):.1f}"
            for name, one in zip(CLASSES, matrix.figures()[1:], strict=True)
        )
        share = 100 * known / (known + open_pixels)
        print(f"{kind}: {len(samples)} pictures, {share:.1f} % of the pixels labelled; {words}")


def main() -> None:
    """Train by each kind of labels with each seed."""
    parser = arguments(__doc__, 6.0)
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--labels", action="store_true", help="measure the labels alone")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.labels:
        agreement(options)
        return
    found = trained_runs(options, options.only.split(","), CLASSES, run_one)
    for kind in set(KINDS[1:]) & (found or {}).keys():
        if found and "masks" in found:
            print(versus(kind, found[kind], "masks", found["masks"], CLASSES))


if __name__ == "__main__":
    main()
