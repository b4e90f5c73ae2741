"""What every `flawline study` prints and writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import next_step, note, print_json, text_table
from flawline.cli.series_options import print_skipped
from flawline.cli.strict import STYLES, strict_code

if TYPE_CHECKING:
    from flawline.jobs.study.study import Study, StudyTable

Confidence = Annotated[float, typer.Option(help="Of the intervals.")]


def show_study(study: Study, out: Path, *, as_json: bool, quiet: bool, strict: bool) -> int:
    """Write the report of a study into `out`, print the finding and the tables, and return the exit code.

    2 where rows could not be used, or where `strict` asks for a usable result and it is not.
    """
    from flawline.jobs.study.study_files import write_study

    out.mkdir(parents=True, exist_ok=True)
    written = write_study(study, out)
    if as_json:
        print_json(written.document)
    else:
        _print(study)
    print_skipped(study.skipped, "left out")
    broken = [f"does not hold: {one.what}: {one.why}" for one in study.broken]
    for text in () if as_json else (*broken, *study.notes):
        note(text, quiet=quiet)
    note(f"report: {written.page}", quiet=quiet)
    return strict_code(2 if study.skipped else 0, study.verdict.usable, strict=strict)


def _print(study: Study) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(study.finding), style=STYLES[study.verdict.usable])
    printed = [table for table in study.tables if table.printed]
    for table in printed:
        _print_table(console, table, titled=len(printed) > 1)
    if study.next_step:
        next_step(study.next_step)


def _print_table(console: object, table: StudyTable, *, titled: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    assert isinstance(console, Console)
    if titled:
        console.print(Text(f"\n{table.title}"), style="bold")
    console.print(text_table(table.columns, table.rows, right=table.numbers))
