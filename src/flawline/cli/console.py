"""What a person sees: results on standard output, progress, notes and errors on standard error."""

from __future__ import annotations

import io
import json
import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from flawline.cli.settings import as_options
from flawline.errors import FlawlineError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
TableOut = Annotated[Path, typer.Option("--out", "-o", help="The table: FILE.parquet or FILE.csv.")]


def stderr() -> Console:
    """The console for people: colours on a terminal, plain text in a pipe."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def speak_utf8() -> None:
    """Write UTF-8 whatever the locale says: names of files and labels come in every script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def silence_libraries() -> None:
    """Drop what C libraries write to standard error themselves; everything that Python writes still goes there.

    Decoders print a line for each damaged file, in addition to the error that we report.
    """
    try:
        own = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except OSError:
        return  # A service without standard error.
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(own, "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def printable(text: str) -> str:
    """Escape control characters of untrusted names: they could move the cursor, forge a line or turn text round."""
    return "".join(
        character
        if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs")
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )


def note(text: str, *, quiet: bool) -> None:
    """Print a note to standard error."""
    if not quiet:
        stderr().print(printable(as_options(text)), markup=False, style="dim")


def warn(text: str) -> None:
    """Say what must be known even where notes are not wanted."""
    stderr().print(printable(as_options(text)), markup=False, style="yellow")


def next_step(command: str) -> None:
    """Print the command to type next, whole, so that it can be copied."""
    typer.echo(printable(f"next: {command}"))


def say(texts: tuple[str, ...]) -> list[str]:
    """Print the warnings among what must be known; returns the rest."""
    for text in texts:
        if text.startswith("warning: "):
            warn(text)
    return [text for text in texts if not text.startswith("warning: ")]


def print_json(value: Any) -> None:
    """Print the one JSON document of a command."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def text_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()
) -> Table:
    """A table for people; those of `titles` that are in `right` head columns of numbers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def print_error(error: FlawlineError, *, as_json: bool) -> None:
    """Print an error: what was expected, what came, the way out."""
    if as_json:
        plain = {name: as_options(text) for name, text in error.as_dict().items()}
        print_json({"error": plain})
        return
    console = stderr()
    console.print("error:", style="bold red", end=" ")
    console.print(printable(as_options(error.message)), markup=False)
    if error.hint:
        console.print(" hint:", style="bold cyan", end=" ")
        console.print(printable(as_options(error.hint)), markup=False)


class ProgressBar:
    """A `Track` that draws a bar with rate and time left on a terminal and nothing in a pipe."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def __call__(self, items: Iterable[T], *, title: str, total: int | None) -> Iterable[T]:
        """Iterate over `items` while showing how far it is."""
        if not self._shown:
            yield from items
            return
        from rich import progress

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            _rate_column(),
            progress.TimeRemainingColumn(),
        )
        with progress.Progress(*columns, console=stderr(), transient=True) as bar:
            yield from bar.track(items, total=total, description=title)


def _rate_column() -> Any:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")

    return RateColumn()
