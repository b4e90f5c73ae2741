"""`flawline train`: learn what good parts look like, or classes of defects."""

from __future__ import annotations

import typer

from flawline.cli.train_anomaly import anomaly
from flawline.cli.train_segment import segment

train = typer.Typer(
    name="train",
    help="Learn to inspect one kind of part.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
train.command()(anomaly)
train.command()(segment)


@train.callback()
def _several() -> None:
    """Learn to inspect one kind of part."""
