"""Inspect the pictures that the report of a training shows, and write it."""

from __future__ import annotations

from pathlib import Path

from flawline.core.drawing import heat_overlay, thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.inspector import Inspector
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.jobs.train.training_report import Pair, shown_names, write_training_page
from flawline.types import Picture, Unjudged


def write_training_report(
    trained: AnomalyTraining, source: Source, path: Path, tested: str = ""
) -> Path:
    """Write the HTML report of a training; the pictures it shows are read once more from `source`.

    `tested` is the address of the report of its test, from that file.
    """
    inspector = Inspector(trained.recipe)
    names = shown_names(trained)
    pictures = _pictures(source, inspector, {*names.unusual, *names.usual, *names.missed})
    return write_training_page(trained, inspector.described(), pictures, path, tested)


def _pictures(source: Source, inspector: Inspector, names: set[str]) -> dict[str, Pair]:
    """Draw each picture small, plain and with its heat map."""
    low, high = inspector.heat_range or (0.0, 1.0)

    def drawn(picture: Picture) -> Pair:
        small = thumbnail(picture.pixels)
        return small, heat_overlay(small, inspector.find(picture).map, low, high)

    samples = [sample for sample in source.samples() if sample.name in names]
    results = map_pictures(source, samples, drawn, value_range=inspector.value_range)
    return {sample.name: result for sample, result in results if not isinstance(result, Unjudged)}
