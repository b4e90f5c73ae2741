"""`flawline study agreement`: how well those who decide agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import StoreOption
from flawline.cli.strict import Strict
from flawline.cli.study_output import Confidence, show_study
from flawline.cli.table_options import TableFormatOption


def agreement(
    table: Annotated[
        Path | None,
        typer.Argument(help="CSV, Parquet or spreadsheet, one row per answer; or give --store."),
    ] = None,
    measure: Annotated[str | None, typer.Option(help="The column of answers.")] = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    part: Annotated[str | None, typer.Option(help="Column of parts.")] = None,
    rater: Annotated[str | None, typer.Option(help="Column of those who answer.")] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Column of right answers; in records, the person who is right."),
    ] = None,
    machine: Annotated[
        bool,
        typer.Option("--machine", help="In records, the machine's verdicts are one more rater."),
    ] = False,
    bad_answers: Annotated[
        str | None,
        typer.Option(help="Answers that mean a bad part, separated by commas."),
    ] = None,
    grades: Annotated[
        str | None,
        typer.Option(help="All answers from the least to the most, separated by commas."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for agreement.html, .svg, .png and .json.")
    ] = Path("flawline-agreement"),
    confidence: Confidence = 0.95,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Compare people, machines and the right answers: kappa, misses and false alarms."""
    from flawline.api.study_agreement import study_agreement
    from flawline.jobs.study.agreement_report import agreement_report

    found = study_agreement(
        measure,
        table,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        part=part,
        rater=rater,
        reference=reference,
        machine=machine,
        bad_answers=_listed(bad_answers),
        grades=_listed(grades),
        confidence=confidence,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(agreement_report(found), out, as_json=as_json, quiet=quiet, strict=strict)


def _listed(text: str | None) -> list[str]:
    return [] if text is None else [word.strip() for word in text.split(",") if word.strip()]
