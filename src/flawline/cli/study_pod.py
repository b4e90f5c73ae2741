"""`flawline study pod`: what a recipe finds, and where it is blind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, text_table
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
    Limits,
    Root,
    SourceArgument,
    open_from_options,
    print_notes,
    print_unjudged,
)
from flawline.cli.recipe_options import RecipeArgument, RecipePrecision
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.jobs.study.pod_study import PodStudy


def pod(
    recipe: RecipeArgument,
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for pod.html and pod.json.")
    ] = Path("flawline-pod"),
    kinds: Annotated[
        str | None,
        typer.Option(
            help='Kinds to draw, separated by commas: spot, scratch, dent, "missing piece", smear, "texture patch", '
            "colour."
        ),
    ] = None,
    contrasts: Annotated[
        str,
        typer.Option(help="Changes of the grey level to draw, shares of the full range."),
    ] = "0.1,0.2,0.4",
    defects: Annotated[
        int, typer.Option(help="Defects of each kind, dark and light, and contrast.", min=1)
    ] = 60,
    drop_known: Annotated[
        bool,
        typer.Option(
            "--drop-known", help="Leave out pictures that the recipe learnt from; else refuse."
        ),
    ] = False,
    precision: RecipePrecision = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the places and shapes of the defects.", min=0)
    ] = 0,
    good: Good = None,
    bad: Bad = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Estimate what a recipe finds by size, contrast and place, from defects drawn into good pictures."""
    from flawline.api.study import study_pod
    from flawline.inspector import Inspector
    from flawline.jobs.study.pod_report import write_pod

    shares = _shares(contrasts)
    inspector = Inspector.open(recipe, precision=precision)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        found = study_pod(
            inspector,
            opened,
            kinds=None if kinds is None else [kind.strip() for kind in kinds.split(",")],
            contrasts=shares,
            defects=defects,
            drop_known=drop_known,
            seed=seed,
            track=ProgressBar(quiet=quiet),
        )
        out.mkdir(parents=True, exist_ok=True)
        page = write_pod(found, out)
        summary = opened.summary()
    if as_json:
        print_json(found.as_dict())
    else:
        print_pod(found)
    print_unjudged(found.unjudged)
    print_notes(summary, [*found.notes, f"report: {page}"], quiet=quiet)
    return 2 if found.unjudged else 0


def print_pod(found: PodStudy) -> None:
    """The finding and the limit of each kind and contrast."""
    from rich.console import Console
    from rich.text import Text

    from flawline.core.self_test_words import limit_rows

    console = Console(highlight=False)
    console.print(Text(found.finding), style="bold")
    names = ("defects", "contrast", "90 % found from", "a90", "a90/95", "found")
    keys = ("name", "contrast", "from", "a90", "bound", "found")
    rows = [tuple(row[key] for key in keys) for row in limit_rows(found.test.limits)]
    console.print(text_table(list(names), rows))


def _shares(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"`contrasts` takes shares above 0 up to 1 separated by commas, got {text!r}",
            hint="such as 0.1,0.2,0.4",
        ) from error
