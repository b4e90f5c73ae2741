"""Watch a folder, and judge the pictures that arrive."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.api.inspect import open_station
from flawline.api.recipes import InspectorLike, inspector_of
from flawline.inspector.inspection import Inspection
from flawline.station.watch import Watched, watch_folder
from flawline.station.watched_folder import FolderSettings, WatchedFolder
from flawline.types import Unjudged

if TYPE_CHECKING:
    from flawline.outputs import Output


def watch(
    recipe: InspectorLike,
    folder: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] = "flawline-watch",
    settle: float = 1.0,
    marker: str = "",
    move_to: str | os.PathLike[str] | None = None,
    polling: bool = False,
    part_from: str | None = None,
    codes: bool = False,
    once: bool = False,
    precision: str | None = None,
    store: str | None = None,
    keep: str | None = None,
    pictures: str | os.PathLike[str] | None = None,
    constant: Mapping[str, str] | None = None,
    output: Sequence[str | Output] = (),
    stop: Callable[[], bool] | None = None,
    each: Callable[[str, Inspection | Unjudged], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Watched:
    """Judge the pictures of a folder as they arrive, each once, also after a restart.

    Args:
        recipe: with thresholds: a recipe, its path, or an `Inspector`.
        folder: where pictures arrive, with the folders in it.
        out: a folder for notes of what was judged and of what records have not taken yet.
        settle: seconds for which a file must stay the same before it is read.
        marker: the ending of marker files that say that a picture is finished, such as ".done".
        move_to: where judged pictures go, into a folder of their verdict; None leaves them.
        polling: look again and again, for network shares, which do not say what changes.
        part_from: a pattern of names such as "{lot}_{part}_{view}", from which part, lot and so on are taken.
        codes: take the part from a DataMatrix, QR or 1-D code in the picture; a code comes before the name.
        once: end when all that is there now was judged.
        precision, store, keep, pictures, constant, output: as for `inspect`.
        stop: asked several times a second whether to end; pictures in work are finished first.
        each: gets each name with its inspection, or the reason why there is none.
        say: writes a line for people about the folder and the outputs.

    Returns:
        Counts of the verdicts, and of the pictures that could not be judged.

    Raises:
        SourceError: there is no such folder.
        UsageError: a setting is out of range, or another run watches with the same `out`.
        DependencyError: watchfiles, or zxing-cpp for codes, is not installed.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
        StoreError: the records or pictures cannot be written.
    """
    inspector, told = inspector_of(recipe, precision), say or _nothing
    moved = None if move_to is None else Path(move_to)
    settings = FolderSettings(settle, marker, moved, polling, part_from, codes)
    place, watched = Path(out), Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    with (
        WatchedFolder(watched, notes_of(place, watched), settings) as arriving,
        open_station(
            inspector,
            store=store,
            keep=keep,
            pictures=pictures,
            constant=constant,
            output=output,
            spool=spool_of(place, store),
            say=told,
        ) as station,
    ):
        return watch_folder(
            arriving, station, stop=stop or _never, once=once, told=each or _nothing, say=told
        )


def notes_of(state: Path, folder: Path) -> Path:
    """Return the file in `state` that notes which pictures of a folder were judged."""
    return state / f".judged-{_short(str(folder.absolute()))}"


def spool_of(state: Path, store: str | None) -> Path:
    """Return the file in `state` that holds what records have not taken yet."""
    return state / f".unstored-{_short(store or '')}"


def _never() -> bool:
    return False


def _nothing(*_: object) -> None:
    pass


def _short(text: str) -> str:
    """Make a short name for a file of a folder or of records."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
