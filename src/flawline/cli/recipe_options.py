"""Options of every command that puts a recipe to work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeArgument = Annotated[Path, typer.Argument(help="The recipe: a .flaw file or a folder.")]
RecipePrecision = Annotated[
    str | None, typer.Option(help="auto, f32 or bf16, instead of the recipe's.")
]
Split = Annotated[
    str | None,
    typer.Option(
        help='The split to take, or "all"; the test split, where there is one, if not given.'
    ),
]
DropKnown = Annotated[
    bool,
    typer.Option(
        "--drop-known", help="Leave out pictures that training or calibration saw; else refuse."
    ),
]
DrawSeed = Annotated[int, typer.Option(help="Seed of the draws behind intervals.", min=0)]
