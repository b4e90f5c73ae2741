"""Options of every command that reads a series of measures from a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import warn

if TYPE_CHECKING:
    from flawline.jobs.chart.row_groups import Skipped

LISTED = 10

OptionalTable = Annotated[
    Path | None,
    typer.Argument(
        help="CSV, Parquet or spreadsheet, one row per part in time order; or give --store."
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(help="Read records: an SQLite file, or postgresql://USER@HOST/DATABASE."),
]
Measure = Annotated[str, typer.Option(help="The column to chart.")]
By = Annotated[
    str | None, typer.Option(help="Make one point of the rows with the same value in this column.")
]
Subgroup = Annotated[
    str | None,
    typer.Option(help="Make one point of this many rows in a row, or of the rows of a column."),
]
Label = Annotated[
    str | None, typer.Option(help="Column that names the points (else the row number).")
]
Summary = Annotated[
    str | None,
    typer.Option(help="What a point is of its rows: mean, median, max, min or sum."),
]
Transform = Annotated[
    str, typer.Option(help="auto, none, log, box-cox, johnson, weibull, gamma or percentile.")
]
Unit = Annotated[str, typer.Option(help="Unit of the measure, as it is to be written.")]

Watch = Annotated[
    bool,
    typer.Option("--watch", help="Keep the chart current as records arrive, and send alerts."),
]
Once = Annotated[
    bool,
    typer.Option("--once", help="With --watch: judge what is new, send alerts, and end."),
]
Every = Annotated[
    float | None, typer.Option(help="With --watch: seconds between readings; 5 if not given.")
]
Last = Annotated[
    int | None,
    typer.Option(help="With --watch: points that are drawn, 500 if not given; all are judged."),
]
Alert = Annotated[
    list[str] | None,
    typer.Option(
        help="With --watch: where alerts go, such as console, file:PATH or webhook:URL; repeatable; else console."
    ),
]


def print_skipped(skipped: Sequence[Skipped], what: str = "could not be charted") -> None:
    """Name the rows that could not be used, the first ten in full."""
    for row in skipped[:LISTED]:
        warn(f"{what}: {row.label}: {row.reason}")
    if len(skipped) > LISTED:
        warn(f"and {len(skipped) - LISTED} more")
