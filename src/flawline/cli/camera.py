"""`flawline camera`: judge the pictures of a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet, note, warn
from flawline.cli.outputs import opened_outputs
from flawline.cli.recipe_options import RecipeArgument, RecipePrecision
from flawline.cli.record_options import (
    KeepOption,
    OutputOption,
    PicturesOption,
    SetOption,
    WrittenStore,
    assignments,
)
from flawline.cli.watch import end_on_terminate, print_flagged, print_watched
from flawline.core.words import counted


def camera(
    recipe: RecipeArgument,
    url: Annotated[
        str,
        typer.Argument(
            help="The camera's number (0 is the first), its address, genicam:NAME, or a video file."
        ),
    ],
    every: Annotated[
        float,
        typer.Option(help="Seconds between two pictures; 0 takes each that the camera sends."),
    ] = 0.0,
    count: Annotated[int, typer.Option(help="End after so many pictures; 0 for no end.")] = 0,
    waiting: Annotated[
        int,
        typer.Option(help="Pictures that may wait; one that comes on top is not judged."),
    ] = 8,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for what records have not taken yet.")
    ] = Path("flawline-camera"),
    precision: RecipePrecision = None,
    store: WrittenStore = None,
    keep: KeepOption = None,
    pictures: PicturesOption = None,
    constant: SetOption = None,
    output: OutputOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Judge the pictures of a camera, a stream or a video file as they come, until Ctrl-C."""
    from flawline.api.camera import camera as run
    from flawline.data.interrupt import held_interrupt
    from flawline.station.camera import camera_name

    end_on_terminate()
    with held_interrupt() as interrupt:
        note(f"taking pictures from {camera_name(url)}; Ctrl-C ends it", quiet=quiet)
        filmed = run(
            recipe,
            url,
            out=out,
            every=every,
            count=count,
            waiting=waiting,
            precision=precision,
            store=store,
            keep=keep,
            pictures=pictures,
            constant=assignments(constant, "--set"),
            output=opened_outputs(output or (), live=True),
            stop=lambda: interrupt.asked,
            each=None if as_json else print_flagged,
            say=warn,
        )
    print_watched(filmed, as_json=as_json)
    if filmed.dropped:
        warn(f"{counted(filmed.dropped, 'picture')} came too fast; take fewer with --every")
    if store is None and not output:
        note("no verdict was kept: --store line.db records them", quiet=quiet)
    return filmed.exit_code
