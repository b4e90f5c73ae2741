"""Losses of segmenters beside each other: the light network, the same patches, scored on the validation split.

Every loss sees as many patches, so that the figures do not depend on what else the machine does.

python benchmarks/segment_losses.py --data PATH/samples.csv --classes inclusion,patches,scratches --work PATH/work
"""

from __future__ import annotations

import argparse
from pathlib import Path

from flawline.data.masks import open_masks
from flawline.jobs.train.segment.fit import train_segmenter
from flawline.jobs.train.segment.segment_settings import SegmentSettings

LOSSES = (
    "cross-entropy,cross-entropy+dice,balanced+dice,focal+dice,cross-entropy+tversky,cross-entropy+lovasz,"
    "cross-entropy+dice+0.1*boundary"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="samples.csv with image, mask, group, split")
    parser.add_argument("--classes", required=True, help="names in the order of the masks' values")
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--losses", default=LOSSES)
    parser.add_argument("--patches", type=int, default=1200)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    source = open_masks(options.data, classes=options.classes.split(","))
    train = [sample for sample in source.samples() if sample.split == "train"]
    validation = [sample for sample in source.samples() if sample.split == "val"]
    for loss in options.losses.split(","):
        for seed in range(options.seeds):
            settings = SegmentSettings(
                loss=loss, epochs=1, patches=options.patches, seed=seed, workers=1
            )
            folder = options.work / f"{loss.replace('*', 'x')}-{seed}"
            [record] = train_segmenter(source, train, validation, folder, settings)
            each = ", ".join(
                f"{name} {100 * (value or 0):.1f}" for name, value in record.iou.items()
            )
            print(
                f"{loss:<32} seed {seed}  mean IoU {100 * (record.mean_iou or 0):.1f} ({each}) on {len(validation)} "
                f"validation pictures after {options.patches} patches",
                flush=True,
            )


if __name__ == "__main__":
    main()
