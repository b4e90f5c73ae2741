"""Write the tables and the report of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flawline.data.masks import MaskSettings
from flawline.data.source import Source
from flawline.jobs.evaluate.class_masks import SOURCE_MASKS
from flawline.jobs.evaluate.evaluation import Evaluation
from flawline.jobs.evaluate.evaluation_report import listed_misses, write_evaluation_report
from flawline.jobs.evaluate.evaluation_tables import WORST, write_evaluation_json, write_scores
from flawline.jobs.evaluate.figures import worst_false_alarms
from flawline.jobs.evaluate.inspected_pictures import show
from flawline.jobs.evaluate.segmentation_tables import write_class_table, write_region_table

if TYPE_CHECKING:
    from flawline.inspector import Inspector


def write_evaluation(
    evaluation: Evaluation,
    source: Source,
    inspector: Inspector,
    folder: Path,
    masks: MaskSettings = SOURCE_MASKS,
) -> tuple[Path, ...]:
    """Write scores.csv, evaluation.json and report.html into `folder`; returns their paths.

    For a segmenter with class masks also classes.csv and regions.csv. The worst misses and false alarms are read
    once more from `source` and inspected again; `masks` are those of the evaluation.
    """
    worst = [*listed_misses(evaluation), *worst_false_alarms(evaluation.pictures, WORST)]
    shown = show(source, [p.sample for p in worst], [inspector], masks)
    written = (
        write_scores(evaluation, folder / "scores.csv"),
        write_evaluation_json(evaluation, folder / "evaluation.json"),
        write_evaluation_report(evaluation, shown, folder / "report.html"),
    )
    if evaluation.segmentation is None:
        return written
    return (
        *written,
        write_class_table(evaluation.segmentation, folder / "classes.csv"),
        write_region_table(evaluation.pictures, folder / "regions.csv"),
    )
