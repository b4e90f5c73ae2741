"""`flawline split`: which pictures to learn from, and which to test with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, next_step, print_json, printable
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
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
    from flawline.jobs.split.splitting import Splitting


def split(
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The manifest: FILE.csv or FILE.parquet.")
    ] = Path("samples.csv"),
    by: Annotated[
        str,
        typer.Option(
            metavar="auto|group|duplicates|lot|time",
            help="What stays together; by time the latest are the test.",
        ),
    ] = "auto",
    column: Annotated[
        str | None,
        typer.Option(help="Column of the group, lot or time, where it is called otherwise."),
    ] = None,
    test: Annotated[float, typer.Option(help="Share of the pictures to test with.")] = 0.2,
    validation: Annotated[
        float, typer.Option(help="Share of the pictures to validate with.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the draw.", min=0)] = 0,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Split pictures into those to learn from and those to test with; a part is never split apart."""
    from flawline.api.split import split as split_source
    from flawline.data.tables import check_output
    from flawline.jobs.split.split_files import write_split

    span = parse_range(value_range)
    check_output(out)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        found = split_source(
            opened,
            by=by,
            column=column,
            test=test,
            validation=validation,
            seed=seed,
            value_range=span,
            track=ProgressBar(quiet=quiet),
        )
        write_split(found, opened, out)
        command = _next(found, opened, out, root)
        summary = opened.summary()
    if as_json:
        print_json(_as_dict(found, out, command))
    else:
        typer.echo(printable(found.sentence))
        next_step(command)
    print_unjudged(found.unjudged)
    print_notes(summary, [*found.notes, f"wrote {out}"], quiet=quiet)
    return 2 if found.unjudged else 0


def _next(found: Splitting, source: Source, out: Path, root: Path | None) -> str:
    """The command that learns from the manifest and judges its test."""
    from flawline.jobs.split.split_files import root_of, stated_labels

    masked = any(s.mask for s in found.samples) and all(s.defective is None for s in found.samples)
    words = ["flawline", "train", "segment" if masked else "anomaly", str(out)]
    wider = root_of(source, out) if root is None else root
    words += [] if wider is None else ["--root", str(wider)]
    good, bad = stated_labels(found)
    words += [word for label in good for word in ("--good", label)]
    words += [word for label in bad for word in ("--bad", label)]
    return shlex.join(words)


def _as_dict(found: Splitting, out: Path, command: str) -> dict[str, Any]:
    return {
        "source": found.source,
        "manifest": str(out),
        "settings": dict(found.settings),
        "splits": found.counts,
        "near_duplicates": found.alike,
        "pictures": [
            {
                "image": sample.name,
                "label": sample.label,
                "group": sample.group,
                "split": sample.split,
            }
            for sample in found.samples
        ],
        "notes": list(found.notes),
        "next": command,
        "unjudged": [item.as_dict() for item in found.unjudged],
    }
