"""`flawline study multi-vari`: which family of variation is largest."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import Measure, OptionalTable, StoreOption, Unit
from flawline.cli.strict import Strict
from flawline.cli.study_output import show_study
from flawline.cli.table_options import TableFormatOption


def multi_vari(
    measure: Measure,
    factors: Annotated[
        str,
        typer.Option(help='Columns from the outside in, separated by commas, such as "time,part".'),
    ],
    table: OptionalTable = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for multi-vari.html, .svg, .png and .json."),
    ] = Path("flawline-multi-vari"),
    unit: Unit = "",
    confidence: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Find the largest family of variation: within a part, from part to part, or from time to time."""
    from flawline.api.study_multi_vari import study_multi_vari
    from flawline.jobs.study.multi_vari_report import multi_vari_report

    found = study_multi_vari(
        measure,
        table,
        factors=[name.strip() for name in factors.split(",") if name.strip()],
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        unit=unit,
        confidence=confidence,
        table_format=assignments(table_format, "--table-format"),
    )
    report = multi_vari_report(found)
    if found.result.largest == 0 and table is not None:
        named = " ".join(map(shlex.quote, (str(table), "--measure", measure)))
        following = f"flawline chart {named} --chart i-mr-r --by {shlex.quote(found.factors[0])}"
        report = replace(report, next_step=following)
    return show_study(report, out, as_json=as_json, quiet=quiet, strict=strict)
