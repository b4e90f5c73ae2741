"""Read station.toml, which describes a station whole: recipe, feeds, records, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

from flawline.errors import UsageError
from flawline.outputs.events import KINDS
from flawline.outputs.output import Output
from flawline.outputs.registry import OUTPUTS, open_kind
from flawline.recipe.entries import Problem
from flawline.station.answering import AnswerSettings
from flawline.station.camera import CameraSettings, camera_name
from flawline.station.genicam import PREFIX as GENICAM
from flawline.station.mqtt_pictures import MqttPictures, PictureTopicEntries
from flawline.station.mqtt_triggers import MqttTriggers, TriggerEntries
from flawline.station.station_entries import (
    AnswerEntries,
    CameraEntries,
    FolderEntries,
    NameEntries,
    PageEntries,
    RecipePath,
    RecordEntries,
    TopEntries,
)
from flawline.station.toml_sections import CODE, TomlSections
from flawline.station.watched_folder import FolderSettings
from flawline.types import Verdict

FEEDS = {"folder": FolderEntries, "camera": CameraEntries, "mqtt": PictureTopicEntries}
_TABLES = ("names", "recipes", "records", "page", "answers", "feeds", "outputs")


@dataclass(frozen=True, slots=True)
class FolderFeed:
    """A watched folder of a station."""

    folder: Path
    settings: FolderSettings

    @property
    def name(self) -> str:
        """Name the feed for people."""
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class CameraFeed:
    """A camera of a station: its number, address or video file; an address may hold a password."""

    camera: str = field(repr=False)
    settings: CameraSettings
    trigger: TriggerEntries | str | None = field(default=None, repr=False)
    """The messages that ask for pictures, "api" where a program asks; None where nobody does."""

    @property
    def name(self) -> str:
        """Name the feed for people."""
        return camera_name(self.camera)


@dataclass(frozen=True, slots=True)
class MqttFeed:
    """Pictures that a station takes from a broker."""

    entries: PictureTopicEntries = field(repr=False)

    @property
    def name(self) -> str:
        """Name the feed for people."""
        return MqttPictures(self.entries).name


Feed: TypeAlias = FolderFeed | CameraFeed | MqttFeed


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """An output of a station: its kind, its settings, and the kinds of events that it gets; None for the usual ones."""

    kind: str
    values: Mapping[str, Any] = field(repr=False)
    events: frozenset[str] | None
    where: str

    def opened(self, say: Callable[[str], None]) -> Output:
        """Make the output; nothing is connected yet.

        Raises:
            UsageError: ("station-file") the settings cannot be used.
        """
        try:
            return open_kind(self.kind, self.values, say, self.events)
        except UsageError as error:
            raise UsageError(
                f"{self.where}: {error.message}", hint=error.hint, code=CODE
            ) from error


@dataclass(frozen=True, slots=True)
class StationPlan:
    """What station.toml says. Paths are those of this process, secrets are read.

    `state` is the folder of notes; `records` is None where nothing is recorded, `page` where none is served.
    `recipes` are those that clients may choose, by name.
    """

    path: Path
    recipe: Path
    precision: str | None
    state: Path
    names: Mapping[str, str]
    recipes: Mapping[str, Path]
    records: RecordEntries | None
    page: PageEntries | None
    answers: AnswerSettings | None
    feeds: tuple[Feed, ...]
    outputs: tuple[OutputPlan, ...]


def read_station_file(path: Path, environment: Mapping[str, str]) -> StationPlan:
    """Read and check station.toml whole; nothing is opened, connected or written.

    Args:
        path: the file; paths in it are relative to its folder.
        environment: the environment variables, which hold secrets.

    Raises:
        UsageError: ("station-file") it cannot be read, an entry is unknown, missing or wrong, a secret stands in it or
            is missing. The message names line and key.
    """
    file = TomlSections.read(path, environment)
    file.check_keys((), file.table, (*TopEntries.__dataclass_fields__, *_TABLES))
    recipes = _recipes(file)
    top = TopEntries(**file.values((), _without_tables(file.table), TopEntries))
    feeds = tuple(_feed(file, place, one) for place, one in enumerate(file.tables("feeds")))
    if not feeds:
        raise file.error(
            (), "expected at least one feed", 'write [[feeds]] and folder = "pictures"'
        )
    _check_differ(file, feeds)
    records = file.section("records")
    plan = StationPlan(
        path,
        Path(top.recipe),
        top.precision,
        Path(top.state if "state" in file.table else file.beside(top.state)),
        _names(file),
        recipes,
        None
        if records is None
        else RecordEntries(**file.values(("records",), records, RecordEntries)),
        _page(file),
        _answers(file),
        feeds,
        tuple(_output(file, place, one) for place, one in enumerate(file.tables("outputs"))),
    )
    _check_outputs(file, plan.outputs)
    return plan


def _without_tables(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in _TABLES}


def _names(file: TomlSections) -> dict[str, str]:
    names = file.section("names") or {}
    file.check_keys(("names",), names, NameEntries)
    for key, value in names.items():
        try:
            NameEntries[key].read(value)
        except ValueError:
            message = f"expected {NameEntries[key].expected}"
            raise file.problem(("names",), Problem(key, message)) from None
    return dict(names)


def _recipes(file: TomlSections) -> dict[str, Path]:
    """Read the recipes that clients may choose; what they send is compared with the names alone."""
    table = file.section("recipes") or {}
    found = {}
    for name, value in table.items():
        try:
            found[name] = Path(file.beside(RecipePath.read(value)))
        except ValueError:
            raise file.problem(
                ("recipes",), Problem(name, f"expected {RecipePath.expected}")
            ) from None
        if not 0 < len(name) <= 200 or not name.isprintable():
            raise file.error(("recipes", name), "expected a name of 1 to 200 printable characters")
    return found


def _page(file: TomlSections) -> PageEntries | None:
    table = file.section("page")
    if table is None:
        return None
    if file.section("records") is None:
        raise file.error(("page",), "a page shows records, and none are kept", "write [records]")
    values = file.values(("page",), table, PageEntries)
    return PageEntries(**{"data": file.beside("flawline-server"), **values})


def _answers(file: TomlSections) -> AnswerSettings | None:
    table = file.section("answers")
    if table is None:
        return None
    entries = AnswerEntries(**file.values(("answers",), table, AnswerEntries))
    return AnswerSettings(entries.within, cast(Verdict, entries.late))


def _kind(
    file: TomlSections,
    where: tuple[str | int, ...],
    table: Mapping[str, Any],
    known: Mapping[str, Any],
    usual: str | None,
) -> str:
    """Return the kind of a feed or output."""
    kind = table.get("kind", usual)
    if not isinstance(kind, str) or kind not in known:
        got = "it is missing" if kind is None else f"got {kind!r}"
        raise file.error(
            (*where, "kind"),
            f"expected {' or '.join(known)}, {got}",
            f'write kind = "{next(iter(known))}"',
        )
    return kind


def _feed(file: TomlSections, place: int, table: Mapping[str, Any]) -> Feed:
    where = ("feeds", place)
    kind = _kind(file, where, table, FEEDS, "folder")
    rest = {key: value for key, value in table.items() if key != "kind"}
    if kind == "camera":
        trigger = _trigger(file, where, rest.pop("trigger", None))
        camera = CameraEntries(**file.values(where, rest, CameraEntries))
        named = camera.camera.isdecimal() or camera.camera.startswith(GENICAM)
        name = camera.camera if named else file.beside(camera.camera)
        if trigger is not None and camera.every:
            raise file.error(
                (*where, "every"), "a trigger says when a picture is taken", "leave one of them out"
            )
        return CameraFeed(name, CameraSettings(camera.every, waiting=camera.waiting), trigger)
    if kind == "mqtt":
        return _mqtt_feed(file, where, rest)
    entries = FolderEntries(**file.values(where, rest, FolderEntries))
    move_to = None if entries.move_to is None else Path(entries.move_to)
    try:
        settings = FolderSettings(
            entries.settle,
            entries.marker,
            move_to,
            entries.polling,
            entries.part_from,
            entries.codes,
        )
    except UsageError as error:
        raise file.error(where, error.message, error.hint) from error
    return FolderFeed(Path(entries.folder), settings)


def _trigger(
    file: TomlSections, where: tuple[str | int, ...], table: object
) -> TriggerEntries | str | None:
    """Read who asks a camera for pictures."""
    if table is None:
        return None
    where = (*where, "trigger")
    if not isinstance(table, Mapping):
        raise file.error(where, "expected a section", "write [feeds.trigger] below the feed")
    kind = _kind(file, where, table, {"mqtt": TriggerEntries, "api": None}, "mqtt")
    rest = {key: value for key, value in table.items() if key != "kind"}
    if kind == "api":
        file.check_keys(where, rest, ())
        return kind
    entries = TriggerEntries(**file.values(where, rest, TriggerEntries))
    try:
        MqttTriggers(entries)
    except UsageError as error:
        raise file.error(where, error.message, error.hint) from error
    return entries


def _mqtt_feed(
    file: TomlSections, where: tuple[str | int, ...], table: Mapping[str, Any]
) -> MqttFeed:
    entries = PictureTopicEntries(**file.values(where, table, PictureTopicEntries))
    try:
        MqttPictures(entries)
    except UsageError as error:
        raise file.error(where, error.message, error.hint) from error
    return MqttFeed(entries)


def _check_differ(file: TomlSections, feeds: tuple[Feed, ...]) -> None:
    """Refuse a folder inside another, and a camera or topic twice: their pictures would be judged twice."""
    seen: list[Path] = []
    others: set[str] = set()
    for place, feed in enumerate(feeds):
        if not isinstance(feed, FolderFeed):
            what = "camera" if isinstance(feed, CameraFeed) else "topic"
            own_name = feed.camera if isinstance(feed, CameraFeed) else feed.name
            if own_name in others:
                raise file.error(
                    ("feeds", place, what),
                    f"another feed has this {what}",
                    "each picture is judged by one feed",
                )
            others.add(own_name)
            continue
        own = feed.folder.absolute()
        if any(own.is_relative_to(one) or one.is_relative_to(own) for one in seen):
            raise file.error(
                ("feeds", place, "folder"),
                "another feed watches this folder, a part of it or what holds it",
                "each picture is judged by one feed",
            )
        seen.append(own)


def _check_outputs(file: TomlSections, outputs: tuple[OutputPlan, ...]) -> None:
    """Make each output once; two for one place would share their messages."""
    seen: set[tuple[str, str]] = set()
    for place, plan in enumerate(outputs):
        output = plan.opened(_nothing)
        if (output.name, output.place) in seen:
            raise file.error(
                ("outputs", place),
                f"{output.name} is an output already",
                "give it all events at once",
            )
        seen.add((output.name, output.place))


def _output(file: TomlSections, place: int, table: Mapping[str, Any]) -> OutputPlan:
    where = ("outputs", place)
    kind = _kind(file, where, table, OUTPUTS, None)
    events = table.get("events")
    if OUTPUTS[kind].live and events is not None:
        raise file.error(
            (*where, "events"), f"{kind} gets answers and health alone", "leave it out"
        )
    right = isinstance(events, list) and events and all(one in KINDS for one in events)
    if events is not None and not right:
        raise file.error(
            (*where, "events"),
            f"expected a list of {', '.join(KINDS)}",
            'such as events = ["judged"]',
        )
    rest = {key: value for key, value in table.items() if key not in ("kind", "events")}
    values = file.values(where, rest, OUTPUTS[kind].entries)
    line = file.lines.of(*where)
    chosen = None if events is None else frozenset(events)
    return OutputPlan(kind, values, chosen, f"{file.path}, line {line}")


def _nothing(text: str) -> None:
    pass
