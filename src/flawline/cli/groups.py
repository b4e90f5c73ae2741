"""`flawline groups`: which pictures show the same part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable
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
    from flawline.jobs.groups.grouping import Grouping

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
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Suggest which pictures show the same part, so that a split never tears them apart."""
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
