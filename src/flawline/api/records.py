"""Look into records, decide, take out, bring in, judge again; list and acknowledge alerts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union
from zoneinfo import ZoneInfo

from flawline.data.table_format import stated_format
from flawline.data.times import parse_time
from flawline.errors import UsageError
from flawline.records import open_store
from flawline.records.record import StoredRecord
from flawline.types import Track, Verdict, no_track

if TYPE_CHECKING:
    from flawline.api.recipes import RecipeLike
    from flawline.data.source import SourceLike
    from flawline.records.alerts import StoredAlert
    from flawline.records.imports import Imported
    from flawline.records.pictures import Pictures
    from flawline.records.read import Page
    from flawline.records.store import Store
    from flawline.records.thin import Thinned
    from flawline.records.where import Where
    from flawline.station.replay import Replay

StoreLike: TypeAlias = Union["Store", str, "os.PathLike[str]"]
Time: TypeAlias = datetime | str | None


def open_records(url: str | os.PathLike[str], *, create: bool = True) -> Store:
    """Open records, creating them where there are none and `create` says so; a context manager.

    Args:
        url: an SQLite file, or postgresql://USER@HOST/DATABASE.
        create: whether there may be none yet.

    Returns:
        The store, which every other call takes in place of its URL.

    Raises:
        UsageError: `url` is none of these.
        DependencyError: psycopg is not installed.
        StoreError: the records cannot be reached or read.
    """
    return open_store(os.fspath(url), create=create)


def list_records(
    store: StoreLike,
    *,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    verdict: Sequence[str] | None = None,
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
    undecided: bool = False,
    count: int = 20,
    after: str | None = None,
) -> Page:
    """List inspections, the newest first.

    Args:
        store: open records, or their URL.
        where: values of part, lot, station, step, product, operator, tool, shift, recipe or image.
        since, until: from this time on, and before that one: with a zone, or as text (ISO 8601).
        verdict: the machine's verdicts.
        at_least, at_most: numbers of score, p_value, defects, largest_area, total_area, count_CLASS or
            largest_area_CLASS.
        undecided: only those about which nobody has decided.
        count: how many at most.
        after: go on behind this place: `next` of the page before.

    Returns:
        The `items`, and where to go on.

    Raises:
        UsageError: an unknown name or verdict, or a time without a zone.
        StoreError: the records cannot be read.
    """
    wanted = where_of(where, since, until, verdict, at_least, at_most, undecided=undecided)
    with opened_records(store) as open_:
        return open_.page(wanted, after=after, count=count)


def show_record(store: StoreLike, number: int) -> StoredRecord:
    """Read one inspection with its defects, measures and decisions.

    Args:
        store: open records, or their URL.
        number: of the inspection.

    Returns:
        The record.

    Raises:
        StoreError: the records cannot be read, or ("store-unknown") there is none of this number.
    """
    with opened_records(store) as open_:
        return open_.get(number)


def decide(store: StoreLike, number: int, verdict: Verdict, *, who: str, why: str) -> StoredRecord:
    """Add a person's decision; the machine's verdict and earlier decisions stay as they are.

    Args:
        store: open records, or their URL.
        number: of the inspection.
        verdict: "accept", "review" or "reject".
        who, why: who decides, and why.

    Returns:
        The record with the decision.

    Raises:
        UsageError: an unknown verdict, nobody's name, or no reason.
        StoreError: the records cannot be written, or ("store-unknown") there is none of this number.
    """
    with opened_records(store) as open_:
        open_.decide(number, verdict, who=who, why=why, when=datetime.now(UTC))
        return open_.get(number)


def export_records(
    store: StoreLike,
    out: str | os.PathLike[str] = "flawline-records",
    *,
    form: str = "parquet",
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    verdict: Sequence[str] | None = None,
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
) -> list[Path]:
    """Write records as tables that other programs read, and `import_records` reads back.

    Args:
        store: open records, or their URL.
        out: folder for the tables of inspections, defects and decisions.
        form: "parquet" or "csv".
        where, since, until, verdict, at_least, at_most: which ones, as for `list_records`.

    Returns:
        The three paths.

    Raises:
        UsageError: an argument makes no sense.
        StoreError: the records cannot be read.
    """
    from flawline.records.export import export_tables

    wanted = where_of(where, since, until, verdict, at_least, at_most)
    with opened_records(store) as open_:
        return export_tables(open_, Path(out), wanted, form=form)


def import_records(
    store: StoreLike,
    table: str | os.PathLike[str],
    *,
    defects: str | os.PathLike[str] | None = None,
    column: Mapping[str, str] | None = None,
    constant: Mapping[str, str] | None = None,
    zone: tzinfo | str | None = None,
    again: bool = False,
    table_format: Mapping[str, str | int] | None = None,
) -> Imported:
    """Take an earlier table into records; rows that are there already are passed over.

    Args:
        store: open records, or their URL; created where there are none.
        table: CSV, Parquet or spreadsheet, one row per part or picture.
        defects: its table of defects; found by itself beside what Flawline wrote.
        column: which column holds a field: {"lot": "Charge"}.
        constant: fields that are the same for all rows: {"station": "press-1"}.
        zone: of times without one: "+01:00", "Europe/Berlin" or a `tzinfo`.
        again: import as new captures the rows that the records have under another lot or other names; else the table
            is refused.
        table_format: how the tables are written, where that is not found out, as for `chart`.

    Returns:
        How many rows were new and known, what was measured, and notes of what was understood.

    Raises:
        UsageError: an unknown field or zone.
        SourceError, ManifestError: the table cannot be read or has cells that make no sense.
        StoreError: the records cannot be written; ("record-repeated") they have rows under another lot or other names.
    """
    from flawline.records.imports import Reading, import_table

    stated = stated_format(table_format)
    how = Reading(column or {}, constant or {}, zone_of(zone), stated)
    with opened_records(store, create=True) as open_:
        return import_table(
            open_,
            Path(table),
            defects=None if defects is None else Path(defects),
            how=how,
            again=again,
        )


def replay(
    store: StoreLike,
    number: int,
    *,
    recipe: RecipeLike | None = None,
    pictures: str | os.PathLike[str] | None = None,
) -> Replay:
    """Judge the kept picture of an inspection again, and compare.

    Args:
        store: open records, or their URL.
        number: of the inspection.
        recipe: instead of the one that was kept: a recipe or its path.
        pictures: where pictures are kept, a folder or URL; beside an SQLite file given as URL, if not named.

    Returns:
        The verdict now, and in words how it differs.

    Raises:
        UsageError: nobody says where pictures are kept.
        StoreError: ("store-unknown") there is no such inspection; ("picture-missing", "picture-damaged") its picture or
            recipe is not kept or was altered.
        ImageError, ModelError: the picture can no longer be read, or the recipe no longer be used.
    """
    from flawline.api.recipes import recipe_of
    from flawline.station.replay import replay as judge_again

    with opened_records(store) as open_:
        place = pictures_of(pictures, store)
        return judge_again(open_, place, number, None if recipe is None else recipe_of(recipe))


def partition_records(store: StoreLike, *, track: Track = no_track) -> int:
    """Partition records in PostgreSQL by month, in steps that may be interrupted; those of new databases are.

    Stations may write meanwhile. The database needs room for the inspections twice.

    Args:
        store: open records, or their URL.
        track: shows how far it is.

    Returns:
        How many inspections there are.

    Raises:
        UsageError: the records are in SQLite.
        StoreError: the records cannot be written; ("store-busy") another process does the same; ("store-changed")
            inspections were removed meanwhile.
    """
    from flawline.records.partition import partition

    with opened_records(store) as open_:
        return partition(open_.engine, track=track)


def thin_records(
    store: StoreLike,
    keep: Mapping[str, str] | None = None,
    *,
    pictures: str | os.PathLike[str] | None = None,
    recipe: Sequence[RecipeLike] = (),
    protect: Sequence[SourceLike] = (),
    remove: bool = False,
    who: str = "",
    track: Track = no_track,
) -> Thinned:
    """Find what records need not keep by rules, and remove it where `remove` says so.

    Nothing goes that is for review, that a decision, a note on a chart or an alert is about, or whose picture a recipe
    learnt from or was tested with. Interrupted, it goes on when it is called again.

    Args:
        store: open records, or their URL.
        keep: how long the pictures and maps of "accept", "reject" and "unjudged" are kept, and "inspections": "30d",
            "8w", "5y", or "30d:100" for one in a hundred afterwards. What has no rule is kept for ever.
        pictures: where pictures are kept, a folder or URL; beside an SQLite file given as URL, if not named.
        recipe: recipes whose pictures stay, besides those that are kept with the records.
        protect: pictures that stay, such as labelled ones: sources of the same files.
        remove: remove it; it is counted only if not given.
        who: who removes it, for the audit trail.
        track: shows how far it is.

    Returns:
        How many files, bytes and inspections go, or went.

    Raises:
        UsageError: a rule makes no sense, nobody says where pictures are kept, or nobody removes.
        StoreError: records or pictures cannot be read or written, or a kept recipe cannot be read.
        SourceError, RecipeError: what is protected cannot be read.
    """
    from flawline.records.keep_rules import parse_keep_rules
    from flawline.records.thin import thin

    rules = parse_keep_rules(keep or {})
    now = datetime.now(UTC)
    with opened_records(store) as open_:
        # Where inspections go their pictures go too.
        place = pictures_of(pictures, store)
        stay = _protected(open_, place, recipe, protect)
        return thin(open_, place, rules, now, protected=stay, remove=remove, who=who, track=track)


def _protected(
    store: Store, place: Pictures, recipes: Sequence[RecipeLike], sources: Sequence[SourceLike]
) -> frozenset[str]:
    """Gather the hashes of pictures that recipes and sources refer to."""
    from hashlib import sha256

    from flawline.api.recipes import recipe_of
    from flawline.data.source import opened
    from flawline.station.stored_recipe import stored_recipe

    given = [recipe_of(one) for one in recipes]
    known = {one.sha256 for one in given}
    names = [name for name in store.names("recipe") if name not in known]
    given += [stored_recipe(store, place, name) for name in names if store.recipe_file(name)]
    found = {picture.sha256 for one in given for picture in one.manifest.pictures}
    for each in sources:
        with opened(each) as source:
            found |= {sha256(source.read(one.name)).hexdigest() for one in source.samples()}
    return frozenset(found)


def list_alerts(
    store: StoreLike, *, only_open: bool = False, count: int = 20
) -> tuple[StoredAlert, ...]:
    """List the alerts of watched charts, the latest first.

    Args:
        store: open records, or their URL.
        only_open: only those that nobody has acknowledged.
        count: how many at most.

    Returns:
        The alerts with who has seen them.

    Raises:
        StoreError: the records cannot be read.
    """
    with opened_records(store) as open_:
        return open_.alerts.list(only_open=only_open, count=count)


def acknowledge(store: StoreLike, key: str, *, by: str, note: str = "") -> StoredAlert:
    """Record that somebody has seen an alert: it is not escalated any more.

    Args:
        store: open records, or their URL.
        key: of the alert.
        by: who has seen it.
        note: what was found, or what is done about it.

    Returns:
        The alert with who has seen it.

    Raises:
        UsageError: nobody's name.
        StoreError: the records cannot be written, or ("store-unknown") there is no such alert.
    """
    with opened_records(store) as open_:
        return open_.alerts.acknowledge(key, who=by, note=note, when=datetime.now(UTC))


def opened_records(store: StoreLike, *, create: bool = False) -> AbstractContextManager[Store]:
    """Give open records as they are, which stay open, or open a URL for the length of a `with`."""
    if isinstance(store, str | os.PathLike):
        return open_records(store, create=create)
    return nullcontext(store)


def where_of(
    where: Mapping[str, str] | None,
    since: Time,
    until: Time,
    verdict: Sequence[str] | None = None,
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
    *,
    undecided: bool = False,
) -> Where:
    """Gather which inspections are meant; errors as for `list_records`."""
    from flawline.records.where import Where

    return Where(
        since=parse_time(since) if isinstance(since, str) else since,
        until=parse_time(until) if isinstance(until, str) else until,
        verdict=tuple(verdict or ()),
        names=where or {},
        decided=False if undecided else None,
        least=at_least or {},
        most=at_most or {},
    )


def zone_of(zone: tzinfo | str | None) -> tzinfo | None:
    """Find a time zone by its name or its distance from UTC.

    Raises:
        UsageError: there is no such zone.
    """
    if not isinstance(zone, str):
        return zone
    try:
        if zone[:1] in ("+", "-"):
            return datetime.fromisoformat(f"2026-01-01T00:00:00{zone}").tzinfo
        return ZoneInfo(zone)
    except (ValueError, KeyError, OSError) as error:
        raise UsageError(
            f"there is no time zone {zone!r}", hint="write +01:00, or a name such as Europe/Berlin"
        ) from error


def pictures_of(pictures: str | os.PathLike[str] | None, store: StoreLike) -> Pictures:
    """Open the place where the pictures of records are kept, a folder beside an SQLite file if none is given.

    Raises:
        UsageError: nobody says where.
    """
    from flawline.records.pictures import default_pictures, open_pictures

    place = None if pictures is None else os.fspath(pictures)
    if place is None and isinstance(store, str | os.PathLike):
        place = default_pictures(os.fspath(store))
    if place is None:
        raise UsageError(
            "nothing says where the pictures of these records are kept",
            hint="name the folder or URL with `pictures`",
        )
    return open_pictures(place)
