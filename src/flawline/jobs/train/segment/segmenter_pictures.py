"""Inspect the validation pictures that the report of a segmenter shows, and write it."""

from __future__ import annotations

from pathlib import Path

from flawline.data.masks import MaskedSource
from flawline.inspector import Inspector
from flawline.jobs.train.segment.segment_panels import Panels, three_panels
from flawline.jobs.train.segment.segmenter_report import write_segmenter_page
from flawline.jobs.train.segment.train_segment import TrainedSegmenterRecipe

SHOWN = 12


def write_segmenter_report(
    trained: TrainedSegmenterRecipe, source: MaskedSource, path: Path
) -> Path:
    """Write the HTML report; the validation pictures that it shows are read and inspected once more."""
    inspector = Inspector(trained.recipe)
    panels: dict[str, Panels] = {}
    for sample in trained.shown[:SHOWN]:
        picture, truth = source.pair(sample)
        mask = inspector.find(picture).class_mask
        panels[sample.name] = three_panels(picture.pixels, truth, mask)
    return write_segmenter_page(trained, inspector.described(), panels, path)
