"""Options of every command that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeOut = Annotated[
    Path, typer.Option("--out", "-o", help="The recipe: a .flaw file or a folder.")
]
PartName = Annotated[str, typer.Option(help="Name of the part; that of the source if not given.")]
MmPerPx = Annotated[float | None, typer.Option(help="Scale of the pictures, for sizes in mm.")]
RecipeReport = Annotated[
    Path | None, typer.Option(help="HTML report; next to the recipe if not given.")
]
TrainingSeed = Annotated[int, typer.Option(help="Seed of every draw.", min=0)]
