"""`flawline synth`: drawn parts with known defects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json

if TYPE_CHECKING:
    from flawline.synthetic.heat_sink_labels import LabelNoise

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
            help='Shares of defects marked wrongly: "missing=0.05,extra=0.02,wrong-class=0.02,shifted=0.1".'
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processes to draw with; all cores by default.", min=1)
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Draw gold-plated heat sinks with scratches and stains, with masks and a manifest."""
    from flawline.data.cores import cpu_count
    from flawline.synthetic.heat_sink_files import HeatSinkSettings, write_heat_sinks
    from flawline.synthetic.heat_sink_statistics import CLASSES

    length, area = parse_drift(drift, drift_from)
    noise = parse_label_noise(label_noise)
    settings = HeatSinkSettings(pictures, seed, length, noise, area, drift_from)
    # A process costs more than the few pictures that it would draw.
    wanted = processes or min(cpu_count(), max(1, pictures // 50))
    written = write_heat_sinks(out, settings, processes=wanted, track=ProgressBar(quiet=quiet))
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


def parse_drift(text: str, first: int = 0) -> tuple[float, float]:
    """The growth of lengths over the set, and that of areas with every part: "1.5" is (1.5, 0), "3%" is (1, 0.03)."""
    from flawline.errors import UsageError

    percent = text.strip().endswith("%")
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        raise UsageError(
            f"expected a drift such as 1.5 or 3%, got {text!r}", hint="1 is no drift"
        ) from None
    if first and not percent:
        raise UsageError(
            "--drift-from goes with a drift in percent of area with every part",
            hint="such as --drift 3% --drift-from 60",
        )
    return (1.0, value / 100) if percent else (value, 0.0)


def parse_label_noise(text: str | None) -> LabelNoise:
    """Read "missing=0.05,extra=0.02,wrong-class=0.02,shifted=0.1"; what is left out is 0."""
    from dataclasses import fields

    from flawline.errors import UsageError
    from flawline.synthetic.heat_sink_labels import LabelNoise

    names = [field.name.replace("_", "-") for field in fields(LabelNoise)]
    shares: dict[str, float] = {}
    for part in text.split(",") if text else ():
        name, _, value = (word.strip() for word in part.partition("="))
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        if name not in names or not 0 <= share <= 1 or name in shares:
            raise UsageError(
                f"--label-noise takes NAME=SHARE with shares of 0 to 1, got {part!r}",
                hint=f"names are {', '.join(names)}",
            )
        shares[name] = share
    return LabelNoise(**{name.replace("-", "_"): share for name, share in shares.items()})
