"""`flawline inspect`: judge pictures with a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable
from flawline.cli.feature_options import (
    Bad,
    Good,
    Limits,
    SourceArgument,
    open_from_options,
    picture_notes,
    print_notes,
    print_unjudged,
)
from flawline.cli.recipe_options import RecipeArgument, RecipePrecision
from flawline.cli.record_options import SetOption
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.inspector import Inspector
    from flawline.station.inspected import InspectionRun
    from flawline.station.keep_records import Keeping

LISTED = 20


def inspect(
    recipe: RecipeArgument,
    source: SourceArgument,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the tables, overlays/ and report.html."),
    ] = Path("flawline-inspection"),
    overlays: Annotated[
        str, typer.Option(help="Pictures with heat and outlines: flagged, all or none.")
    ] = "flagged",
    precision: RecipePrecision = None,
    store: Annotated[
        str | None,
        typer.Option(help="Write records too: an SQLite file, or postgresql://USER@HOST/DATABASE."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            help="Pictures and maps kept with the records: flagged, all or none; flagged if not given."
        ),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(help="Folder or URL for them; beside an SQLite file if not given."),
    ] = None,
    constant: SetOption = None,
    good: Good = None,
    bad: Bad = None,
    limits: Limits = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Accept, review or reject each picture, with reasons; exit code 0 all accepted, 1 not all, 2 not all judged."""
    from flawline.inspector import Inspector
    from flawline.station.inspect_report import write_run
    from flawline.station.inspect_source import inspect_source
    from flawline.station.inspection_tables import run_as_dict

    inspector = Inspector.open(recipe, precision=precision)
    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / ".unfinished"
    # What one database has not taken must not end in another one.
    spool = out / f".unstored-{sha256((store or '').encode()).hexdigest()[:8]}"
    with (
        open_from_options(source, good, bad, limits) as opened,
        _keeping(store, keep, pictures, constant, inspector, spool) as keeping,
    ):
        run = inspect_source(
            opened,
            inspector,
            folder=out,
            overlays=overlays,
            unfinished=unfinished,
            keeping=keeping,
            track=ProgressBar(quiet=quiet),
        )
        written = write_run(run, opened, inspector, out)
        summary = opened.summary()
    unfinished.unlink(missing_ok=True)
    spool.unlink(missing_ok=True)
    if as_json:
        print_json(run_as_dict(run))
    else:
        print_run(run)
    print_unjudged(run.unjudged)
    lines = [*_notes(run, keeping), f"wrote {', '.join(map(str, written))}"]
    print_notes(summary, lines, quiet=quiet)
    return run.exit_code


@contextmanager
def _keeping(
    store: str | None,
    keep: str | None,
    pictures: str | None,
    constant: list[str] | None,
    inspector: Inspector,
    spool: Path,
) -> Iterator[Keeping | None]:
    """Where the options want inspections kept; None for nowhere."""
    from flawline.api.records import pictures_of
    from flawline.cli.record_options import assignments
    from flawline.errors import UsageError

    if store is None:
        if keep or pictures or constant:
            raise UsageError(
                "--keep, --pictures and --set are about records", hint="give --store too"
            )
        yield None
        return
    from flawline.records import open_store
    from flawline.records.writer import Writer
    from flawline.station.keep_records import Keeping
    from flawline.station.replay import keep_recipe

    which = keep or "flagged"
    place = None if which == "none" else pictures_of(pictures, store)
    with open_store(store) as opened, Writer(opened, spool=spool) as writer:
        keeping = Keeping(writer, place, which, assignments(constant, "--set"))
        if place is not None:
            keep_recipe(opened, place, inspector.recipe)
        yield keeping


def _notes(run: InspectionRun, keeping: Keeping | None) -> list[str]:
    """What decoding chose or lost, what went into records, and what an earlier run had done."""
    notes = picture_notes({item.sample.name: item.notes for item in run.inspections})
    if keeping is not None:
        added = keeping.writer.added
        notes.append(
            f"records: {added.new} new, {added.known} known before, in {keeping.writer.store.name}"
        )
    if run.resumed:
        notes.append(
            f"{counted(run.resumed, 'picture was', 'pictures were')} judged before, by the run that was interrupted"
        )
    return notes


def print_run(run: InspectionRun) -> None:
    """What was not accepted as a table, the worst first, and the counts in one sentence."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    flagged = [item for item in run.inspections if item.row["verdict"] != "accept"]
    if flagged:
        flagged.sort(key=lambda item: (-item.row["score"], item.sample.name))
        table = Table(box=None, pad_edge=False)
        for name, justify in (("verdict", "left"), ("score", "right"), ("p", "right")):
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        table.add_column("image", overflow="fold")
        table.add_column("why", overflow="fold")
        for item in flagged[:LISTED]:
            row = item.row
            table.add_row(
                row["verdict"],
                f"{row['score']:.4g}",
                "" if row["p_value"] is None else f"{row['p_value']:.3g}",
                Text(printable(item.sample.name)),
                Text("; ".join(row["reasons"][1:] or row["reasons"])),
            )
        console.print(table)
    if len(flagged) > LISTED:
        console.print(f"and {len(flagged) - LISTED} more")
    said = (f"{count} {verdict}" for verdict, count in run.counts.items() if count)
    console.print(
        f"{counted(sum(run.counts.values()), 'picture')}: {', '.join(said)}", style="bold"
    )
