"""`flawline study multivariate`: several measures together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import Label, OptionalTable, StoreOption
from flawline.cli.strict import Strict
from flawline.cli.study_output import show_study
from flawline.cli.table_options import TableFormatOption


def multivariate(
    measures: Annotated[str, typer.Option(help="Two columns or more, separated by commas.")],
    table: OptionalTable = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    label: Label = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for multivariate.html, .svg, .png and .json."),
    ] = Path("flawline-multivariate"),
    learn: Annotated[
        int | None,
        typer.Option(help="Learn the limits from the first so many points, and judge the others."),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Chance of a false alarm for each point.")] = 0.0027,
    weight: Annotated[float, typer.Option(help="The MEWMA's lambda.")] = 0.1,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Chart several measures of a part together: parts that do not belong (T2), small lasting shifts (MEWMA)."""
    from flawline.api.study_multivariate import study_multivariate
    from flawline.jobs.study.multivariate_report import multivariate_report

    found = study_multivariate(
        [name.strip() for name in measures.split(",") if name.strip()],
        table,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        label=label,
        learn=learn,
        alpha=alpha,
        weight=weight,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(multivariate_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
