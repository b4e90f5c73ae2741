"""Write the files of an inspected source: tables and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from flawline.core.drawing import thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.inspector import Inspector
from flawline.recipe import stated_thresholds
from flawline.report.pictures import data_address
from flawline.station.gallery import Gallery
from flawline.station.inspect_report import (
    InspectCard,
    RecipeText,
    listed_pictures,
    ordinary_picture,
    write_inspect_report,
)
from flawline.station.inspected import Inspected, InspectionRun
from flawline.station.inspection_tables import (
    write_csv,
    write_defects,
    write_json_lines,
    write_parquet,
    write_parts,
)
from flawline.types import Picture, Unjudged


def write_run(
    run: InspectionRun,
    source: Source,
    inspector: Inspector,
    folder: Path,
    gallery: Gallery | None = None,
) -> list[Path]:
    """Write inspections.csv, .parquet, .jsonl, defects.csv and report.html into `folder`; returns their paths.

    Where the source names parts, parts.csv too. Pictures that `gallery` lacks, such as those of an interrupted run, are
    read from the source.
    """
    return [
        write_csv(run, folder / "inspections.csv"),
        write_parquet(run, folder / "inspections.parquet"),
        write_json_lines(run, folder / "inspections.jsonl"),
        write_defects(run, folder / "defects.csv"),
        *([write_parts(run, folder / "parts.csv")] if run.parts else []),
        _write_report(run, source, inspector, folder / "report.html", gallery or Gallery()),
    ]


def _write_report(
    run: InspectionRun, source: Source, inspector: Inspector, path: Path, gallery: Gallery
) -> Path:
    limit = inspector.recipe.settings.threshold
    text = RecipeText(
        stated_thresholds(inspector.recipe),
        {} if limit is None else {"review": limit.review, "reject": limit.reject},
        inspector.classes[1:] if limit is None else (),
    )
    flagged, close = listed_pictures(run)
    found = ordinary_picture(run)
    ordinary = [found] if found is not None and found not in close else []
    return write_inspect_report(
        run,
        text,
        _cards(flagged, source, inspector, gallery),
        _cards(close, source, inspector, gallery),
        next(iter(_cards(ordinary, source, inspector, gallery)), None),
        path,
    )


def _cards(
    items: Sequence[Inspected], source: Source, inspector: Inspector, gallery: Gallery
) -> list[InspectCard]:
    """Make the cards of pictures; the address of one that cannot be read is None."""
    addresses = [gallery.get(item.sample.name, item.inspection) for item in items]
    missing = [item.sample for item, address in zip(items, addresses, strict=True) if not address]
    # At the size at which they were inspected: the page of a resumed run equals that of a whole one.
    thumbnails = map_pictures(source, missing, _address, value_range=inspector.value_range)
    read = {sample.name: text for sample, text in thumbnails if not isinstance(text, Unjudged)}
    return [
        InspectCard(item, address or read.get(item.sample.name), _overlay(item.overlay))
        for item, address in zip(items, addresses, strict=True)
    ]


def _address(picture: Picture) -> str:
    return data_address(thumbnail(picture.pixels))


def _overlay(path: Path | None) -> str | None:
    if path is None or not path.is_file():
        return None
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    return data_address(thumbnail(np.asarray(pixels, np.uint8)))
