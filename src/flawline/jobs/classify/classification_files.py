"""Write the files of a classification: tables and the report."""

from __future__ import annotations

from pathlib import Path

from flawline.data.source import Source
from flawline.data.thumbnails import read_thumbnails
from flawline.jobs.classify.classification import Classification, mistakes
from flawline.jobs.classify.classification_tables import write_csv, write_json
from flawline.jobs.classify.classify_report import write_classify_report

SHOWN = 18
SIDE = 240


def write_classification(
    classification: Classification,
    source: Source,
    folder: Path,
    *,
    value_range: tuple[float, float] | None = None,
) -> Path:
    """Write predictions.csv, classification.json and report.html into `folder`; returns the report's path.

    The report shows the most confident mistakes, read once more from `source`.
    """
    write_csv(classification, folder / "predictions.csv")
    write_json(classification, folder / "classification.json")
    shown = [prediction.sample for prediction in mistakes(classification)[:SHOWN]]
    pixels = read_thumbnails(source, shown, side=SIDE, value_range=value_range)
    return write_classify_report(classification, pixels, folder / "report.html")
