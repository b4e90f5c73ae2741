"""The report of a training: what was learnt, what the thresholds rest on, and what a person should look at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import heat_overlay, thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.data.whole_file import write_text
from flawline.inspector import Inspector
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.report.charts import score_histogram
from flawline.report.pictures import data_address
from flawline.report.template import template
from flawline.types import Picture, Unjudged

SHOWN = 8


def write_training_report(trained: AnomalyTraining, source: Source, path: Path) -> Path:
    """Write the HTML report of a training; the pictures it shows are read once more from `source`."""
    recipe = trained.recipe
    limit = recipe.settings.threshold
    inspector = Inspector(recipe)
    odd = [suspect.name for suspect in trained.suspects][:SHOWN]
    usual = sorted(trained.good, key=lambda name: (-trained.good[name], name))[:SHOWN]
    missed = sorted(trained.bad, key=lambda name: (trained.bad[name], name))[:SHOWN]
    pictures = _pictures(source, inspector, {*odd, *usual, *missed})
    scores = {"good": list(trained.good.values()), "bad": list(trained.bad.values())}
    lines = {}
    if limit is not None and trained.good:
        lines = {"review": limit.review, "reject": limit.reject}
    html = template("training.html").render(
        trained=trained,
        recipe=recipe,
        inspector=inspector.described(),
        histogram=score_histogram(scores, unit="raw score", limits=lines) if trained.good else "",
        suspects=_cards(odd, pictures, {s.name: s.reason for s in trained.suspects}),
        usual=_cards(usual, pictures, {n: f"score {trained.good[n]:.4g}" for n in usual}),
        missed=_cards(missed, pictures, {n: f"score {trained.bad[n]:.4g}" for n in missed}),
    )
    return write_text(path, html)


def _pictures(
    source: Source, inspector: Inspector, names: set[str]
) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Each picture, small, and the same with its heat."""
    low, high = inspector.heat_range or (0.0, 1.0)

    def drawn(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        small = thumbnail(picture.pixels)
        return small, heat_overlay(small, inspector.measure(picture).map, low, high)

    samples = [sample for sample in source.samples() if sample.name in names]
    seen = map_pictures(source, samples, drawn, value_range=inspector.value_range)
    return {sample.name: result for sample, result in seen if not isinstance(result, Unjudged)}


def _cards(
    names: Iterable[str],
    pictures: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    words: dict[str, str],
) -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "words": words[name],
            "address": data_address(pictures[name][0]),
            "heat": data_address(pictures[name][1]),
        }
        for name in names
        if name in pictures
    ]
