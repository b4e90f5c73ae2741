"""Write inspections as CSV, Parquet, JSON lines and one JSON document; equal inspections give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.csv_file import further_names, write_csv_rows
from flawline.data.tables import write_frame
from flawline.data.whole_file import write_text
from flawline.inspector.inspection import nine_digits
from flawline.station.inspected import Inspected, InspectionRun

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "image",
    "label",
    "group",
    "verdict",
    "score",
    "p_value",
    "defects",
    "largest_area",
    "reasons",
    "width",
    "height",
    "sha256",
    "recipe",
)


def run_as_dict(run: InspectionRun) -> dict[str, Any]:
    """Build the JSON document that `flawline inspect` prints."""
    return {
        "source": run.source,
        "recipe": run.recipe,
        "part": run.part,
        "settings": dict(run.settings),
        "counts": run.counts,
        "notes": list(run.notes),
        "inspections": [inspected_as_dict(item) for item in run.inspections],
        "parts": [part.as_dict() for part in run.parts],
        "unjudged": [item.as_dict() for item in run.unjudged],
    }


def inspected_as_dict(item: Inspected) -> dict[str, Any]:
    """Convert one inspection, with label, group and notes, to what JSON can hold."""
    sample = item.sample
    return {
        "image": sample.name,
        "label": sample.label,
        "group": sample.group,
        **item.inspection.as_dict(),
        "notes": list(item.notes),
    }


def write_json_lines(run: InspectionRun, path: Path) -> Path:
    """Write one JSON object a line: every inspection in the order of the source, then what could not be judged."""
    lines = [inspected_as_dict(item) for item in run.inspections]
    lines += [
        {"image": item.image, "verdict": None, "code": item.code, "reasons": [item.reason]}
        for item in run.unjudged
    ]
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    return write_text(path, text)


def write_csv(run: InspectionRun, path: Path) -> Path:
    """Write one row per picture, with the source's further columns; those not judged follow with an empty verdict."""
    measured, extra = _measured(run), _extra(run)
    names = [*COLUMNS, *measured]
    rows = [
        [*_cells(item, measured), *(item.sample.metadata.get(k) for k in extra)]
        for item in run.inspections
    ]
    blank: list[Any] = [None] * (len(names) + len(extra))
    for item in run.unjudged:
        row = list(blank)
        row[0], row[COLUMNS.index("reasons")] = item.image, f"could not be judged: {item.reason}"
        rows.append(row)
    return write_csv_rows(path, [*names, *further_names(names, extra)], rows)


def write_parquet(run: InspectionRun, path: Path) -> Path:
    """Write the table of `write_csv` with types; the source's further columns are text."""
    return write_frame(inspections_frame(run), path)


def inspections_frame(run: InspectionRun) -> pl.DataFrame:
    """Make the table of `write_parquet`: what was judged, then what could not be."""
    import polars as pl

    measured, extra = _measured(run), _extra(run)
    names = [*COLUMNS, *measured]
    types: dict[str, Any] = {
        **dict.fromkeys(COLUMNS, pl.String),
        **dict.fromkeys(measured, pl.Float64),
        **dict.fromkeys(("score", "p_value", "largest_area"), pl.Float64),
        **dict.fromkeys(("defects", "width", "height"), pl.Int64),
    }
    columns: dict[str, list[Any]] = {name: [] for name in (*names, *further_names(names, extra))}
    for item in run.inspections:
        values = [_text(item.sample.metadata.get(key)) for key in extra]
        for name, value in zip(columns, (*_cells(item, measured), *values), strict=True):
            columns[name].append(value)
    for missed in run.unjudged:
        known = {"image": missed.image, "reasons": f"could not be judged: {missed.reason}"}
        for name, cells in columns.items():
            cells.append(known.get(name))
    return pl.DataFrame(
        {k: pl.Series(v, dtype=types.get(k, pl.String)) for k, v in columns.items()}
    )


def write_defects(run: InspectionRun, path: Path) -> Path:
    """Write one row per defect: picture, number in it, class, place and measures."""
    shown = [(item.sample.name, item.inspection.regions) for item in run.inspections]
    names = list(
        dict.fromkeys(name for _, regions in shown for one in regions for name in one.measures)
    )
    rows = [
        [image, number, one.label, *one.box, one.peak]
        + [nine_digits(one.measures[name]) if name in one.measures else None for name in names]
        for image, regions in shown
        for number, one in enumerate(regions, start=1)
    ]
    own = ("image", "defect", "class", "box_left", "box_top", "box_width", "box_height", "peak")
    return write_csv_rows(path, [*own, *names], rows)


def write_parts(run: InspectionRun, path: Path) -> Path:
    """Write one row per part: its verdict, its strictest picture, and how many pictures it has."""
    header = ("part", "verdict", "score", "p_value", "image", "pictures", "unjudged", "reasons")
    rows = [
        [
            part.part,
            part.verdict,
            part.score,
            part.p_value,
            part.image,
            len(part.pictures),
            len(part.unjudged),
            "; ".join(part.reasons),
        ]
        for part in run.parts
    ]
    return write_csv_rows(path, header, rows)


def _measured(run: InspectionRun) -> list[str]:
    """List the measures of parts, in their order."""
    return list(
        dict.fromkeys(name for item in run.inspections for name in item.inspection.measures)
    )


def _cells(item: Inspected, measured: Sequence[str]) -> list[Any]:
    inspection, sample = item.inspection, item.sample
    height, width = inspection.size
    return [
        sample.name,
        sample.label,
        sample.group,
        inspection.verdict,
        inspection.score,
        inspection.p_value,
        len(inspection.regions),
        max((round(region.area, 2) for region in inspection.regions), default=0.0),
        "; ".join(inspection.reasons),
        width,
        height,
        inspection.sha256,
        inspection.recipe,
        *(inspection.measures.get(name) for name in measured),
    ]


def _extra(run: InspectionRun) -> list[str]:
    return sorted({key for item in run.inspections for key in item.sample.metadata})


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
