"""Options of every command that reads a series of measures from a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import warn

if TYPE_CHECKING:
    from flawline.jobs.chart.series import Forming, Series, Skipped
    from flawline.records.where import Where

LISTED = 10

TableArgument = Annotated[
    Path, typer.Argument(help="CSV or Parquet table, one row per part in time order.")
]
OptionalTable = Annotated[
    Path | None,
    typer.Argument(help="CSV or Parquet table, one row per part in time order; or give --store."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(help="Chart records: an SQLite file, or postgresql://USER@HOST/DATABASE."),
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


def forming(
    by: str | None,
    subgroup: str | None,
    *,
    size: str | None = None,
    label: str | None = None,
    stage: str | None = None,
    summary: str | None = None,
    unit: str = "",
) -> Forming:
    """How rows become points, from the options."""
    from flawline.errors import UsageError
    from flawline.jobs.chart.series import Forming

    if by and subgroup:
        raise UsageError("--by and --subgroup both form the points; give one of them")
    every = int(subgroup) if subgroup and subgroup.isdecimal() else None
    return Forming(
        by=by or (subgroup if every is None else None),
        every=every,
        size=size,
        label=label,
        stage=stage,
        summary=summary,
        unit=unit,
    )


def series_of(
    table: Path | None, store: str | None, measure: str, kind: str, how: Forming, where: Where
) -> Series:
    """The series of a table's column, or of a measure of records."""
    from flawline.errors import UsageError
    from flawline.jobs.chart.series import form_series
    from flawline.records import open_store

    if (table is None) == (store is None):
        raise UsageError("expected either a table or --store", hint="give one of them")
    if store is None:
        assert table is not None
        return read_series(table, measure, kind, how)
    beside = [name for name in how.columns(measure) if name != measure]
    with open_store(store, create=False) as opened:
        return form_series(opened.columns(measure, where, beside), measure, kind, how)


def read_series(table: Path, measure: str, kind: str, how: Forming) -> Series:
    """The series of a table's column."""
    from flawline.jobs.chart.series import form_series
    from flawline.jobs.chart.series_table import read_columns

    return form_series(read_columns(table, how.columns(measure)), measure, kind, how)


def print_skipped(skipped: Sequence[Skipped]) -> None:
    """Name the rows that could not be used, the first ten in full."""
    for row in skipped[:LISTED]:
        warn(f"could not be charted: {row.label}: {row.reason}")
    if len(skipped) > LISTED:
        warn(f"and {len(skipped) - LISTED} more rows")
