"""`flawline rank`: the most anomalous pictures first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable, warn
from flawline.cli.feature_options import (
    DEFAULT_FEATURES,
    Backbone,
    Bad,
    Encoding,
    Good,
    Limits,
    Precision,
    Preparation,
    Root,
    Size,
    SourceArgument,
    ValueRange,
    Weights,
    given_options,
    open_from_options,
    parse_range,
    picture_notes,
    print_notes,
    print_unjudged,
    refuse_options,
)
from flawline.cli.fleet import OnOption, rank_on, refuse_beside_on
from flawline.cli.unfinished import note_start_over

if TYPE_CHECKING:
    from flawline.jobs.rank.ranking import Ranking


_FITTING = {
    "method",
    "features",
    "preparation",
    "size",
    "precision",
    "forest_size",
    "neighbours",
    "seed",
    "save_model",
    "value_range",
}


def rank(
    context: typer.Context,
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for ranking.csv, ranking.json, report.html.")
    ] = Path("flawline-ranking"),
    method: Annotated[
        str, typer.Option(help="auto (compare place by place) or forest (BigML's recipe).")
    ] = "auto",
    features: Annotated[
        str, typer.Option(help="Comma-separated features that the forest sees.")
    ] = DEFAULT_FEATURES,
    backbone: Backbone = "flawline-small",
    weights: Weights = None,
    preparation: Preparation = None,
    size: Size = None,
    precision: Precision = "auto",
    forest_size: Annotated[int, typer.Option(help="Trees of the isolation forest.", min=1)] = 128,
    neighbours: Annotated[
        int,
        typer.Option(help="Nearest others to compare with; more where one defect repeats.", min=1),
    ] = 2,
    top_n: Annotated[int, typer.Option(help="Places with reasons and pictures.", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the forest or the references.", min=0)] = 0,
    save_model: Annotated[
        Path | None, typer.Option(help="Keep what was fitted, for scoring new pictures.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Score against a saved ranking instead of fitting.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(help="Copy the N most anomalous pictures into top.zip.", min=1)
    ] = None,
    drop: Annotated[
        int | None,
        typer.Option(help="Copy all but the N most anomalous pictures into rest.zip.", min=1),
    ] = None,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    on: OnOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Rank pictures without labels, the most anomalous first, and give the reasons."""
    from flawline.api.rank import rank as rank_source
    from flawline.api.rank import rank_with
    from flawline.api.settings import feature_settings
    from flawline.jobs.rank.ranking_files import write_ranking
    from flawline.jobs.rank.ranking_tables import ranking_as_dict, write_parts
    from flawline.jobs.rank.saved_ranking import load_ranking, save_ranking

    span = parse_range(value_range)
    if model:
        refuse_options(context, _FITTING, "--model")
    moved = {"backbone": backbone} if given_options(context, ["backbone"]) else {}
    saved = load_ranking(model) if model else None
    # Folders are made first: after hours of work is too late to find out that they cannot be.
    for folder in (out, save_model.parent if save_model else out):
        folder.mkdir(parents=True, exist_ok=True)
    unfinished = out / ".unfinished"
    note_start_over(*out.glob(f"{unfinished.name}*"), quiet=quiet)
    bar = ProgressBar(quiet=quiet)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        if on is not None:
            refuse_beside_on(context, {"method", "features", "forest_size", "keep", "drop"})
            return rank_on(
                on,
                opened,
                out,
                saved,
                feature_settings(features, backbone, preparation, size, precision, span, weights),
                {"neighbours": neighbours, "top_n": top_n, "seed": seed},
                moved={**moved, "weights": weights},
                save_model=save_model,
                as_json=as_json,
                quiet=quiet,
            )
        if saved:
            ranking = rank_with(
                opened,
                saved,
                weights=weights,
                top_n=top_n,
                unfinished=unfinished,
                track=bar,
                **moved,
            )
        else:
            ranking, saved = rank_source(
                opened,
                method=method,
                features=features,
                backbone=backbone,
                weights=weights,
                preparation=preparation,
                size=size,
                precision=precision,
                value_range=span,
                forest_size=forest_size,
                neighbours=neighbours,
                top_n=top_n,
                seed=seed,
                unfinished=unfinished,
                track=bar,
            )
        value_range_used = saved.settings.value_range
        written = [*write_ranking(ranking, opened, out, value_range=value_range_used)]
        written += write_parts(ranking, opened, out, keep=keep, drop=drop)
        summary = opened.summary()
    if save_model:
        written.append(save_ranking(saved, save_model))
    for path in out.glob(f"{unfinished.name}*"):
        path.unlink()
    if as_json:
        print_json(ranking_as_dict(ranking))
    else:
        print_ranking(ranking, top_n)
    print_unjudged(ranking.unjudged)
    for text in ranking.warnings:
        warn(f"warning: {text}")
    said = picture_notes(ranking.notes)
    print_notes(summary, [*said, f"wrote {', '.join(map(str, written))}"], quiet=quiet)
    return 2 if ranking.unjudged else 0


def print_ranking(ranking: Ranking, top_n: int) -> None:
    """The top places as a table, and the finding in one sentence."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from flawline.jobs.rank.ranking import recall

    table = Table(box=None, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("score", justify="right")
    table.add_column("label")
    table.add_column("image", overflow="fold")
    table.add_column("why", overflow="fold")
    for picture in ranking.pictures[:top_n]:
        reason = picture.reasons[0].text if picture.reasons else ""
        cells = (picture.sample.label or "", picture.sample.name, reason)
        table.add_row(
            str(picture.rank), f"{picture.score:.4f}", *(Text(printable(cell)) for cell in cells)
        )
    console = Console(highlight=False)
    console.print(table)
    if known := recall(ranking):
        console.print(known.sentence, style="bold")
