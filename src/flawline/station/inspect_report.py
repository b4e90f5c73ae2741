"""The files of an inspection: tables, and a report that shows what a person should look at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from flawline.core.drawing import class_colour, thumbnail
from flawline.data.source import Source
from flawline.data.thumbnails import read_thumbnails
from flawline.data.whole_file import write_text
from flawline.inspector import Inspector
from flawline.recipe import NO_THRESHOLD, stated_thresholds
from flawline.report.charts import score_histogram
from flawline.report.pictures import data_address, meaning
from flawline.report.template import template
from flawline.station.inspected import Inspected, InspectionRun
from flawline.station.inspection_tables import (
    write_csv,
    write_defects,
    write_json_lines,
    write_parquet,
)

SHOWN = 60
CLOSE = 6
LISTED = 1000


def write_run(run: InspectionRun, source: Source, inspector: Inspector, folder: Path) -> list[Path]:
    """Write inspections.csv, .parquet, .jsonl, defects.csv and report.html into `folder`; returns their paths."""
    return [
        write_csv(run, folder / "inspections.csv"),
        write_parquet(run, folder / "inspections.parquet"),
        write_json_lines(run, folder / "inspections.jsonl"),
        write_defects(run, folder / "defects.csv"),
        write_inspect_report(run, source, inspector, folder / "report.html"),
    ]


def write_inspect_report(
    run: InspectionRun,
    source: Source,
    inspector: Inspector,
    path: Path,
) -> Path:
    """Write the report: the sixty worst that were not accepted, and the accepted ones closest to being flagged."""
    ordered = sorted(run.inspections, key=lambda item: (-item.row["score"], item.sample.name))
    flagged = [item for item in ordered if item.row["verdict"] != "accept"]
    close = [item for item in ordered if item.row["verdict"] == "accept"][:CLOSE]
    shown = [item.sample for item in (*flagged[:SHOWN], *close)]
    small = read_thumbnails(source, shown, value_range=inspector.value_range)
    limit = inspector.recipe.settings.threshold
    limits = {} if limit is None else {"review": limit.review, "reject": limit.reject}
    groups: dict[str, list[float]] = {"good": [], "unknown": [], "bad": []}
    for item in run.inspections:
        groups[meaning(item.sample.defective)].append(item.row["score"])
    html = template("inspect.html").render(
        run=run,
        threshold=stated_thresholds(inspector.recipe),
        no_threshold=NO_THRESHOLD,
        classes=_legend(inspector) if limit is None else [],
        flagged=flagged,
        cards=list(_cards(flagged[:SHOWN], small)),
        close=list(_cards(close, small)),
        histogram=score_histogram(
            groups,
            unit="raw score" if limits else "highest probability of a defect",
            limits=limits,
        ),
        listed=ordered[:LISTED],
    )
    return write_text(path, html)


def _legend(inspector: Inspector) -> list[tuple[str, str]]:
    """The name and colour of each class of defects."""
    return [
        (name, "rgb({},{},{})".format(*class_colour(number)))
        for number, name in enumerate(inspector.classes[1:], start=1)
    ]


def _cards(items: Iterable[Inspected], small: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for item in items:
        pixels = small.get(item.sample.name)
        yield {
            "item": item,
            "address": None if pixels is None else data_address(pixels),
            "heat": _overlay(item.overlay),
        }


def _overlay(path: Path | None) -> str | None:
    if path is None or not path.is_file():
        return None
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    return data_address(thumbnail(np.asarray(pixels, np.uint8)))
