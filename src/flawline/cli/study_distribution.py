"""`flawline study distribution`: which distribution a measure follows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import Measure, OptionalTable, StoreOption, Unit
from flawline.cli.strict import Strict
from flawline.cli.study_output import show_study
from flawline.cli.table_options import TableFormatOption


def distribution(
    measure: Measure,
    table: OptionalTable = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for distribution.html, .svg, .png and .json."),
    ] = Path("flawline-distribution"),
    unit: Unit = "",
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Identify the distribution of a measure, with probability plots of the usual ones."""
    from flawline.api.study_distribution import study_distribution
    from flawline.jobs.study.distribution_report import distribution_report

    found = study_distribution(
        measure,
        table,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        unit=unit,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(distribution_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
