"""`flawline chart --chart pareto`: which name is met most often."""

from __future__ import annotations

from collections.abc import Mapping
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
    table_format: Mapping[str, str],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Chart the names of a column of a table."""
    from flawline.api.chart import noted_pareto
    from flawline.data.table_format import stated_format
    from flawline.jobs.chart.pareto_counts import pareto_as_dict, pareto_finding
    from flawline.jobs.chart.pareto_report import write_pareto

    if table is None:
        raise UsageError(
            "a pareto chart is of a table", hint="`flawline records export` writes one"
        )
    counted, skipped, notes = noted_pareto(measure, table, size, stated_format(table_format))
    out.mkdir(parents=True, exist_ok=True)
    report = write_pareto(counted, measure, size or "rows", skipped, out)
    if as_json:
        print_json(pareto_as_dict(counted, measure, skipped))
    else:
        typer.echo(pareto_finding(counted, measure))
    print_skipped(skipped)
    for text in (*notes, f"report: {report}"):
        note(text, quiet=quiet)
    return 2 if skipped else 0
