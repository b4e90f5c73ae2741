"""The files of an inspection: tables, and a report that shows what a person should look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from flawline.core.drawing import class_colour, thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.data.whole_file import write_text
from flawline.inspector import Inspector
from flawline.recipe import NO_THRESHOLD, stated_thresholds
from flawline.report.charts import score_histogram
from flawline.report.pictures import data_address, meaning
from flawline.report.template import template
from flawline.station.gallery import CLOSE, SHOWN, Gallery
from flawline.station.inspected import Inspected, InspectionRun
from flawline.station.inspection_tables import (
    write_csv,
    write_defects,
    write_json_lines,
    write_parquet,
)
from flawline.types import Picture, Unjudged

LISTED = 1000


def write_run(
    run: InspectionRun,
    source: Source,
    inspector: Inspector,
    folder: Path,
    gallery: Gallery | None = None,
) -> list[Path]:
    """Write inspections.csv, .parquet, .jsonl, defects.csv and report.html into `folder`; returns their paths."""
    return [
        write_csv(run, folder / "inspections.csv"),
        write_parquet(run, folder / "inspections.parquet"),
        write_json_lines(run, folder / "inspections.jsonl"),
        write_defects(run, folder / "defects.csv"),
        write_inspect_report(run, source, inspector, folder / "report.html", gallery),
    ]


def write_inspect_report(
    run: InspectionRun,
    source: Source,
    inspector: Inspector,
    path: Path,
    gallery: Gallery | None = None,
) -> Path:
    """Write the report: the sixty worst that were not accepted, and the accepted ones closest to being flagged.

    Pictures that `gallery` has not seen, such as those of an interrupted run, are read from the source.
    """
    ordered = sorted(run.inspections, key=lambda item: (-item.inspection.score, item.sample.name))
    flagged = [item for item in ordered if item.inspection.verdict != "accept"]
    close = [item for item in ordered if item.inspection.verdict == "accept"][:CLOSE]
    cards = _cards([*flagged[:SHOWN], *close], source, inspector, gallery or Gallery())
    limit = inspector.recipe.settings.threshold
    limits = {} if limit is None else {"review": limit.review, "reject": limit.reject}
    groups: dict[str, list[float]] = {"good": [], "unknown": [], "bad": []}
    for item in run.inspections:
        groups[meaning(item.sample.defective)].append(item.inspection.score)
    html = template("inspect.html").render(
        run=run,
        threshold=stated_thresholds(inspector.recipe),
        no_threshold=NO_THRESHOLD,
        classes=_legend(inspector) if limit is None else [],
        flagged=flagged,
        cards=cards[: min(len(flagged), SHOWN)],
        close=cards[min(len(flagged), SHOWN) :],
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


def _cards(
    items: Sequence[Inspected], source: Source, inspector: Inspector, gallery: Gallery
) -> list[dict[str, Any]]:
    """What is shown of each picture: `item`, and the addresses of the picture and its overlay, None where none is."""
    addresses = [gallery.get(item.sample.name, item.inspection) for item in items]
    missing = [item.sample for item, address in zip(items, addresses, strict=True) if not address]
    # As large as the station saw them, so that the page of a resumed run is that of a whole one.
    seen = map_pictures(source, missing, _address, value_range=inspector.value_range)
    read = {sample.name: text for sample, text in seen if not isinstance(text, Unjudged)}
    return [
        {
            "item": item,
            "address": address or read.get(item.sample.name),
            "heat": _overlay(item.overlay),
        }
        for item, address in zip(items, addresses, strict=True)
    ]


def _address(picture: Picture) -> str:
    return data_address(thumbnail(picture.pixels))


def _overlay(path: Path | None) -> str | None:
    if path is None or not path.is_file():
        return None
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    return data_address(thumbnail(np.asarray(pixels, np.uint8)))
