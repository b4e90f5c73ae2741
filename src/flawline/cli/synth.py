"""`flawline synth`: drawn parts with known defects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, next_step, note, print_json

synth = typer.Typer(
    name="synth",
    help="Draw parts with known defects, to try things on and to test with.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@synth.callback()
def _synth() -> None:
    """Draw parts with known defects, to try things on and to test with."""


@synth.command("heat-sink")
def heat_sink(
    out: Annotated[Path, typer.Argument(help="A new folder for the set.")],
    pictures: Annotated[
        int, typer.Option("--pictures", "-n", help="Pictures to draw.", min=1)
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed draws another set.", min=0)] = 0,
    drift: Annotated[
        str,
        typer.Option(
            help="Length of the last stains over that of the first ones, such as 1.5; or by how much the areas of "
            "stains grow with every part, such as 3%. 1 is no drift."
        ),
    ] = "1",
    drift_from: Annotated[
        int, typer.Option(help="The first part that drifts, where --drift is in percent.", min=0)
    ] = 0,
    label_noise: Annotated[
        str | None,
        typer.Option(
            help='Shares of defects with wrong labels: "missing=0.05,extra=0.02,wrong-class=0.02,shifted=0.1".'
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processes to draw with; all cores by default.", min=1)
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Draw gold-plated heat sinks with scratches and stains, with masks and a manifest."""
    from flawline.api.synth import synth_heat_sink
    from flawline.synthetic.heat_sink_statistics import CLASSES

    written = synth_heat_sink(
        out,
        pictures=pictures,
        seed=seed,
        drift=drift,
        drift_from=drift_from,
        label_noise=label_noise,
        processes=processes,
        track=ProgressBar(quiet=quiet),
    )
    total = sum(written.pixels)
    shares = {name: count / total for name, count in zip(CLASSES, written.pixels, strict=True)}
    if as_json:
        print_json(
            {
                "manifest": str(written.manifest),
                "pictures": pictures,
                "seed": seed,
                "shares": shares,
                "splits": written.splits,
                "label_errors": written.errors,
            }
        )
        return 0
    typer.echo(f"{written.manifest}: {pictures} pictures")
    typer.echo(", ".join(f"{name} {share:.2%}" for name, share in shares.items()))
    typer.echo(", ".join(f"{name} {count}" for name, count in written.splits.items()))
    if written.errors:
        note(f"{written.errors} wrong labels: {out / 'label_errors.csv'}", quiet=quiet)
    return 0


@synth.command("assembly")
def assembly(
    out: Annotated[Path, typer.Argument(help="A new folder for the set.")],
    good: Annotated[int, typer.Option(help="Right plates to draw.", min=0)] = 60,
    bad: Annotated[int, typer.Option(help="Plates with a mistake to draw.", min=0)] = 20,
    size: Annotated[int, typer.Option(help="Side of the pictures, px.")] = 320,
    seed: Annotated[int, typer.Option(help="Another seed draws another set.", min=0)] = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Draw assembled plates, right and with a known mistake, with masks, a golden sample and a manifest."""
    from flawline.api.synth import synth_assembly

    track = ProgressBar(quiet=quiet)
    written = synth_assembly(out, good=good, bad=bad, size=size, seed=seed, track=track)
    if as_json:
        print_json(
            {
                "manifest": str(written.manifest),
                "golden": str(written.golden),
                "good": written.good,
                "bad": written.bad,
                "seed": seed,
            }
        )
        return 0
    typer.echo(f"{written.manifest}: {good} good, {bad} bad")
    typer.echo(", ".join(f"{name} {count}" for name, count in written.bad.items()))
    typer.echo(f"golden sample: {written.golden}")
    return 0


@synth.command("line")
def line(
    out: Annotated[Path, typer.Argument(help="A new folder for the line.")],
    parts: Annotated[
        int,
        typer.Option("--parts", "-n", help="Parts, each inspected after all four steps.", min=1),
    ] = 400,
    days: Annotated[int, typer.Option(help="Days of production, from a Monday on.", min=1)] = 10,
    causes: Annotated[
        str,
        typer.Option(
            help="What is wrong, separated by commas: gripper, bath, tool, camera; or none."
        ),
    ] = "gripper,bath,tool,camera",
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw a picture of each inspection.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Another seed draws another line.", min=0)] = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Draw a line with known causes of defects: parts through steps, tools, lots and shifts, inspected after each."""
    from flawline.api.synth import synth_line

    planted = tuple(name.strip() for name in causes.split(",") if name.strip() not in ("", "none"))
    written = synth_line(
        out,
        parts=parts,
        days=days,
        causes=planted,
        pictures=pictures,
        seed=seed,
        track=ProgressBar(quiet=quiet),
    )
    if as_json:
        print_json(
            {
                "inspections": str(written.inspections),
                "defects": str(written.defects),
                "parts": written.parts,
                "counts": written.counts,
                "causes": written.causes,
                "seed": seed,
            }
        )
        return 0
    typer.echo(
        f"{written.defects}: {sum(written.counts.values())} defects seen on {written.parts} parts"
    )
    for name, text in written.causes.items():
        typer.echo(f"{name}: {text}")
    next_step(f"flawline study steps {written.defects}")
    return 0
