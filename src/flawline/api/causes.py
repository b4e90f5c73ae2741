"""Study the causes of defects: steps, factors, places and drift."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flawline.api.records import StoreLike, Time, opened_records, where_of
from flawline.data.source import SourceLike, opened
from flawline.data.table_format import stated_format
from flawline.errors import UsageError
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.api.recipes import InspectorLike
    from flawline.jobs.study.drift_study import DriftStudy
    from flawline.jobs.study.factors_study import FactorsStudy
    from flawline.jobs.study.growing_place import GrowthStudy
    from flawline.jobs.study.inspected_parts import InspectedParts
    from flawline.jobs.study.inspected_tables import InspectedColumns
    from flawline.jobs.study.steps_study import StepsStudy

Table = str | os.PathLike[str]


def study_steps(
    table: Table | None = None,
    *,
    parts: Table | None = None,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    part: str | None = None,
    step: str = "step",
    order: Sequence[str] = (),
    tolerance: float | None = None,
    x: str | None = None,
    y: str | None = None,
    kind: str | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    table_format: Mapping[str, str | int] | None = None,
) -> StepsStudy:
    """Find out which step of a process adds which defects, from parts inspected after each step.

    Defects are followed by their places from step to step; where the parts are not, groups of parts are compared.

    Args:
        table: of defects, one row each: CSV, Parquet or spreadsheet; or give `store`.
        parts: of the inspected parts, one row per part and step; NAME-parts next to `table` if not given.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        part: column of the part; part, group or image if not given.
        step: column of the step after which a part was inspected.
        order: the steps in order; by their times, or else their names, if not given.
        tolerance: how far a defect may seem to move between two steps, in the unit of the places; 2 % of the longer
            side of the part if not given.
        x, y: columns of the places; part_x and part_y, x and y, centroid_x and centroid_y, or the box if not given.
        kind: column of the class; class or label if not given.
        confidence: of the intervals.
        seed: of the permutations.
        table_format: as for `chart`.

    Returns:
        What each step adds of each class. `flawline.jobs.study.steps_report.steps_report` describes it.

    Raises:
        UsageError: arguments that do not go together.
        SourceError: a table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: ("study-steps") fewer than two steps; ("study-places") no places; ("study-empty") no defects.
    """
    from flawline.jobs.study import steps_study as studying
    from flawline.jobs.study.inspected_tables import InspectedColumns

    named = InspectedColumns(part=part, step=step, x=x, y=y, kind=kind)
    found = inspected(table, parts, store, named, where, since, until, table_format)
    return studying.study_steps(
        found, step, order=tuple(order), tolerance=tolerance, confidence=confidence, seed=seed
    )


def study_factors(
    table: Table | None = None,
    *,
    parts: Table | None = None,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    by: Sequence[str] = (),
    of: Literal["count", "size"] = "count",
    only: str | None = None,
    at: str | None = None,
    part: str | None = None,
    step: str = "step",
    order: Sequence[str] = (),
    tolerance: float | None = None,
    x: str | None = None,
    y: str | None = None,
    kind: str | None = None,
    size: str | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    table_format: Mapping[str, str | int] | None = None,
) -> FactorsStudy:
    """Rank tools, lots, shifts and other factors by how much the defects of parts differ between them.

    Args:
        table, parts, store, where, since, until: as for `study_steps`.
        by: the factors to compare; all columns such as lot, tool and shift, and the weekday, if not given.
        of: "count" of defects a part, or their "size".
        only: defects of this class alone.
        at: count what is first seen after this step, with the factors of that step.
        part, step, order, tolerance, x, y, kind: as for `study_steps`.
        size: column of the sizes; area if not given.
        confidence, seed, table_format: as for `study_steps`.

    Returns:
        The factors, the surest and largest first, and what runs together with the first one.
        `flawline.jobs.study.factors_report.factors_report` describes it.

    Raises:
        UsageError: arguments that do not go together, or an unknown factor or class.
        SourceError: a table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: ("study-factors") nothing can be compared.
    """
    from flawline.jobs.study import factors_study as studying
    from flawline.jobs.study.inspected_tables import InspectedColumns

    further = tuple(name for name in by if name != studying.WEEKDAY)
    steps = step if at is not None else None
    named = InspectedColumns(part=part, step=steps, x=x, y=y, kind=kind, size=size, further=further)
    found = inspected(table, parts, store, named, where, since, until, table_format)
    return studying.study_factors(
        found,
        tuple(by),
        of=of,
        kind=only,
        at=at,
        step=step,
        order=tuple(order),
        tolerance=tolerance,
        confidence=confidence,
        seed=seed,
    )


def study_drift(
    table: Table | None = None,
    *,
    parts: Table | None = None,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    pictures: SourceLike | None = None,
    distance: Literal["energy", "mmd"] = "energy",
    seed: int = 0,
    table_format: Mapping[str, str | int] | None = None,
    track: Track = no_track,
) -> DriftStudy:
    """Find out what drifts: the process, the camera, the light or the model, by which of their signals moved first.

    Args:
        table, parts, store, where, since, until: as for `study_steps`; columns such as brightness, sharpness, noise and
            score are signals.
        pictures: of the inspections, by the names of the table: brightness, sharpness, noise, warmth, framing and look
            are measured of them.
        distance: of the looks of the first and the last third of `pictures`: "energy" distance, or "mmd", the maximum
            mean discrepancy with a Gaussian kernel.
        seed: of the permutations.
        table_format: as for `chart`.
        track: shows progress with `pictures`.

    Returns:
        The signals, those that moved first in front. `flawline.jobs.study.drift_report.drift_report` describes it.

    Raises:
        UsageError: arguments that do not go together.
        SourceError: a table or the pictures cannot be read.
        StoreError: the records cannot be read.
        FlawlineError: ("study-empty") fewer than 12 inspections, or nothing is known of them.
    """
    from flawline.jobs.study import drift_study as studying
    from flawline.jobs.study.inspected_tables import InspectedColumns
    from flawline.jobs.study.picture_signals import picture_signals

    found = inspected(table, parts, store, InspectedColumns(), where, since, until, table_format)
    if pictures is None:
        return studying.study_drift(found, distance=distance, seed=seed)
    if "image" not in found.columns:
        raise UsageError("`pictures` needs a column image that names them")
    with opened(pictures) as source:
        signals, failed = picture_signals(source, track)
    lost = tuple(f"{one.image} could not be read: {one.reason}" for one in failed[:5])
    noted = replace(found, notes=(*found.notes, *lost))
    return studying.study_drift(noted, signals, distance=distance, seed=seed)


def study_growth(
    table: Table | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    place: str = "part",
    time: str = "captured",
    area: str = "largest_area",
    framing: str | None = None,
    pictures: SourceLike | None = None,
    recipe: InspectorLike | None = None,
    first_shots: int = 12,
    limit: float | None = None,
    unit: str | None = None,
    confidence: float = 0.95,
    table_format: Mapping[str, str | int] | None = None,
    track: Track = no_track,
) -> GrowthStudy:
    """Follow the area of defects at known places over time: how fast they grow, and when they reach a limit.

    Args:
        table: one row per shot of a place: CSV, Parquet or spreadsheet; or give `store` or `pictures`.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        place: column of the place.
        time: column of the time.
        area: column of the area; an empty cell is a shot without labels, not one without a defect.
        framing: column that changes where the camera was moved. Without it a step of all places by one factor at one
            moment is looked for, and taken for the camera.
        pictures: the shots themselves, in a source with columns of place and time, such as the manifest that
            `flawline groups` writes. A picture of another size is another framing, unless `framing` names a column.
        recipe: which finds the defects on `pictures`. Without it, the change since the first shots of each place is
            followed instead of areas, in percent: nothing is labelled, and an alarm says that a place changes, not why.
        first_shots: of each place, taken to be good, that `pictures` are compared with; they are not studied.
        limit: the largest area that is allowed, in the framing of the last shots.
        unit: of the areas; px if not given.
        confidence: of the intervals.
        table_format: as for `chart`.
        track: shows progress with `pictures`.

    Returns:
        The places, the fastest first. `flawline.jobs.study.growth_report.growth_report` describes it.

    Raises:
        UsageError: arguments that do not go together; pictures without a place, a time or enough first shots.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: ("study-empty") no row can be used.
    """
    from flawline.api.columns import columns_from
    from flawline.jobs.study import growth_study as studying

    if pictures is not None:
        if table is not None or store is not None or where or since or until:
            raise UsageError(
                "`pictures` are the shots themselves", hint="leave out the table or `store`"
            )
        return _growth_of_pictures(
            pictures, recipe, (place, time, area, framing), first_shots, limit, confidence, track
        )
    if recipe is not None:
        raise UsageError("`recipe` finds the defects on `pictures`", hint="give `pictures` too")
    if table is None and store is None:
        raise UsageError(
            "expected a table or a store with areas, or the pictures of the shots",
            hint="give a table, `store` or `pictures`",
        )
    chosen = where_of(where, since, until) if where or since or until else None
    beside = [place, time, *([framing] if framing else [])]
    stated = stated_format(table_format)
    columns, notes = columns_from(table, store, area, beside, [area], chosen, stated)
    return studying.study_growth(
        columns,
        area=area,
        place=place,
        time=time,
        framing=framing,
        limit=limit,
        unit=unit or "px",
        confidence=confidence,
        notes=notes,
    )


def _growth_of_pictures(
    pictures: SourceLike,
    recipe: InspectorLike | None,
    named: tuple[str, str, str, str | None],
    first_shots: int,
    limit: float | None,
    confidence: float,
    track: Track,
) -> GrowthStudy:
    from flawline.api.recipes import inspector_of
    from flawline.jobs.study import growth_pictures as measuring
    from flawline.jobs.study import growth_study as studying

    names = measuring.ShotNames(*named)
    with opened(pictures) as source:
        shots = (
            measuring.changed_shots(source, names, track, first_shots)
            if recipe is None
            else measuring.defect_shots(source, inspector_of(recipe), names, track)
        )
    return studying.study_growth(
        shots.columns,
        area=names.area,
        place=names.place,
        time=names.time,
        framing=shots.names.framing,
        limit=limit,
        unit=shots.unit,
        confidence=confidence,
        notes=shots.notes,
        what="change" if recipe is None else "area",
    )


def inspected(
    table: Table | None,
    parts: Table | None,
    store: StoreLike | None,
    named: InspectedColumns,
    where: Mapping[str, str] | None,
    since: Time,
    until: Time,
    table_format: Mapping[str, str | int] | None,
) -> InspectedParts:
    """Read inspections and defects, from tables or from records."""
    from flawline.jobs.study.inspected_records import inspected_records
    from flawline.jobs.study.inspected_tables import read_inspected

    if (table is None) == (store is None):
        raise UsageError("expected either a table or a store", hint="give one of them")
    if (named.x is None) != (named.y is None):
        raise UsageError("`x` and `y` go together", hint="give both of them")
    if table is not None:
        if where or since or until:
            raise UsageError(
                "`where`, `since` and `until` choose records, and a table is given",
                hint="give `store`, or keep only the rows of the table that count",
            )
        beside = None if parts is None else Path(parts)
        return read_inspected(Path(table), beside, named, stated_format(table_format))
    if parts is not None:
        raise UsageError("`parts` goes with a table", hint="records hold the parts themselves")
    assert store is not None
    with opened_records(store) as open_:
        return inspected_records(open_, where_of(where, since, until), named)
