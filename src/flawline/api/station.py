"""Run a station as one file describes it, and check that file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flawline.api.inspect import open_station
from flawline.api.watch import notes_of, spool_of
from flawline.errors import FlawlineError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.inspection import Inspection
from flawline.outputs import Answer
from flawline.outputs.output import OffersRecipes
from flawline.recipe import check_ready
from flawline.station.camera import Camera
from flawline.station.mqtt_pictures import MqttPictures
from flawline.station.mqtt_triggers import MqttTriggers, TriggerEntries
from flawline.station.recipe_change import RecipeChange
from flawline.station.run_feeds import run_feeds, summed
from flawline.station.station import Station
from flawline.station.station_file import (
    CameraFeed,
    Feed,
    MqttFeed,
    StationPlan,
    read_station_file,
)
from flawline.station.triggers import Triggers
from flawline.station.watch import Watched
from flawline.station.watched_folder import WatchedFolder
from flawline.types import Unjudged

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A plan and the inspector of its recipe."""

    plan: StationPlan
    inspector: Inspector


def check_station(
    file: str | os.PathLike[str], *, environment: Mapping[str, str] | None = None
) -> StationPlan:
    """Check station.toml and the recipe that it names; nothing is connected, judged or written.

    Args:
        file: the station's file; paths in it are relative to its folder.
        environment: variables that hold secrets; those of the process if None.

    Returns:
        What the file says, with secrets.

    Raises:
        UsageError: ("station-file") an entry is unknown, missing or wrong; the message names line and key.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
    """
    return _ready(Path(file), environment).plan


def run_station(
    file: str | os.PathLike[str],
    *,
    once: bool = False,
    stop: Callable[[], bool] | None = None,
    reload: Callable[[], bool] | None = None,
    environment: Mapping[str, str] | None = None,
    each: Callable[[str, Inspection | Unjudged], None] | None = None,
    answer: Callable[[Answer], None] | None = None,
    triggers: dict[str, Triggers] | None = None,
    say: Say | None = None,
) -> Watched:
    """Run the station that a file describes: its feeds, recipe, records and outputs.

    Args:
        file: the station's file, such as station.toml.
        once: end when all that is there now was judged.
        stop: asked several times a second whether to end; pictures in work are finished first.
        reload: asked as often whether to read the file again. A file that cannot be used is reported, and the station
            goes on as before. Pictures in work are finished and recorded by the old settings; those that arrive
            meanwhile wait in their folder or at their broker; what a camera sends meanwhile is not taken.
        environment: variables that hold secrets; those of the process if None.
        each: gets each name with its inspection, or the reason why there is none.
        answer: gets the answer to each trigger at once, before anything is recorded: the verdict, or at the deadline of
            the file what it says for late parts. It must not wait; one call at a time.
        triggers: filled with the cameras whose trigger is "api", by name: `triggers["0"].ask({"part": "P7"})` asks
            for a picture, from any thread. The page of the file is served by the command line alone.
        say: writes a line for people about feeds, outputs and the file.

    Returns:
        Counts of the verdicts, and of the pictures that could not be judged; times of the answers since the file was
        last read.

    Raises:
        UsageError: ("station-file") the file cannot be used; another run has its `state`; nobody can ask a camera; or
            `once` with a camera or broker.
        SourceError: a folder or camera is not there.
        ModelError: the recipe cannot be used.
        DependencyError: a feed or output needs what is not installed.
        StoreError: the records or pictures cannot be written.
    """
    path, talk, reloads = Path(file), say or _nothing, reload or _never
    ready, fallback = _ready(path, environment), None
    judged: list[Watched] = []
    while True:
        following: list[_Ready] = []

        def ended(now: _Ready = ready, following: list[_Ready] = following) -> bool:
            if reloads() and (new := _reloaded(now, environment, talk)) is not None:
                following.append(new)
            return bool(following) or (stop or _never)()

        try:
            with opened_station(ready.plan, ready.inspector, talk, answer, triggers) as (
                station,
                feeds,
            ):
                if fallback is not None:
                    talk(f"{path} was read again")
                fallback = None
                judged.append(
                    run_feeds(
                        feeds, station, stop=ended, once=once, told=each or _nothing, say=talk
                    )
                )
        except FlawlineError as error:
            if fallback is None:
                raise
            talk(f"{path} cannot be used: {error.message}; the station goes on as before")
            ready, fallback = fallback, None
            continue
        if not following:
            return summed(judged)
        ready, fallback = following[0], ready


