"""Judge the pictures of a camera."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.api.inspect import open_station
from flawline.api.recipes import InspectorLike, inspector_of
from flawline.inspector.inspection import Inspection
from flawline.station.camera import Camera, CameraSettings
from flawline.station.film import film
from flawline.station.watch import Watched
from flawline.types import Unjudged

if TYPE_CHECKING:
    from flawline.outputs import Output


def camera(
    recipe: InspectorLike,
    url: str | int,
    *,
    out: str | os.PathLike[str] = "flawline-camera",
    every: float = 0.0,
    count: int = 0,
    waiting: int = 8,
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
    """Judge the pictures of a camera as they come.

    Args:
        recipe: with thresholds: a recipe, its path, or an `Inspector`.
        url: the camera's number (0 is the first), an address such as rtsp://HOST/PATH, "genicam:NAME", or a video file.
        out: a folder for notes of what records have not taken yet.
        every: seconds between two pictures; 0 takes every one that the camera sends.
        count: end after so many pictures; 0 for no end.
        waiting: pictures that may wait; one that comes while so many wait is recorded as not judged.
        precision, store, keep, pictures, constant, output: as for `inspect`.
        stop: asked between two pictures whether to end; pictures in work are finished first.
        each: gets each name with its inspection, or the reason why there is none.
        say: writes a line for people about the camera and the outputs.

    Returns:
        Counts of the verdicts, of the pictures that could not be judged, and of those among them that came too fast.

    Raises:
        SourceError: ("camera-missing") there is no such camera, or it sends nothing.
        UsageError: a setting is out of range.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
        StoreError: the records or pictures cannot be written.
    """
    settings, told = CameraSettings(every, count, waiting), say or _nothing
    inspector = inspector_of(recipe, precision)
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    short = sha256(f"{url} {store or ''}".encode()).hexdigest()[:8]
    with (
        Camera(str(url), settings) as filming,
        open_station(
            inspector,
            store=store,
            keep=keep,
            pictures=pictures,
            constant=constant,
            output=output,
            spool=place / f".unstored-{short}",
            say=told,
        ) as station,
    ):
        return film(filming, station, stop=stop or _never, told=each or _nothing, say=told)


def _never() -> bool:
    return False


def _nothing(*_: object) -> None:
    pass
