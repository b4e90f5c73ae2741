"""`flawline study gauge`: how well a gauge measures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import Measure, OptionalTable, StoreOption, Unit
from flawline.cli.strict import Strict
from flawline.cli.study_output import Confidence, show_study
from flawline.cli.table_options import TableFormatOption


def gauge(
    measure: Measure,
    table: OptionalTable = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    part: Annotated[
        str | None,
        typer.Option(help="Column of parts; without it all readings are of one part."),
    ] = None,
    operator: Annotated[
        str | None, typer.Option(help="Column of operators, stations or cameras.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Column of true sizes, for bias and linearity; or that of the one part."),
    ] = None,
    nested: Annotated[
        bool, typer.Option("--nested", help="Each part was read by one operator only.")
    ] = False,
    tolerance: Annotated[
        float | None, typer.Option(help="Width of the tolerance, in the unit of the readings.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for gauge.html, .svg, .png and .json.")
    ] = Path("flawline-gauge"),
    method: Annotated[
        str, typer.Option(help="auto, anova, reml (readings may be missing) or range.")
    ] = "auto",
    share: Annotated[
        float, typer.Option(help="Percent of the tolerance for Cg and Cgk of one part.")
    ] = 20.0,
    unit: Unit = "",
    confidence: Confidence = 0.95,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Measure how much of a reading is the gauge itself: gauge R&R, bias and linearity, or a type 1 study."""
    from flawline.api.study_gauge import study_gauge
    from flawline.jobs.study.gauge_report import gauge_report

    found = study_gauge(
        measure,
        table,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        part=part,
        operator=operator,
        reference=reference,
        nested=nested,
        tolerance=tolerance,
        method=method,
        share=share,
        unit=unit,
        confidence=confidence,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(gauge_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