@contextmanager
def opened_station(
    plan: StationPlan,
    inspector: Inspector,
    say: Say,
    answer: Callable[[Answer], None] | None = None,
    triggers: dict[str, Triggers] | None = None,
) -> Iterator[tuple[Station, list[WatchedFolder | Camera | MqttPictures]]]:
    """Open the station and the feeds of a plan."""
    plan.state.mkdir(parents=True, exist_ok=True)
    records = plan.records
    store = None if records is None else records.store
    with ExitStack() as opened:
        feeds: list[WatchedFolder | Camera | MqttPictures] = []
        for feed in plan.feeds:
            opening = _opened_feed(plan, feed, triggers)
            opened.enter_context(opening)
            feeds.append(opening)
        outputs = [one.opened(say) for one in plan.outputs]
        changing = RecipeChange(plan, say)
        for output in outputs:
            if plan.recipes and isinstance(output, OffersRecipes):
                output.offer(tuple(plan.recipes), changing.used, changing.choose)
        station = opened.enter_context(
            open_station(
                inspector,
                store=store,
                keep=None if records is None else records.keep,
                pictures=None if records is None else records.pictures,
                # Without records and outputs there is nobody who could be given the names.
                constant=plan.names if store or plan.outputs else None,
                output=outputs,
                spool=spool_of(plan.state, store),
                answers=plan.answers,
                answer=answer,
                say=say,
            )
        )
        changing.station = station
        yield station, feeds


def _opened_feed(
    plan: StationPlan, feed: Feed, asked: dict[str, Triggers] | None
) -> WatchedFolder | Camera | MqttPictures:
    if isinstance(feed, MqttFeed):
        return MqttPictures(feed.entries)
    if isinstance(feed, CameraFeed):
        return Camera(feed.camera, feed.settings, triggers=_triggers(feed, asked))
    return WatchedFolder(feed.folder, notes_of(plan.state, feed.folder), feed.settings)


def _triggers(feed: CameraFeed, asked: dict[str, Triggers] | None) -> Triggers | None:
    """Return who asks a camera for pictures; None where nobody does."""
    if isinstance(feed.trigger, TriggerEntries):
        return MqttTriggers(feed.trigger)
    if feed.trigger is None:
        return None
    if asked is None:
        raise UsageError(
            f"a program asks the camera {feed.name} for pictures, and none can",
            hint="give triggers, or run the station with its page",
        )
    return asked.setdefault(feed.name, Triggers())


def _ready(path: Path, environment: Mapping[str, str] | None) -> _Ready:
    plan = read_station_file(path, os.environ if environment is None else environment)
    inspector = Inspector.open(plan.recipe, precision=plan.precision)
    check_ready(inspector.recipe)
    return _Ready(plan, inspector)


def _reloaded(now: _Ready, environment: Mapping[str, str] | None, say: Say) -> _Ready | None:
    """Read the file again; None where it cannot be used, which is said."""
    path = now.plan.path
    try:
        return _ready(path, environment)
    except (FlawlineError, OSError) as error:
        said = error.message if isinstance(error, FlawlineError) else str(error)
        say(f"{path} cannot be used: {said}; the station goes on as before")
        return None


def _never() -> bool:
    return False


def _nothing(*_: object) -> None:
    pass
