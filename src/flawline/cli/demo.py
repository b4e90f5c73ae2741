"""`flawline demo`: sample parts, the main job, a report to open; needs nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json
from flawline.cli.feature_options import print_unjudged
from flawline.cli.rank import print_ranking

TOP_N = 12


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for pictures and results.")
    ] = Path("flawline-demo"),
    good: Annotated[int, typer.Option(help="Sound castings to make.", min=2)] = 106,
    bad: Annotated[int, typer.Option(help="Defective castings to make.", min=0)] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the castings and the ranking.", min=0)] = 0,
    open_report: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the report where there is a desktop.")
    ] = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Make sample castings, rank them without labels, and write a report."""
    from flawline.data.source import open_source
    from flawline.jobs.rank.rank import rank
    from flawline.jobs.rank.ranking_files import write_ranking
    from flawline.jobs.rank.ranking_tables import ranking_as_dict
    from flawline.synthetic.castings import write_castings

    castings = out / "castings"
    castings.mkdir(parents=True, exist_ok=True)
    _remove_castings(castings)
    note(f"drawing {good} sound and {bad} defective castings into {castings}", quiet=quiet)
    write_castings(castings, good=good, bad=bad, seed=seed)
    with open_source(castings) as source:
        ranking, _ = rank(source, seed=seed, top_n=TOP_N, track=ProgressBar(quiet=quiet))
        *_, report = write_ranking(ranking, source, out)
    if as_json:
        print_json({**ranking_as_dict(ranking), "report": str(report.resolve())})
    else:
        print_ranking(ranking, TOP_N)
        print_unjudged(ranking.unjudged)
        typer.echo(f"report: {report.resolve()}")
    if open_report and not as_json and has_desktop():
        typer.launch(report.resolve().as_uri())
    return 2 if ranking.unjudged else 0


def _remove_castings(folder: Path) -> None:
    """Remove what an earlier demo drew, so that fewer castings than then are not ranked among its rest."""
    for label in ("good", "bad"):
        for path in (folder / label).glob("casting_*.jpg"):
            path.unlink()


def has_desktop() -> bool:
    """Whether a person sits at a screen here."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
