"""`flawline study sampling`: how many parts of a lot to check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import assignments
from flawline.cli.series_options import Unit
from flawline.cli.strict import Strict
from flawline.cli.study_output import Confidence, show_study
from flawline.cli.table_options import TableFormatOption


def sampling(
    table: Annotated[
        Path | None,
        typer.Argument(help="Measurements of a sample, one row per part, to decide about its lot."),
    ] = None,
    measure: Annotated[str | None, typer.Option(help="The column of measurements.")] = None,
    lot: Annotated[int | None, typer.Option(help="Parts of the lot, for ISO 2859-1.")] = None,
    aql: Annotated[
        float | None, typer.Option(help="Percent of bad parts that should pass.")
    ] = None,
    level: Annotated[str, typer.Option(help="Inspection level: S-1 to S-4, I, II or III.")] = "II",
    severity: Annotated[str, typer.Option(help="normal or tightened.")] = "normal",
    ltpd: Annotated[
        float | None,
        typer.Option(help="Percent of bad parts that should not pass; the plan is then computed."),
    ] = None,
    producer_risk: Annotated[
        float, typer.Option(help="Most lots of the AQL that are rejected, percent.")
    ] = 5.0,
    consumer_risk: Annotated[
        float, typer.Option(help="Most lots of the LTPD that pass, percent.")
    ] = 10.0,
    sample: Annotated[
        int | None, typer.Option(help="Parts of the sample of your own plan.")
    ] = None,
    accept: Annotated[
        int | None, typer.Option(help="Bad parts with which your own plan accepts a lot.")
    ] = None,
    variables: Annotated[
        bool, typer.Option("--variables", help="Measure parts instead of counting bad ones.")
    ] = False,
    found: Annotated[
        int | None, typer.Option(help="Bad parts in the sample, to decide about its lot.")
    ] = None,
    lsl: Annotated[float | None, typer.Option(help="Lower specification limit.")] = None,
    usl: Annotated[float | None, typer.Option(help="Upper specification limit.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for sampling.html, .svg, .png and .json.")
    ] = Path("flawline-sampling"),
    unit: Unit = "",
    coverage: Annotated[
        float, typer.Option(help="Share of the parts in the tolerance interval.")
    ] = 0.99,
    confidence: Confidence = 0.95,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Plan how many parts of a lot to check, what that lets through, and judge a lot by it."""
    from flawline.api.study_sampling import study_sampling
    from flawline.jobs.study.sampling_report import sampling_report

    planned = study_sampling(
        measure,
        table,
        lot=lot,
        aql=aql,
        level=level,
        severity=severity,
        ltpd=ltpd,
        producer_risk=producer_risk,
        consumer_risk=consumer_risk,
        sample=sample,
        accept=accept,
        variables=variables,
        found=found,
        lsl=lsl,
        usl=usl,
        unit=unit,
        coverage=coverage,
        confidence=confidence,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(sampling_report(planned), out, as_json=as_json, quiet=quiet, strict=strict)
