"""Write the report of the training of a segmenter: learning curves, thresholds and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.core.colours import SERIES, UNKNOWN
from flawline.core.drawing import class_colour
from flawline.data.whole_file import write_text
from flawline.jobs.train.segment.progress_record import EpochRecord
from flawline.jobs.train.segment.segment_panels import Panels
from flawline.jobs.train.segment.train_segment import TrainedSegmenterRecipe
from flawline.report.figure import INK, as_svg, new_figure, own_style
from flawline.report.pictures import data_address
from flawline.report.template import template

_SHORT = 6


def write_segmenter_page(
    trained: TrainedSegmenterRecipe,
    described: Mapping[str, Any],
    panels: Mapping[str, Panels],
    path: Path,
) -> Path:
    """Write the HTML report of the training of a segmenter.

    Args:
        trained: what to report.
        described: the recipe as `Inspector.described` gives it.
        panels: by name a validation picture, the same with its mask and with what is predicted, uint8 RGB.
        path: the HTML file to write.
    """
    names = [one.name for one in trained.masks.classes[1:]]
    figures = trained.validation.matrix.figures()
    html = template("segmenter.html").render(
        trained=trained,
        recipe=trained.recipe,
        inspector=described,
        losses=_losses(trained.records),
        curves=iou_curves(trained.records, names),
        classes=[
            {
                "name": name,
                "colour": "rgb({},{},{})".format(*class_colour(number)),
                "figures": figures[number],
                "threshold": trained.chosen[number - 1],
                "share": trained.masks.classes[number],
            }
            for number, name in enumerate(names, start=1)
        ],
        cards=[
            {"name": name, "addresses": [data_address(panel) for panel in three]}
            for name, three in panels.items()
        ],
    )
    return write_text(path, html)


@own_style()
def _losses(records: Sequence[EpochRecord]) -> str:
    figure, axes = new_figure()
    epochs, marker = [record.epoch for record in records], _marker(records)
    totals = [record.losses.get("total", 0.0) for record in records]
    axes.plot(epochs, totals, label="training", color=SERIES[0], marker=marker)
    known = [(r.epoch, r.validation_loss) for r in records if r.validation_loss is not None]
    if known:
        drawn = {"color": SERIES[1], "ls": "--", "marker": marker}
        axes.plot(*zip(*known, strict=True), label="validation (-log p)", **drawn)
    _finish(axes, "loss")
    return as_svg(figure, "Loss by epoch")


@own_style()
def iou_curves(records: Sequence[EpochRecord], names: Sequence[str]) -> str:
    """Draw the IoU of each class on validation by epoch, as SVG."""
    figure, axes = new_figure()
    for number, name in enumerate(names, start=1):
        known = [(r.epoch, r.iou[name]) for r in records if r.iou.get(name) is not None]
        if known:
            colour = [level / 255 for level in class_colour(number)]
            axes.plot(*zip(*known, strict=True), label=name, color=colour, marker=_marker(records))
    best = [record.epoch for record in records if record.best]
    if best:
        axes.axvline(best[-1], color=UNKNOWN, lw=1, ls=":", label=f"best: epoch {best[-1]}")
    if not any(
        value is not None for r in records for name, value in r.iou.items() if name in names
    ):
        words = "no validation picture shows a defect"
        axes.text(0.5, 0.5, words, ha="center", transform=axes.transAxes, color=INK)
    axes.set_ylim(0, 1)
    _finish(axes, "IoU on validation")
    return as_svg(figure, "IoU of each class by epoch")


def _marker(records: Sequence[EpochRecord]) -> str | None:
    """Mark the points of a short curve: a line through one of them cannot be seen."""
    return "o" if len(records) < _SHORT else None


def _finish(axes: Any, words: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel(words)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
