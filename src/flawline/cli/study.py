"""`flawline study`: what a process can do, and what a recipe finds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import (
    By,
    Label,
    Measure,
    OptionalTable,
    StoreOption,
    Subgroup,
    Transform,
    Unit,
)
from flawline.cli.strict import Strict
from flawline.cli.study_agreement import agreement
from flawline.cli.study_causes import factors, steps
from flawline.cli.study_distribution import distribution
from flawline.cli.study_gauge import gauge
from flawline.cli.study_growth import growth
from flawline.cli.study_hit_miss import hit_miss
from flawline.cli.study_multi_vari import multi_vari
from flawline.cli.study_multivariate import multivariate
from flawline.cli.study_output import Confidence, show_study
from flawline.cli.study_places import drift, location
from flawline.cli.study_pod import pod
from flawline.cli.study_sampling import sampling
from flawline.cli.table_options import TableFormatOption

study = typer.Typer(
    name="study",
    help="Study what a process can do and what a recipe finds.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@study.callback()
def _several() -> None:
    """Study what a process can do and what a recipe finds."""


study.command()(pod)
study.command()(hit_miss)
study.command()(gauge)
study.command()(steps)
study.command()(factors)
study.command()(agreement)
study.command()(sampling)
study.command()(multivariate)
study.command()(multi_vari)
study.command()(distribution)
study.command()(location)
study.command()(drift)
study.command()(growth)


@study.command()
def capability(
    measure: Measure,
    table: OptionalTable = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    lsl: Annotated[float | None, typer.Option(help="Lower specification limit.")] = None,
    usl: Annotated[float | None, typer.Option(help="Upper specification limit.")] = None,
    target: Annotated[float | None, typer.Option(help="What is aimed at, for Cpm.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for capability.html, .svg, .png and .json.")
    ] = Path("flawline-capability"),
    by: By = None,
    subgroup: Subgroup = None,
    label: Label = None,
    unit: Unit = "",
    transform: Transform = "auto",
    within: Annotated[
        str,
        typer.Option(
            help="Sigma within by range, deviation, pooled or moving-range; auto by the size of the subgroups."
        ),
    ] = "auto",
    confidence: Confidence = 0.95,
    coverage: Annotated[
        float, typer.Option(help="Share of the parts in the tolerance interval.")
    ] = 0.99,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Compute Cp, Cpk, Pp and Ppk of a measure, and say first whether the process is in control."""
    from flawline.api.chart import study_capability
    from flawline.jobs.study.capability_report import capability_report

    found = study_capability(
        measure,
        table,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        lsl=lsl,
        usl=usl,
        target=target,
        by=by,
        subgroup=subgroup,
        label=label,
        unit=unit,
        transform=transform,
        within=within,
        confidence=confidence,
        coverage=coverage,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(capability_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
