"""`flawline chart --chart pareto`: which name is met most often."""

from __future__ import annotations

from pathlib import Path

import typer

from flawline.cli.console import note, print_json
from flawline.cli.series_options import print_skipped
from flawline.errors import UsageError


def chart_pareto(
    table: Path | None,
    measure: str,
    size: str | None,
    out: Path,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Chart the names of a column of a table."""
    from flawline.api.chart import pareto
    from flawline.jobs.chart.pareto_counts import pareto_as_dict, pareto_finding
    from flawline.jobs.chart.pareto_report import write_pareto

    if table is None:
        raise UsageError(
            "a pareto chart is of a table", hint="`flawline records export` writes one"
        )
    counted, skipped = pareto(measure, table, size=size)
    out.mkdir(parents=True, exist_ok=True)
    report = write_pareto(counted, measure, size or "rows", skipped, out)
    if as_json:
        print_json(pareto_as_dict(counted, measure, skipped))
    else:
        typer.echo(pareto_finding(counted, measure))
    print_skipped(skipped)
    note(f"report: {report}", quiet=quiet)
    return 2 if skipped else 0
