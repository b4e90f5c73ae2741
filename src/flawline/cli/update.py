"""`flawline update`: teach a recipe more good pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable
from flawline.cli.feature_options import (
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
from flawline.cli.recipe_options import RecipeArgument
from flawline.cli.settings import as_options

if TYPE_CHECKING:
    from flawline.data.source import Source


def update(
    recipe: RecipeArgument,
    source: SourceArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where the new recipe goes; it takes the old one's place if not given.",
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(help="Held-out good pictures to set the thresholds anew on, alone."),
    ] = None,
    keep_thresholds: Annotated[
        bool, typer.Option("--keep-thresholds", help="Leave the thresholds as they are.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Learn pictures that look like another part too.")
    ] = False,
    good: Good = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Learn further good pictures without starting again; a false alarm is a good picture."""
    from contextlib import nullcontext

    from flawline.api.train import update as update_recipe
    from flawline.jobs.train.training_files import updated_as_dict
    from flawline.recipe import read_recipe, write_recipe

    old, target = read_recipe(recipe), out or recipe
    target.parent.mkdir(parents=True, exist_ok=True)
    held = _held_out(calibration, good, limits, root, encoding) if calibration else nullcontext()
    with (
        open_from_options(source, good, limits=limits, root=root, encoding=encoding) as opened,
        held as apart,
    ):
        updated = update_recipe(
            old,
            opened,
            calibration=apart,
            anyway=anyway,
            keep_thresholds=keep_thresholds,
            track=ProgressBar(quiet=quiet),
        )
        write_recipe(updated.recipe, target)
        summary = opened.summary()
    if as_json:
        print_json(updated_as_dict(updated, target))
    else:
        for line in updated.messages:
            typer.echo(printable(as_options(line)))
    print_unjudged(updated.unjudged)
    print_notes(summary, [*picture_notes(updated.notes), f"wrote {target}"], quiet=quiet)
    return 2 if updated.unjudged else 0


def _held_out(
    calibration: str,
    good: list[str] | None,
    limits: str | None,
    root: Path | None,
    encoding: str | None,
) -> Source:
    """Open the pictures of --calibration; --root is for a manifest, --encoding for an archive."""
    from flawline.data.manifest import MANIFEST_SUFFIXES
    from flawline.data.names import ARCHIVE_SUFFIXES

    kind = Path(calibration).suffix.lower()
    bound = root if kind in MANIFEST_SUFFIXES else None
    codec = encoding if kind in ARCHIVE_SUFFIXES else None
    return open_from_options(calibration, good, limits=limits, root=bound, encoding=codec)
