"""`flawline study hit-miss`: from which size on defects are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import StoreOption, Unit
from flawline.cli.strict import Strict
from flawline.cli.study_output import show_study
from flawline.cli.table_options import TableFormatOption


def hit_miss(
    size: Annotated[str, typer.Option(help="Column of the sizes of known defects.")],
    table: Annotated[
        Path | None,
        typer.Argument(help="CSV, Parquet or spreadsheet, one row per defect; or give --store."),
    ] = None,
    found: Annotated[
        str, typer.Option(help="Column with 1 or yes where the defect was found, 0 or no else.")
    ] = "found",
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for hit-miss.html, .svg, .png and .json.")
    ] = Path("flawline-hit-miss"),
    unit: Unit = "",
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Tell from which size on known defects are found, as hit/miss data of MIL-HDBK-1823A."""
    from flawline.api.study_hit_miss import study_hit_miss
    from flawline.jobs.study.hit_miss_report import hit_miss_report

    studied = study_hit_miss(
        size,
        table,
        found=found,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        unit=unit,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(hit_miss_report(studied), out, as_json=as_json, quiet=quiet, strict=strict)
