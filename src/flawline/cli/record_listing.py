"""Records as a person reads them: a table of many, all about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from flawline.cli.console import printable, text_table

if TYPE_CHECKING:
    from flawline.records.record import StoredRecord


def print_records(items: Sequence[StoredRecord]) -> None:
    """A table with a row for each inspection."""
    from rich.console import Console

    titles = ["id", "time", "verdict", "decision", "score", "lot", "image"]
    Console(highlight=False).print(text_table(titles, map(_row, items)))


def print_record(kept: StoredRecord) -> None:
    """All that is known of one inspection."""
    from flawline.records.record import record_as_dict

    plain = record_as_dict(kept.record)
    for name, value in plain.items():
        if name not in ("defects", "measures"):
            typer.echo(f"{name}: {printable(_said(value))}")
    for name, number in kept.record.measures.items():
        typer.echo(f"{printable(name)}: {number:.6g}")
    for place, defect in enumerate(kept.record.defects, start=1):
        measured = ", ".join(f"{name} {value:.4g}" for name, value in defect.measures.items())
        typer.echo(f"defect {place}: {printable(f'{defect.label} at {defect.box}, {measured}')}")
    for item in kept.decisions:
        told = f"{item.when.isoformat()}: {item.verdict} by {item.who}: {item.why}"
        typer.echo(f"decision {printable(told)}")


def _row(kept: StoredRecord) -> list[str]:
    record = kept.record
    time = record.captured or record.judged
    return [
        str(kept.id),
        time.isoformat(sep=" ", timespec="seconds"),
        record.verdict or "none",
        kept.decisions[-1].verdict if kept.decisions else "",
        "" if record.score is None else f"{record.score:.4g}",
        record.lot or "",
        record.image,
    ]


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={cell}" for name, cell in value.items())
    return str(value)
