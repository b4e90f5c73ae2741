"""`flawline rank`: the odd pictures first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json

if TYPE_CHECKING:
    from rich.text import Text

    from flawline.data.source import SourceSummary
    from flawline.ranking.result import Ranking


def rank(
    source: Annotated[
        str, typer.Argument(help="Folder, zip, tar, CSV or Parquet manifest, or glob of pictures.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for ranking.csv, ranking.json, report.html.")
    ] = Path("flawline-ranking"),
    features: Annotated[
        str, typer.Option(help="Comma-separated features that the forest sees.")
    ] = "histogram_of_gradients,embedding",
    backbone: Annotated[
        str, typer.Option(help='"flawline-small" (embedded) or the path of an ONNX file.')
    ] = "flawline-small",
    preparation: Annotated[
        str | None,
        typer.Option(
            help='For an ONNX file that does not say: "imagenet" or "mean=..,std=..,size=..".'
        ),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side of the network's input, px.")] = None,
    precision: Annotated[str, typer.Option(help="auto, f32 or bf16.")] = "auto",
    forest_size: Annotated[int, typer.Option(help="Trees of the isolation forest.", min=1)] = 128,
    top_n: Annotated[int, typer.Option(help="Places with reasons and pictures.", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the forest.", min=0)] = 0,
    good: Annotated[
        list[str] | None, typer.Option(help="A label that means good; may be repeated.")
    ] = None,
    bad: Annotated[
        list[str] | None, typer.Option(help="A label that means bad; may be repeated.")
    ] = None,
    value_range: Annotated[
        str | None,
        typer.Option(
            help='Values that become black and white in 16-bit and float files: "0,4095".'
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Put the odd pictures first, without using labels, and say why they are odd."""
    from flawline.data.source import open_source
    from flawline.ranking.files import ranking_as_dict
    from flawline.ranking.run import rank as rank_source
    from flawline.report.rank_report import write_ranking

    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / ".unfinished"
    with open_source(source, good=good or (), bad=bad or ()) as opened:
        ranking = rank_source(
            opened,
            features=[name.strip() for name in features.split(",") if name.strip()],
            backbone=backbone,
            preparation=preparation,
            size=size,
            precision=precision,
            forest_size=forest_size,
            top_n=top_n,
            seed=seed,
            value_range=parse_range(value_range),
            unfinished=unfinished,
            track=ProgressBar(quiet=quiet),
        )
        report = write_ranking(ranking, opened, out, value_range=parse_range(value_range))
        summary = opened.summary()
    unfinished.unlink(missing_ok=True)
    if as_json:
        print_json(ranking_as_dict(ranking))
    else:
        print_ranking(ranking, top_n)
    for line in source_notes(summary):
        note(line, quiet=quiet)
    note(f"wrote {out / 'ranking.csv'}, {out / 'ranking.json'}", quiet=quiet)
    note(f"report: {report}", quiet=quiet)
    return 2 if ranking.unjudged else 0


def print_ranking(ranking: Ranking, top_n: int) -> None:
    """The top places as a table, and the finding in one sentence."""
    from rich.console import Console
    from rich.table import Table

    from flawline.ranking.result import recall

    table = Table(box=None, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("score", justify="right")
    table.add_column("label")
    table.add_column("image", overflow="fold")
    table.add_column("odd in", overflow="fold")
    for picture in ranking.pictures[:top_n]:
        reason = picture.reasons[0].text if picture.reasons else ""
        cells = (picture.sample.label or "", picture.sample.name, reason)
        table.add_row(str(picture.rank), f"{picture.score:.4f}", *map(_plain, cells))
    console = Console(highlight=False)
    console.print(table)
    if known := recall(ranking):
        console.print(known.sentence, style="bold")
    for item in ranking.unjudged:
        console.print(_plain(f"could not be judged: {item.image}: {item.reason}"), style="yellow")


def _plain(text: str) -> Text:
    from rich.text import Text

    return Text(text)


def source_notes(summary: SourceSummary) -> list[str]:
    """What was understood of a source: the meaning of labels, and what was passed over."""
    words = {True: "bad", False: "good", None: "unknown"}
    lines = []
    if summary.labels:
        said = (
            f"{label} ({count}) = {words[bad]}" for label, (count, bad) in summary.labels.items()
        )
        lines.append("labels: " + ", ".join(said))
    if summary.passed_over:
        said = (f"{count} {reason}" for reason, count in summary.passed_over.items())
        lines.append("passed over: " + ", ".join(said))
    lines += [f"problem: {text}" for text in summary.problems]
    lines += summary.hints
    return lines


def parse_range(text: str | None) -> tuple[float, float] | None:
    """Read "LOW,HIGH"."""
    from flawline.errors import UsageError

    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise UsageError(f"--value-range takes LOW,HIGH with LOW below HIGH, got {text!r}")
    return low, high
