"""Options of every command that reads or writes records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from math import isfinite
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.data.process import DIMENSIONS
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.records.pictures import Pictures
    from flawline.records.where import Where

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


def chosen(
    where: Sequence[str] | None,
    since: str | None,
    until: str | None,
    verdict: Sequence[str] | None,
    *,
    undecided: bool = False,
    at_least: Sequence[str] | None = None,
    at_most: Sequence[str] | None = None,
) -> Where:
    """Which inspections the options of one command line mean."""
    from flawline.data.times import parse_time
    from flawline.records.where import Where

    return Where(
        since=parse_time(since) if since else None,
        until=parse_time(until) if until else None,
        verdict=tuple(verdict or ()),
        names=assignments(where, "--where"),
        decided=False if undecided else None,
        least=_numbers(at_least, "--at-least"),
        most=_numbers(at_most, "--at-most"),
    )


def _numbers(texts: Sequence[str] | None, option: str) -> Mapping[str, float]:
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


def zone_of(text: str | None) -> tzinfo | None:
    """A time zone by its name or its distance from UTC.

    Raises:
        UsageError: there is no such zone.
    """
    if text is None:
        return None
    from datetime import datetime
    from zoneinfo import ZoneInfo

    try:
        if text[:1] in ("+", "-"):
            return datetime.fromisoformat(f"2026-01-01T00:00:00{text}").tzinfo
        return ZoneInfo(text)
    except (ValueError, KeyError, OSError) as error:
        raise UsageError(
            f"there is no time zone {text!r}", hint="write +01:00, or a name such as Europe/Berlin"
        ) from error


def pictures_of(store: str, pictures: str | None) -> Pictures:
    """Where the pictures of records are kept.

    Raises:
        UsageError: nobody said where, and there is no folder beside the records.
    """
    from flawline.records.pictures import open_pictures, pictures_beside

    place = pictures or pictures_beside(store)
    if place is None:
        raise UsageError("records in PostgreSQL have no place for pictures", hint="give --pictures")
    return open_pictures(place)
