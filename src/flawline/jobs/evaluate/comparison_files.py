"""Write the tables and the report of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.data.masks import MaskSettings
from flawline.data.source import Source
from flawline.jobs.evaluate.class_masks import SOURCE_MASKS
from flawline.jobs.evaluate.compare import Comparison
from flawline.jobs.evaluate.compare_report import listed_differences, write_comparison_report
from flawline.jobs.evaluate.evaluation_tables import write_compared_scores, write_comparison_json
from flawline.jobs.evaluate.inspected_pictures import show

if TYPE_CHECKING:
    from flawline.inspector import Inspector


def write_comparison(
    comparison: Comparison,
    source: Source,
    inspectors: Mapping[str, Inspector],
    folder: Path,
    masks: MaskSettings = SOURCE_MASKS,
) -> tuple[Path, Path, Path]:
    """Write scores.csv, comparison.json and report.html into `folder`; returns their paths.

    The pictures on which recipes disagree most are read once more from `source` and inspected again; `masks` are those
    of the comparison.
    """
    by_name = {sample.name: sample for sample in comparison.samples}
    samples = [by_name[name] for name in listed_differences(comparison)]
    shown = show(source, samples, list(inspectors.values()), masks)
    return (
        write_compared_scores(comparison, folder / "scores.csv"),
        write_comparison_json(comparison, folder / "comparison.json"),
        write_comparison_report(comparison, shown, folder / "report.html"),
    )
