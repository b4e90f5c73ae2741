"""`flawline study growth`: how defects at known places grow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.strict import Strict
from flawline.cli.study_causes import DefectStore, PicturesRoot, studied_pictures
from flawline.cli.study_output import Confidence, show_study
from flawline.cli.table_options import TableFormatOption


def growth(
    table: Annotated[
        Path | None,
        typer.Argument(
            help="CSV, Parquet or spreadsheet, one row per shot of a place; or --store or --pictures."
        ),
    ] = None,
    store: DefectStore = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for growth.html, .svg, .png and .json.")
    ] = Path("flawline-growth"),
    place: Annotated[str, typer.Option(help="Column of the place.")] = "part",
    time: Annotated[str, typer.Option(help="Column of the time.")] = "captured",
    area: Annotated[
        str, typer.Option(help="Column of the area; an empty cell is a shot without labels.")
    ] = "largest_area",
    framing: Annotated[
        str | None,
        typer.Option(
            help="Column that changes where the camera was moved; without it the change is looked for."
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="The shots: a manifest with columns of place and time, as `flawline groups --part-from` writes one."
        ),
    ] = None,
    root: PicturesRoot = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Which finds the defects on --pictures; without it, the change since the first shots is followed."
        ),
    ] = None,
    first_shots: Annotated[
        int,
        typer.Option(help="Of each place, taken to be good, that --pictures are compared with."),
    ] = 12,
    limit: Annotated[
        float | None,
        typer.Option(help="The largest area that is allowed, in the framing of the last shots."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of the areas of a table or of records; else px.")
    ] = None,
    confidence: Confidence = 0.95,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Measure how fast defects at known places grow, from when on, and when they reach a limit."""
    from flawline.api.causes import study_growth
    from flawline.jobs.study.growth_report import growth_report

    with studied_pictures(pictures, root) as shown:
        found = study_growth(
            table,
            store=store,
            where=assignments(where, "--where"),
            since=since,
            until=until,
            place=place,
            time=time,
            area=area,
            framing=framing,
            pictures=shown,
            recipe=recipe,
            first_shots=first_shots,
            limit=limit,
            unit=unit,
            confidence=confidence,
            table_format=assignments(table_format, "--table-format"),
            track=ProgressBar(quiet=quiet),
        )
    return show_study(growth_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
