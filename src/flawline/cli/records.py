"""`flawline records`: look into what was kept, decide, take out, bring in, judge again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json, printable
from flawline.cli.record_listing import print_record, print_records
from flawline.cli.record_options import (
    AgainOption,
    AtLeast,
    AtMost,
    Count,
    PicturesOption,
    RecordNumber,
    Since,
    StoreArgument,
    Until,
    VerdictOption,
    WhereOption,
    assignments,
    numbers,
)
from flawline.cli.table_options import TableFormatOption
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.station.replay import Replay
    from flawline.types import Verdict

records = typer.Typer(
    name="records",
    help="Look into records, decide, export, import, judge again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@records.command("list")
def list_records(
    store: StoreArgument,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    verdict: VerdictOption = None,
    at_least: AtLeast = None,
    at_most: AtMost = None,
    undecided: Annotated[
        bool, typer.Option("--undecided", help="Only those about which nobody has decided.")
    ] = False,
    count: Count = 20,
    after: Annotated[
        str | None, typer.Option(help="Go on after this place, which the previous page prints.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """List inspections, the newest first."""
    from flawline.api.records import list_records as list_page
    from flawline.records.record import stored_as_dict

    page = list_page(
        store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        verdict=verdict,
        at_least=numbers(at_least, "--at-least"),
        at_most=numbers(at_most, "--at-most"),
        undecided=undecided,
        count=count,
        after=after,
    )
    if as_json:
        print_json({"records": [stored_as_dict(kept) for kept in page.items], "next": page.next})
        return 0
    print_records(page.items)
    if page.next:
        note(f"more with --after={page.next}", quiet=quiet)
    return 0


@records.command()
def show(store: StoreArgument, number: RecordNumber, as_json: AsJson = False) -> int:
    """Show one inspection with its defects, measures and decisions."""
    from flawline.api.records import show_record
    from flawline.records.record import stored_as_dict

    kept = show_record(store, number)
    if as_json:
        print_json(stored_as_dict(kept))
    else:
        print_record(kept)
    return 0


@records.command()
def decide(
    store: StoreArgument,
    number: RecordNumber,
    verdict: Annotated[str, typer.Argument(help="accept, review or reject.")],
    who: Annotated[str, typer.Option(help="Who decides.")],
    why: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> int:
    """Add a person's decision; the machine's verdict and earlier decisions stay as they are."""
    from flawline.api import records as api
    from flawline.records.record import stored_as_dict

    kept = api.decide(store, number, cast("Verdict", verdict), who=who, why=why)
    if as_json:
        print_json(stored_as_dict(kept))
    else:
        typer.echo(
            f"inspection {number}: {verdict}, decided by {printable(who)}; "
            f"the machine said {kept.record.verdict or 'nothing'}"
        )
    return 0


@records.command()
def export(
    store: StoreArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for inspections, defects, decisions.")
    ] = Path("flawline-records"),
    form: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    verdict: VerdictOption = None,
    at_least: AtLeast = None,
    at_most: AtMost = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Write records as tables that other programs read, and `flawline records import` reads back."""
    from flawline.api.records import export_records

    paths = export_records(
        store,
        out,
        form=form,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        verdict=verdict,
        at_least=numbers(at_least, "--at-least"),
        at_most=numbers(at_most, "--at-most"),
    )
    if as_json:
        print_json({"tables": [str(path) for path in paths]})
    note(f"wrote {', '.join(map(str, paths))}", quiet=quiet or as_json)
    return 0


