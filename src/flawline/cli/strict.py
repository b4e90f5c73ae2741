"""The option --strict of every command whose first line is a verdict on its own result."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import typer

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with 2 unless the first line says that it can be used."),
]
STYLES: Mapping[str, str] = MappingProxyType(
    {
        "yes": "bold green",
        "not alone": "bold dark_orange",
        "unknown": "bold dark_orange",
        "no": "bold red",
    }
)


def strict_code(code: int, usable: str, *, strict: bool) -> int:
    """Return the exit code: 2 where `strict` asks for a usable result and it is not, else `code`."""
    return 2 if strict and usable != "yes" else code


def print_verdict(text: str, usable: str) -> None:
    """Print the first line, in the colour of the verdict."""
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False, soft_wrap=True).print(Text(text), style=STYLES[usable])
