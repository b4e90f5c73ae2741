"""`flawline outputs`: try the outputs of a station."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flawline.cli.console import AsJson, next_step, print_json, printable, warn
from flawline.core.words import counted

outputs = typer.Typer(
    name="outputs",
    help="Try the outputs of a station.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@outputs.command("test")
def try_all(
    file: Annotated[Path, typer.Argument(help="The station's file, such as station.toml.")],
    as_json: AsJson = False,
) -> int:
    """Send a marked trial event through each output of a station, and say what came back."""
    from flawline.api.outputs import try_outputs

    trials = try_outputs(file, say=warn)
    if as_json:
        print_json({"outputs": [asdict(trial) for trial in trials]})
    failed = sum(not trial.arrived for trial in trials)
    if not as_json:
        for trial in trials:
            came = "arrived" if trial.arrived else f"did not arrive: {trial.reason}"
            typer.echo(printable(f"{trial.output}: {came} ({trial.seconds:.2f} s)"))
        if not trials:
            typer.echo(f"{file} has no outputs")
        elif failed:
            typer.echo(f"{failed} of {counted(len(trials), 'output')} did not take the trial")
        else:
            next_step(f"flawline station {file}")
    return 2 if failed else 0
