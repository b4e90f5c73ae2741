"""`flawline compare-golden`: what is missing and what is extra beside a golden sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable
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
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.jobs.golden.golden_comparison import GoldenComparison

LISTED = 20


def compare_golden(
    source: SourceArgument,
    golden: Annotated[
        str | None,
        typer.Option(
            help="A picture of a good part, or a folder of such pictures; without it, the column template of the "
            "manifest names the picture that each is compared with."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the tables, masks/ and report.html.")
    ] = Path("flawline-golden"),
    align: Annotated[
        str, typer.Option(help="How parts move from picture to picture: shift, rigid or polar.")
    ] = "shift",
    largest_angle: Annotated[
        float, typer.Option(help="By how many degrees parts turn at most, with --align rigid.")
    ] = 180.0,
    light: Annotated[
        str, typer.Option(help="How the illumination is evened: none, level, flat or gradient.")
    ] = "level",
    slack: Annotated[int, typer.Option(help="By how many px edges may lie elsewhere.")] = 2,
    contrast: Annotated[
        int, typer.Option(help="Least difference of a pixel that counts, levels of 1 to 254.")
    ] = 40,
    least: Annotated[
        float | None,
        typer.Option(
            help="Strength above which a region counts, px of full contrast; 4, or more where known good pictures of "
            "the source show more."
        ),
    ] = None,
    material: Annotated[
        str,
        typer.Option(
            help="Tell missing from extra by the part being bright or dark beside what is behind it; auto goes by "
            "contrast."
        ),
    ] = "auto",
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Find what is missing or extra beside a golden sample; exit code 0 nothing, 1 something, 2 not all compared."""
    from flawline.api.golden import compare_golden as compare
    from flawline.jobs.golden.golden_files import write_comparison
    from flawline.jobs.golden.golden_tables import comparison_as_dict

    span = parse_range(value_range)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        out.mkdir(parents=True, exist_ok=True)
        comparison = compare(
            opened,
            golden,
            align=cast(Any, align),
            largest_angle=largest_angle,
            light=cast(Any, light),
            slack=slack,
            contrast=contrast,
            least=least,
            material=cast(Any, material),
            value_range=span,
            folder=out,
            track=ProgressBar(quiet=quiet),
        )
        written = write_comparison(comparison, opened, out, value_range=span)
        summary = opened.summary()
    if as_json:
        print_json(comparison_as_dict(comparison))
    else:
        print_comparison(comparison)
    print_unjudged(comparison.unjudged)
    lines = [
        f"a region counts above a strength of {comparison.least:.4g} ({comparison.basis})",
        f"wrote {', '.join(map(str, written))} and {out / 'masks'}",
    ]
    print_notes(summary, lines, quiet=quiet)
    return comparison.exit_code


def print_comparison(comparison: GoldenComparison) -> None:
    """What differs as a table, the strongest first, and the counts in one sentence."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    differing = [picture for picture in comparison.pictures if picture.regions]
    differing.sort(key=lambda picture: (-picture.score, picture.sample.name))
    if differing:
        table = Table(box=None, pad_edge=False)
        for name in ("missing", "extra", "strongest"):
            table.add_column(name, justify="right")
        table.add_column("image", overflow="fold")
        for picture in differing[:LISTED]:
            kinds = [region.label for region in picture.regions]
            table.add_row(
                str(kinds.count("missing")),
                str(kinds.count("extra")),
                f"{picture.score:.4g}",
                Text(printable(picture.sample.name)),
            )
        console.print(table)
    if len(differing) > LISTED:
        console.print(f"and {len(differing) - LISTED} more")
    said = (f"{count} {verdict}" for verdict, count in comparison.counts.items() if count)
    total = counted(sum(comparison.counts.values()), "picture")
    console.print(f"{total}: {', '.join(said)}", style="bold")
