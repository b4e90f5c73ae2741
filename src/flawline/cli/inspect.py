"""`flawline inspect`: judge pictures with a recipe."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable, warn
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
    Limits,
    Root,
    SourceArgument,
    open_from_options,
    picture_notes,
    print_notes,
    print_unjudged,
)
from flawline.cli.fleet import OnOption, inspect_on
from flawline.cli.outputs import opened_outputs
from flawline.cli.recipe_options import RecipeArgument, RecipePrecision
from flawline.cli.record_options import (
    AgainOption,
    KeepOption,
    OutputOption,
    PicturesOption,
    SetOption,
    WrittenStore,
    assignments,
)
from flawline.cli.unfinished import note_start_over
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.station.inspected import InspectionRun
    from flawline.station.station import Station

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
    store: WrittenStore = None,
    keep: KeepOption = None,
    pictures: PicturesOption = None,
    constant: SetOption = None,
    again: AgainOption = False,
    output: OutputOption = None,
    on: OnOption = None,
    good: Good = None,
    bad: Bad = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Accept, review or reject each picture, with reasons; exit code 0 all accepted, 1 not all, 2 not all judged."""
    from flawline.api.inspect import open_station
    from flawline.inspector import Inspector
    from flawline.station.gallery import Gallery
    from flawline.station.inspect_source import inspect_source
    from flawline.station.inspection_files import write_run
    from flawline.station.inspection_tables import run_as_dict

    inspector = Inspector.open(recipe, precision=precision)
    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / ".unfinished"
    note_start_over(unfinished, quiet=quiet)
    # What one database has not taken must not end in another one.
    spool = out / f".unstored-{sha256((store or '').encode()).hexdigest()[:8]}"
    gallery = Gallery()
    if on is not None:
        return inspect_on(
            on,
            inspector,
            partial(open_from_options, source, good, bad, limits, root, encoding),
            partial(
                open_station,
                inspector,
                store=store,
                keep=keep,
                pictures=pictures,
                constant=assignments(constant, "--set"),
                again=again,
                output=opened_outputs(output or ()),
                spool=spool,
                say=warn,
            ),
            out,
            overlays=overlays,
            as_json=as_json,
            quiet=quiet,
        )
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        with open_station(
            inspector,
            store=store,
            keep=keep,
            pictures=pictures,
            constant=assignments(constant, "--set"),
            again=again,
            output=opened_outputs(output or ()),
            spool=spool,
            limits=opened.image_limits,
            say=warn,
        ) as station:
            run = inspect_source(
                opened,
                station,
                folder=out,
                overlays=overlays,
                unfinished=unfinished,
                gallery=gallery,
                track=ProgressBar(quiet=quiet),
            )
        written = write_run(run, opened, inspector, out, gallery)
        summary = opened.summary()
    unfinished.unlink(missing_ok=True)
    spool.unlink(missing_ok=True)
    if as_json:
        print_json(run_as_dict(run))
    else:
        print_run(run)
    print_unjudged(run.unjudged)
    lines = [*_notes(run, station), f"wrote {', '.join(map(str, written))}"]
    print_notes(summary, lines, quiet=quiet)
    return run.exit_code


def _notes(run: InspectionRun, station: Station) -> list[str]:
    """What decoding chose or lost, what went into records, and what an earlier run had done."""
    notes = picture_notes({item.sample.name: item.notes for item in run.inspections})
    notes += run.notes
    if (added := station.added) is not None:
        notes.append(
            f"records: {added.new} new, {added.known} known before, in {station.records_name}"
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
    flagged = [item for item in run.inspections if item.inspection.verdict != "accept"]
    if flagged:
        flagged.sort(key=lambda item: (-item.inspection.score, item.sample.name))
        table = Table(box=None, pad_edge=False)
        for name, justify in (("verdict", "left"), ("score", "right"), ("p", "right")):
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        table.add_column("image", overflow="fold")
        table.add_column("why", overflow="fold")
        for item in flagged[:LISTED]:
            found = item.inspection
            table.add_row(
                found.verdict,
                f"{found.score:.4g}",
                "" if found.p_value is None else f"{found.p_value:.3g}",
                Text(printable(item.sample.name)),
                Text("; ".join(found.reasons[1:] or found.reasons)),
            )
        console.print(table)
    if len(flagged) > LISTED:
        console.print(f"and {len(flagged) - LISTED} more")
    said = (f"{count} {verdict}" for verdict, count in run.counts.items() if count)
    console.print(
        f"{counted(sum(run.counts.values()), 'picture')}: {', '.join(said)}", style="bold"
    )
    if run.parts:
        from flawline.station.inspected_parts import part_counts

        of_parts = (f"{count} {name}" for name, count in part_counts(run.parts).items() if count)
        console.print(f"{counted(len(run.parts), 'part')}: {', '.join(of_parts)}", style="bold")
