"""`flawline groups`: which pictures show the same part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable, text_table
from flawline.cli.feature_options import (
    Encoding,
    Limits,
    Root,
    SourceArgument,
    ValueRange,
    open_from_options,
    parse_range,
    print_notes,
    print_unjudged,
)

if TYPE_CHECKING:
    from flawline.data.source import Source
    from flawline.jobs.groups.grouping import Grouping
    from flawline.jobs.groups.named_parts import NamedParts

LISTED = 10


def groups(
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for groups.csv, groups.json, report.html.")
    ] = Path("flawline-groups"),
    threshold: Annotated[
        float, typer.Option(help="Similarity from which pictures are joined; lower joins more.")
    ] = 0.75,
    neighbours: Annotated[
        int, typer.Option(help="Candidates that each picture is compared with.", min=2)
    ] = 12,
    part_from: Annotated[
        str | None,
        typer.Option(
            help='Take the part from the name: a pattern such as "{lot}_{part}_{view}"; * is anything.'
        ),
    ] = None,
    codes: Annotated[
        bool,
        typer.Option(
            "--codes", help="Take the part from a DataMatrix, QR or 1-D code in the picture."
        ),
    ] = False,
    sequence: Annotated[
        int | None,
        typer.Option(
            help="This many pictures in a row show one part, by the numbers in their names."
        ),
    ] = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Suggest which pictures show the same part, so that a split never tears them apart."""
    if part_from is not None or codes or sequence is not None:
        track = ProgressBar(quiet=quiet)
        with open_from_options(source, limits=limits, root=root, encoding=encoding) as opened:
            return _named(opened, out, part_from, codes, sequence, track, as_json, quiet)
    from flawline.api.features import groups as group
    from flawline.jobs.groups.grouping_files import write_grouping
    from flawline.jobs.groups.grouping_tables import grouping_as_dict

    span = parse_range(value_range)
    track = ProgressBar(quiet=quiet)
    with open_from_options(source, limits=limits, root=root, encoding=encoding) as opened:
        out.mkdir(parents=True, exist_ok=True)
        grouping = group(
            opened, threshold=threshold, neighbours=neighbours, value_range=span, track=track
        )
        report = write_grouping(grouping, opened, out, value_range=span, track=track)
        summary, in_folder = opened.summary(), opened.folder() is not None
    if as_json:
        print_json(grouping_as_dict(grouping))
    else:
        print_grouping(grouping)
    print_unjudged(grouping.unjudged)
    table = "a manifest of suggestions" if in_folder else "suggestions to merge into a manifest"
    lines = [*grouping.notes, f"wrote {out / 'groups.csv'} ({table}), {out / 'groups.json'}"]
    print_notes(summary, [*lines, f"report: {report}"], quiet=quiet)
    return 2 if grouping.unjudged else 0


def _named(
    opened: Source,
    out: Path,
    part_from: str | None,
    codes: bool,
    sequence: int | None,
    track: ProgressBar,
    as_json: bool,
    quiet: bool,
) -> int:
    """Suggest parts by codes, names or order, and write parts.csv and parts.json."""
    from flawline.api.features import name_parts
    from flawline.data.json_file import write_json_document
    from flawline.jobs.groups.named_parts import parts_as_dict, write_parts

    found = name_parts(opened, part_from=part_from, codes=codes, sequence=sequence, track=track)
    out.mkdir(parents=True, exist_ok=True)
    table = write_parts(found, out / "parts.csv", opened.folder())
    document = parts_as_dict(found)
    write_json_document(out / "parts.json", document)
    if as_json:
        print_json(document)
    else:
        print_parts(found)
    print_unjudged(found.unjudged)
    lines = [*found.notes, f"wrote {table} (a manifest of suggestions), {out / 'parts.json'}"]
    print_notes(opened.summary(), lines, quiet=quiet)
    return 2 if found.unjudged else 0


def print_parts(found: NamedParts) -> None:
    """The finding, a preview, and the gaps of a sequence."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.print(printable(found.sentence), markup=False, style="bold")
    rows = [
        (one.sample.name, *(one.fields.get(name, "") for name in found.fields), one.by or "nothing")
        for one in found.pictures[:LISTED]
    ]
    console.print(text_table(["image", *found.fields, "by"], rows))
    if found.gaps:
        console.print(
            printable(f"missing in the sequence: {', '.join(found.gaps[:LISTED])}"), markup=False
        )
    if found.uncertain:
        names = ", ".join(found.uncertain[:LISTED])
        text = f"a gap is no whole number of parts: look at the parts {names} and those after them"
        console.print(printable(text), markup=False)
    console.print("These are suggestions: look at them before you use the table.")


def print_grouping(grouping: Grouping) -> None:
    """The largest groups as a table, and the finding in one sentence."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if grouping.groups:
        table = Table(box=None, pad_edge=False)
        table.add_column("group")
        table.add_column("pictures", justify="right")
        table.add_column("least alike", justify="right")
        table.add_column("such as", overflow="fold")
        for members in grouping.groups[:LISTED]:
            lowest = min(picture.similarity or 0 for picture in members)
            names = ", ".join(picture.sample.name for picture in members[:2])
            table.add_row(
                members[0].group, str(len(members)), f"{lowest:.3f}", Text(printable(names))
            )
        console.print(table)
    console.print(grouping.sentence, style="bold")
    if grouping.agreement:
        told = grouping.agreement
        console.print(
            f"against the source's own groups: {told.both} pairs in both, {told.suggested_only} only here, "
            f"{told.source_only} only there; adjusted Rand index {told.adjusted_rand:.3f}"
        )
    console.print("These are suggestions: look at the pairs near the threshold in the report.")
