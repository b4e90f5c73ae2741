"""`flawline compare`: which of several recipes is better, on the same pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable, say, text_table
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
from flawline.cli.mask_options import (
    Annotations,
    Boxes,
    Classes,
    Ignore,
    MaskThreshold,
    Palette,
    mask_settings,
)
from flawline.cli.recipe_options import DrawSeed, DropKnown, RecipePrecision, Split

if TYPE_CHECKING:
    from rich.table import Table

    from flawline.jobs.evaluate.compare import Comparison


def compare(
    recipes: Annotated[
        list[Path], typer.Argument(help="Two recipes or more; the first is compared with.")
    ],
    source: SourceArgument,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for scores.csv, comparison.json, report.html."),
    ] = Path("flawline-comparison"),
    split: Split = None,
    drop_known: DropKnown = False,
    cost_escape: Annotated[
        float | None, typer.Option(help="What one bad part that is accepted costs.")
    ] = None,
    cost_overkill: Annotated[
        float | None, typer.Option(help="What one good part that is rejected costs.")
    ] = None,
    cost_review: Annotated[
        float | None, typer.Option(help="What one part sent to review costs; 0 if not given.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of bad parts in production, 0.01 for 1 %.")
    ] = None,
    annotations: Annotations = None,
    classes: Classes = None,
    palette: Palette = None,
    ignore: Ignore = None,
    threshold: MaskThreshold = None,
    boxes: Boxes = "refuse",
    precision: RecipePrecision = None,
    seed: DrawSeed = 0,
    good: Good = None,
    bad: Bad = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Several recipes on the same pictures that none of them saw, with intervals of their differences."""
    from flawline.api.evaluate import compare as compare_recipes
    from flawline.api.evaluate import inspectors_by_name
    from flawline.jobs.evaluate.comparison_files import write_comparison
    from flawline.jobs.evaluate.evaluation_tables import comparison_as_dict

    masks = mask_settings(annotations, classes, palette, ignore, threshold=threshold, boxes=boxes)
    inspectors = inspectors_by_name(recipes, precision)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        comparison = compare_recipes(
            inspectors,
            opened,
            split=split,
            drop_known=drop_known,
            cost_escape=cost_escape,
            cost_overkill=cost_overkill,
            cost_review=cost_review,
            prevalence=prevalence,
            annotations=masks.annotations,
            classes=masks.classes,
            palette=masks.palette,
            ignore=masks.ignore,
            threshold=masks.threshold,
            boxes=boxes,
            seed=seed,
            track=ProgressBar(quiet=quiet),
        )
        out.mkdir(parents=True, exist_ok=True)
        written = write_comparison(comparison, opened, inspectors, out, masks)
        summary = opened.summary()
    if as_json:
        print_json(comparison_as_dict(comparison))
    else:
        print_comparison(comparison)
    print_unjudged(comparison.unjudged)
    messages = say(
        tuple(dict.fromkeys(text for one in comparison.evaluations for text in one.messages))
    )
    notes = [*messages, *picture_notes(comparison.evaluations[0].notes)]
    print_notes(summary, [*notes, f"wrote {', '.join(map(str, written))}"], quiet=quiet)
    return comparison.exit_code


def print_comparison(comparison: Comparison) -> None:
    """The metrics as a table, and the finding in one sentence."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from flawline.jobs.evaluate.compare_report import difference_text, finding, number

    table = Table(box=None, pad_edge=False)
    table.add_column("metric", overflow="fold")
    for name in comparison.names:
        table.add_column(Text(printable(name)), justify="right")
    for name in comparison.names[1:]:
        table.add_column(Text(printable(f"{name} less {comparison.names[0]}")), overflow="fold")
    for row in comparison.rows:
        gained = [difference_text(row, place) or row.reason for place in range(1, len(row.values))]
        table.add_row(row.name, *(number(value, row) for value in row.values), *gained)
    console = Console(highlight=False)
    console.print(table)
    if comparison.ranking:
        console.print(_ranking(comparison))
    console.print(Text(printable(finding(comparison))), style="bold")


def _ranking(comparison: Comparison) -> Table:
    """Recipes in the order in which to take them."""
    from flawline.jobs.evaluate.compare_report import above_cheapest, above_fastest

    titles = ["rank", "recipe", "cost per part", "more than the cheapest", "ms more", "pictures/s"]
    rows = []
    for rank, one in enumerate(comparison.ranking, start=1):
        differences = above_cheapest(one), above_fastest(one)
        cells = (f"{one.cost:.4f}", *differences, f"{one.pictures_per_second:.1f}")
        rows.append([str(rank), one.name, *cells])
    return text_table(titles, rows)
