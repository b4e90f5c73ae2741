"""The option of every command that reads a table."""

from __future__ import annotations

from typing import Annotated

import typer

TableFormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--table-format",
        help="NAME=VALUE of how the table is written, where that is not found out: encoding, separator, decimal (point "
        "or comma), dates (day or month first), header (row of the names), sheet; repeatable.",
    ),
]
