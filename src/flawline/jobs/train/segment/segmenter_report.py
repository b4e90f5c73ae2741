"""The report of a training of a segmenter: how it learnt, what its thresholds rest on, where it errs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flawline.core.drawing import class_colour
from flawline.data.masks import MaskedSource
from flawline.data.whole_file import write_text
from flawline.inspector import Inspector
from flawline.jobs.train.segment.progress_record import EpochRecord
from flawline.jobs.train.segment.segment_examples_page import three_panels
from flawline.jobs.train.segment.train_segment import TrainedSegmenterRecipe
from flawline.report.figure import as_svg, new_figure, own_style
from flawline.report.pictures import data_address
from flawline.report.template import template

SHOWN = 12


def write_segmenter_report(
    trained: TrainedSegmenterRecipe, source: MaskedSource, path: Path
) -> Path:
    """Write the HTML report; the validation pictures that it shows are read and inspected once more."""
    recipe = trained.recipe
    inspector = Inspector(recipe)
    classes = inspector.classes
    figures = trained.validation.matrix.figures()
    html = template("segmenter.html").render(
        trained=trained,
        recipe=recipe,
        inspector=inspector.described(),
        losses=_losses(trained.records),
        curves=_curves(trained.records, classes),
        classes=[
            {
                "name": name,
                "colour": "rgb({},{},{})".format(*class_colour(number)),
                "figures": figures[number],
                "threshold": trained.chosen[number - 1],
                "share": trained.masks.classes[number],
            }
            for number, name in enumerate(classes[1:], start=1)
        ],
        cards=_cards(trained, source, inspector),
    )
    return write_text(path, html)


def _cards(
    trained: TrainedSegmenterRecipe, source: MaskedSource, inspector: Inspector
) -> list[dict[str, Any]]:
    cards = []
    for sample in trained.shown[:SHOWN]:
        picture, truth = source.pair(sample)
        marked = inspector.marked(inspector.measure(picture))
        panels = three_panels(picture.pixels, truth, marked)
        cards.append({"name": sample.name, "addresses": [data_address(p) for p in panels]})
    return cards


@own_style()
def _losses(records: Sequence[EpochRecord]) -> str:
    figure, axes = new_figure()
    epochs = [record.epoch for record in records]
    axes.plot(
        epochs, [r.losses.get("total", 0.0) for r in records], label="training", color="#0072B2"
    )
    known = [(r.epoch, r.validation_loss) for r in records if r.validation_loss is not None]
    if known:
        axes.plot(*zip(*known, strict=True), label="validation (-log p)", color="#D55E00", ls="--")
    _finish(axes, "loss")
    return as_svg(figure, "Loss by epoch")


@own_style()
def _curves(records: Sequence[EpochRecord], classes: Sequence[str]) -> str:
    figure, axes = new_figure()
    for number, name in enumerate(classes[1:], start=1):
        known = [(r.epoch, r.iou[name]) for r in records if r.iou.get(name) is not None]
        if known:
            colour = [level / 255 for level in class_colour(number)]
            axes.plot(*zip(*known, strict=True), label=name, color=colour)
    best = [record.epoch for record in records if record.best]
    if best:
        axes.axvline(best[-1], color="#999999", lw=1, ls=":", label=f"kept: epoch {best[-1]}")
    axes.set_ylim(0, 1)
    _finish(axes, "IoU on validation")
    return as_svg(figure, "IoU of each class by epoch")


def _finish(axes: Any, words: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel(words)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
