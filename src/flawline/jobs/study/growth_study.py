"""Study how defects at known places grow over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.bends import fit_bends
from flawline.core.causes.camera_step import camera_step
from flawline.core.causes.growth import (
    common_scale,
    first_alarm,
    fit_growth,
    in_last_framing,
)
from flawline.data.times import local_time
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series_table import as_number, as_text
from flawline.jobs.study.growing_place import GrowingPlace, GrowthStudy
from flawline.jobs.study.inspected_parts import numbered


def study_growth(
    columns: Mapping[str, Sequence[Any]],
    *,
    area: str,
    place: str,
    time: str,
    framing: str | None = None,
    limit: float | None = None,
    unit: str = "px",
    confidence: float = 0.95,
    notes: Sequence[str] = (),
    what: Literal["area", "change"] = "area",
) -> GrowthStudy:
    """Follow the area of each place.

    Args:
        columns: cells by column, one row per shot of a place.
        area, place, time, framing: names of columns; an empty area is a shot without labels, not one without a defect.
            Without `framing` a step of all places by one factor is looked for, and taken for a change of framing.
        limit: the largest area that is allowed, in the framing of the last shots.
        unit: of the areas.
        confidence: of the intervals.
        notes: what was understood of the table.
        what: whether areas of defects are followed or the change of pictures since the first shots. Pictures of two
            framings differ, so that a change raises no alarm after the framing changed.

    Raises:
        UsageError: a limit or confidence that makes no sense.
        FlawlineError: ("study-empty") no row can be used.
    """
    if limit is not None and not 0 < limit < np.inf:
        raise UsageError(f"`limit` is an area above 0, got {limit:g}")
    if not 0 < confidence < 1:
        raise UsageError(f"`confidence` is above 0 and below 1, got {confidence:g}")
    rows: dict[str, list[tuple[datetime, float, str]]] = {}
    skipped: list[Skipped] = []
    for row in range(len(columns[area])):
        name = as_text(columns[place][row])
        try:
            shot = _shot(columns, row, area, time, framing)
            if not name:
                raise ValueError(f"the cell in {place!r} is empty")
        except ValueError as error:
            skipped.append(Skipped(f"row {row + 1}", str(error)))
            continue
        rows.setdefault(name, []).append(shot)
    if not rows:
        why = f": {skipped[0].label}: {skipped[0].reason}" if skipped else ""
        raise FlawlineError(
            f"no row can be used{why}",
            hint="name the columns with `place`, `time` and `area`",
            code="study-empty",
        )
    bare = [_place(name, shots, what) for name, shots in rows.items()]
    camera = None if framing else camera_step([(one.epoch, one.areas) for one in bare])
    if camera is not None and camera.surely(1 - confidence):
        bare = [_framed(one, one.epoch > camera.at) for one in bare]
    seen = [one for one in bare if one.alarm is not None]
    scale = common_scale(
        [(one.days[one.alarm :], one.areas[one.alarm :], one.framing[one.alarm :]) for one in seen]
    )
    # A change is a share of the picture, which no framing makes larger.
    own = scale if what == "area" else None
    places = [_grown(one, own, limit, confidence) for one in bare]

    def rank(one: GrowingPlace) -> tuple[int, float, str]:
        if one.growth is None:
            return (2 if not len(one.areas) else 1), 0.0, one.name
        return 0, -one.growth.rate[0], one.name

    return GrowthStudy(
        tuple(sorted(places, key=rank)),
        camera,
        limit,
        unit,
        confidence,
        tuple(skipped),
        tuple(notes),
        what,
    )


def _shot(
    columns: Mapping[str, Sequence[Any]], row: int, area: str, time: str, framing: str | None
) -> tuple[datetime, float, str]:
    try:
        at = local_time(as_text(columns[time][row]))
    except UsageError as error:
        raise ValueError(f"in {time!r}, {error.message}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    cell = columns[area][row]
    value = np.nan if not as_text(cell) else as_number(cell)
    if value < 0:
        raise ValueError(f"in {area!r}, {value:g} is below 0")
    return at, value, "" if framing is None else as_text(columns[framing][row])


def _place(name: str, shots: list[tuple[datetime, float, str]], what: str) -> GrowingPlace:
    ordered = sorted(shots, key=lambda shot: shot[0])
    labelled = [shot for shot in ordered if not np.isnan(shot[1])]
    areas = np.array([shot[1] for shot in labelled])
    framing = numbered([shot[2] for shot in labelled])[0]
    whole = bool(labelled) and labelled[0] is ordered[0]
    moved = _changes(framing)
    compared = moved[0] if moved and what == "change" else None
    alarm, usual = first_alarm(areas[:compared], from_the_start=whole) if labelled else (None, 0.0)
    return GrowingPlace(
        name,
        tuple(shot[0] for shot in labelled),
        areas,
        framing,
        len(ordered),
        len(ordered) - len(labelled),
        alarm,
        usual,
        moved,
        None,
        compared=compared,
    )


def _changes(framing: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(k) + 1 for k in np.flatnonzero(np.diff(framing)))


def _framed(place: GrowingPlace, later: NDArray[np.bool_]) -> GrowingPlace:
    """Use another framing for the later shots."""
    framing = later.astype(np.int64)
    return replace(place, framing=framing, moved=_changes(framing))


def _grown(
    place: GrowingPlace, scale: float | None, limit: float | None, confidence: float
) -> GrowingPlace:
    """Fit the growth of a place from its first alarm on."""
    if place.alarm is None:
        return place
    since = slice(place.alarm, None)
    growth = fit_growth(
        place.days[since],
        place.areas[since],
        place.framing[since],
        scale=scale,
        limit=limit,
        confidence=confidence,
    )
    if growth is None:
        return place
    scaled = in_last_framing(place.areas, place.framing, growth.scale)
    return replace(
        place, growth=growth, joined=fit_bends(place.days, scaled, confidence=confidence)
    )
