"""Sections of station.toml: their entries, with checks and explanations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from flawline.data.process import DIMENSIONS
from flawline.outputs.output import path_entry
from flawline.recipe.checks import Check, boolean, integer, names, number, one_of, text
from flawline.recipe.entries import Section, entry
from flawline.station.answering import LATE
from flawline.station.station import KEEP

PRECISIONS = ("auto", "f32", "bf16")


def _seconds(value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError("not as expected")
    return float(value)


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("not as expected")
    return value


@dataclass(frozen=True, slots=True)
class TopEntries(Section):
    """station.toml: what judges, and where notes are."""

    recipe: str = path_entry("The recipe that judges, with thresholds")
    precision: str | None = entry(
        one_of(*PRECISIONS), "Of the network, instead of the recipe's", None
    )
    state: str = path_entry(
        "Folder for notes of what was judged and of what the records have not taken yet",
        "flawline-station",
    )


NameEntries: dict[str, Check] = {name: text(200) for name in DIMENSIONS}
"""The entries of [names]: names of the process for pictures without them."""


@dataclass(frozen=True, slots=True)
class RecordEntries(Section):
    """records: where inspections are recorded."""

    store: str = path_entry("An SQLite file, or postgresql://USER@HOST/DATABASE")
    keep: str = entry(one_of(*KEEP), "Which pictures and maps are stored", "flagged")
    pictures: str | None = path_entry(
        "Folder or URL for them; beside an SQLite file if not given", None
    )


RecipePath = Check("the path of a recipe", _path)
"""An entry of [recipes]: a recipe that clients may choose by its name."""


@dataclass(frozen=True, slots=True)
class PageEntries(Section):
    """page: the page of the records, served beside the station."""

    host: str = entry(
        text(200), "Address to listen on; 0.0.0.0 for other machines too", "127.0.0.1"
    )
    port: int = entry(integer(0, 65535), "Port to listen on; 0 for a free one", 8765)
    data: str = path_entry("Folder of the server, for jobs and labels", "flawline-server")
    allow_host: tuple[str, ...] | None = entry(
        names(), "Names under which browsers reach the server", None
    )


@dataclass(frozen=True, slots=True)
class FolderEntries(Section):
    """feeds: a watched folder."""

    folder: str = path_entry("The folder in which pictures arrive")
    settle: float = entry(
        Check("a number of 0 to 3600, s", partial(_seconds, most=3600)),
        "A file is read when it stayed the same so long",
        1.0,
    )
    marker: str = entry(text(100), "Ending of marker files, such as .done; none if empty", "")
    move_to: str | None = path_entry(
        "Where judged pictures go, by verdict; they stay if not given", None
    )
    polling: bool = entry(boolean(), "For network shares, which do not say what changes", False)
    part_from: str | None = entry(text(1000), "Pattern of names, such as {lot}_{part}_{view}", None)
    codes: bool = entry(boolean(), "Take the part from a code in the picture", False)


@dataclass(frozen=True, slots=True)
class CameraEntries(Section):
    """feeds: a camera."""

    camera: str = entry(
        text(2000), "The camera's number, its address, genicam:NAME, or a video file"
    )
    every: float = entry(
        Check("a number of 0 to 86400, s", partial(_seconds, most=86_400)),
        "Time between two pictures; 0 takes each that the camera sends",
        0.0,
    )
    waiting: int = entry(
        integer(0, 1000), "Pictures that may wait; one that comes on top is not judged", 8
    )


@dataclass(frozen=True, slots=True)
class AnswerEntries(Section):
    """answers: when a line wants its answer."""

    within: float = entry(number("s", 0, 3600), "Time from trigger to answer")
    late: str = entry(one_of(*LATE), "The answer where there is no verdict by then", "reject")
