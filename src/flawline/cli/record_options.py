"""Options of every command that reads or writes records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.data.process import DIMENSIONS
from flawline.errors import UsageError

if TYPE_CHECKING:
    pass

StoreArgument = Annotated[
    str, typer.Argument(help="The records: an SQLite file, or postgresql://USER@HOST/DATABASE.")
]
RecordNumber = Annotated[int, typer.Argument(help="The number of the inspection.")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        help=f"NAME=VALUE with part, {', '.join(DIMENSIONS)}, recipe or image; repeatable."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help=f"NAME=VALUE for the records of this run, with any of {', '.join(DIMENSIONS)}.",
    ),
]
AgainOption = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Record as new captures what the records have already, such as under another lot; else it is refused.",
    ),
]
WrittenStore = Annotated[
    str | None,
    typer.Option(
        "--store", help="Write records too: an SQLite file, or postgresql://USER@HOST/DATABASE."
    ),
]
KeepOption = Annotated[
    str | None,
    typer.Option(
        help="Pictures and maps kept with the records: flagged, all or none; flagged if not given."
    ),
]
PicturesOption = Annotated[
    str | None,
    typer.Option(help="Folder or URL for them; next to an SQLite file if not given."),
]
OutputOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Send each verdict too, such as to console, file:PATH, webhook:URL, mqtt:URL; repeatable."
    ),
]
AtLeast = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=NUMBER with score, p_value, defects, largest_area, total_area, count_CLASS or largest_area_CLASS."
    ),
]
AtMost = Annotated[
    list[str] | None,
    typer.Option(help="The same for the largest number; both may be repeated."),
]
Since = Annotated[str | None, typer.Option(help="From this time on, such as 2026-03-01T06:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Before this time.")]
VerdictOption = Annotated[
    list[str] | None,
    typer.Option("--verdict", help="The machine's verdict; may be repeated."),
]
Count = Annotated[int, typer.Option(help="How many at most.", min=1)]


def numbers(texts: Sequence[str] | None, option: str) -> Mapping[str, float]:
    """NAME=NUMBER as a mapping."""
    found = {}
    for name, value in assignments(texts, option).items():
        try:
            found[name] = float(value)
        except ValueError:
            raise UsageError(f"{option} takes NAME=NUMBER, got {name}={value}") from None
        if not isfinite(found[name]):
            raise UsageError(f"{option} takes a finite number, got {name}={value}")
    return found


def assignments(texts: Sequence[str] | None, option: str) -> Mapping[str, str]:
    """NAME=VALUE as a mapping.

    Raises:
        UsageError: there is no "=".
    """
    found = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"{option} takes NAME=VALUE, got {text!r}")
        found[name.strip()] = value
    return found
