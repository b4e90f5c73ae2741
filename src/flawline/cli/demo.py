"""`flawline demo`: the whole story on drawn castings, and a page to open; needs nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json
from flawline.cli.feature_options import given_options
from flawline.cli.rank import print_ranking
from flawline.errors import UsageError

SHOWN = 8


def demo(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for pictures, reports and the page.")
    ] = Path("flawline-demo"),
    good: Annotated[int, typer.Option(help="Sound castings of the first lot.", min=20)] = 106,
    bad: Annotated[int, typer.Option(help="Defective castings of the first lot.", min=0)] = 6,
    lot: Annotated[
        int, typer.Option(help="Castings of the second lot, one in ten of them defective.", min=10)
    ] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the castings and of every draw.", min=0)] = 0,
    open_report: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page where there is a desktop.")
    ] = True,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve the page with a sample lot instead; needs [serve]."),
    ] = False,
    port: Annotated[int, typer.Option(help="Port of --serve.", min=0, max=65535)] = 8765,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Rank castings without labels, learn the good ones, judge a second lot, chart a line: one page with all of it."""
    if serve:
        return _serve(context, out, port, quiet=quiet)
    refuse(context, ("port",), "only --serve listens on a port: add it, or leave --{} out")
    from flawline.api.demo import demo as tell
    from flawline.jobs.rank.ranking_tables import ranking_as_dict

    note(f"drawing {good + bad + lot} castings and a line into {out}", quiet=quiet)
    story = tell(out, good=good, bad=bad, lot=lot, seed=seed, track=ProgressBar(quiet=quiet))
    if as_json:
        page = str(story.page.resolve())
        print_json({**story.as_dict(), "ranking": ranking_as_dict(story.ranking), "report": page})
    else:
        print_ranking(story.ranking, SHOWN)
        typer.echo(f"the recipe: {story.verdict}")
        typer.echo(story.sentence)
        typer.echo(f"page: {story.page.resolve()}")
    if open_report and not as_json and has_desktop():
        typer.launch(story.page.resolve().as_uri())
    return 2 if story.unjudged else 0


def _serve(context: typer.Context, out: Path, port: int, *, quiet: bool) -> int:
    """Serve a full house from a folder next to what the demo writes."""
    from flawline.server.serve import serve
    from flawline.server.settings import ServeSettings

    other = ("good", "bad", "lot", "seed", "open_report", "as_json")
    refuse(context, other, "--serve shows a sample lot of its own: leave --{} out")
    settings = ServeSettings(data=out / "server", port=port)
    serve(settings, typer.echo, sample=ProgressBar(quiet=quiet))
    return 0


def refuse(context: typer.Context, names: tuple[str, ...], text: str) -> None:
    """Refuse options that were given and would do nothing."""
    options = {"open_report": "open", "as_json": "json"}
    for name in given_options(context, names):
        raise UsageError(text.format(options.get(name, name)))


def has_desktop() -> bool:
    """Whether a person sits at a screen here."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