@records.command("import")
def import_records(
    store: StoreArgument,
    table: Annotated[
        Path, typer.Argument(help="CSV, Parquet or spreadsheet, one row per part or picture.")
    ],
    defects: Annotated[
        Path | None,
        typer.Option(help="Its table of defects; found by itself next to what Flawline wrote."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=COLUMN: which column holds a field, such as lot=Charge."),
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE for all rows, such as station=press-1."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times without one: +01:00 or Europe/Berlin.")
    ] = None,
    again: AgainOption = False,
    table_format: TableFormatOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Take an earlier table into the records; rows that are there already are passed over."""
    from flawline.api import records as api

    done = api.import_records(
        store,
        table,
        defects=defects,
        column=assignments(column, "--column"),
        constant=assignments(constant, "--set"),
        zone=zone,
        again=again,
        table_format=assignments(table_format, "--table-format"),
    )
    if as_json:
        print_json(
            {
                "new": done.added.new,
                "known": done.added.known,
                "defects": done.defects,
                "measures": list(done.measures),
                "notes": list(done.notes),
            }
        )
        return 0
    typer.echo(
        f"{counted(done.added.new, 'inspection')} new, {done.added.known} known before; "
        f"{counted(done.defects, 'defect')}; measures: {', '.join(map(printable, done.measures)) or 'none'}"
    )
    for text in done.notes:
        note(text, quiet=quiet)
    return 0


@records.command("partition")
def partition_records(store: StoreArgument, as_json: AsJson = False, quiet: Quiet = False) -> int:
    """Partition records in PostgreSQL by month, so that old months can go at once; new databases are."""
    from flawline.api import records as api

    count = api.partition_records(store, track=ProgressBar(quiet=quiet or as_json))
    if as_json:
        print_json({"inspections": count})
    else:
        typer.echo(f"{counted(count, 'inspection')}, partitioned by month")
    return 0


@records.command("thin")
def thin_records(
    store: StoreArgument,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=TIME with accept, reject, unjudged (pictures and maps) or inspections; 30d, 8w or 5y, 30d:100 "
            "keeps 1 in 100 afterwards; repeatable."
        ),
    ] = None,
    pictures: PicturesOption = None,
    recipe: Annotated[
        list[Path] | None,
        typer.Option(
            help="A recipe whose pictures stay, besides those in the records; repeatable."
        ),
    ] = None,
    protect: Annotated[
        list[Path] | None,
        typer.Option(help="Pictures that stay, such as labelled ones: a source; repeatable."),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove it; it is only counted if not given.")
    ] = False,
    who: Annotated[str, typer.Option(help="Who removes it, for the audit trail.")] = "",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Count what records need not keep by rules, and remove it by choice; nothing goes that something refers to."""
    from flawline.api import records as api

    done = api.thin_records(
        store,
        assignments(keep, "--keep"),
        pictures=pictures,
        recipe=recipe or (),
        protect=protect or (),
        remove=remove,
        who=who,
        track=ProgressBar(quiet=quiet or as_json),
    )
    if as_json:
        print_json(asdict(done))
        return 0
    verb = "removed" if done.removed else "would go:"
    typer.echo(
        f"{verb} {done.files} of {counted(done.stored, 'stored picture or map', 'stored pictures and maps')} "
        f"({done.bytes / 1e6:.1f} MB), {counted(done.inspections, 'inspection')}"
    )
    if not done.removed and (done.files or done.inspections):
        note("nothing was removed: --remove --who NAME does it", quiet=quiet)
    return 0


@records.command("replay")
def replay_record(
    store: StoreArgument,
    number: RecordNumber,
    recipe: Annotated[
        Path | None, typer.Option(help="The recipe, instead of the one that was kept.")
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(help="Where pictures are kept; next to an SQLite file if not given."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Judge the kept picture of an inspection again and compare; exit code 0 the same, 1 not."""
    from flawline.api.records import replay

    done = replay(store, number, recipe=recipe, pictures=pictures)
    if as_json:
        print_json(_replay_as_dict(done))
    else:
        told = "the same" if done.same else "; ".join(done.differences)
        typer.echo(
            f"inspection {number}: {done.verdict}, score {done.score:.6g}, "
            f"{counted(done.defects, 'defect')}: {told}"
        )
    return 0 if done.same else 1


def _replay_as_dict(done: Replay) -> dict[str, object]:
    return {
        "id": done.kept.id,
        "same": done.same,
        "verdict": done.verdict,
        "score": done.score,
        "p_value": done.p_value,
        "defects": done.defects,
        "differences": list(done.differences),
    }
