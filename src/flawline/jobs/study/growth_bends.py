"""Say when growth began and slowed, and whether the camera moved, in a report of growth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flawline.core.causes.bends import Bend
from flawline.core.causes.camera_step import FEWEST_PLACES
from flawline.core.words import counted
from flawline.jobs.study.cause_words import number
from flawline.jobs.study.growing_place import GrowingPlace, GrowthStudy
from flawline.jobs.study.study import Assumption, StudyTable

_STILL = 0.1
_MOVED = "the camera was not moved unseen"


def bends_of(place: GrowingPlace) -> tuple[Bend, ...]:
    """Return the bends of a place."""
    return () if place.joined is None else place.joined.bends


def bends_later(place: GrowingPlace) -> bool:
    """Return whether growth bends after the first alarm, so that one rate from there on does not describe it."""
    since = place.days[place.alarm] if place.alarm is not None else 0.0
    return any(bend.day[0] > since for bend in bends_of(place))


def told_bends(found: GrowthStudy, place: GrowingPlace) -> str:
    """Say when growth began or quickened and when it slowed, nothing where a straight line does."""
    told = []
    for bend in bends_of(place):
        verb = "quickens" if bend.before > _STILL * bend.after else "begins"
        verb = verb if bend.rises else "slows"
        told.append(
            f"Growth {verb} on {_at(place, bend.day[0])} ({_within(place, bend)}): {number(bend.before)} "
            f"{found.unit} a day before, {number(bend.after)} since."
        )
    return " ".join(told)


def bends_table(found: GrowthStudy) -> tuple[StudyTable, ...]:
    """Tabulate the bends of all places; no table where there are none."""
    names = ("place", "change", "interval", f"{found.unit} a day before", "since", "p")
    rows = tuple(
        (
            place.name,
            _at(place, bend.day[0]),
            _within(place, bend),
            number(bend.before),
            number(bend.after),
            f"{bend.p:.2g}",
        )
        for place in found.places
        for bend in bends_of(place)
    )
    title = "Where growth changes"
    return (StudyTable(title, names, rows, frozenset(names[3:]), printed=True),) if rows else ()


def told_camera(found: GrowthStudy) -> str:
    """Say that a change of framing was found without a column."""
    camera = found.camera
    if camera is None or not camera.surely(1 - found.confidence):
        return ""
    return (
        f"No column says so: {counted(camera.places, 'place')} change by one factor at once "
        f"(p {camera.p:.2g})."
    )


def camera_assumption(found: GrowthStudy) -> Assumption:
    """Say whether a change of framing was looked for, and with what result."""
    camera = found.camera
    if camera is not None and camera.surely(1 - found.confidence):
        return Assumption(
            _MOVED,
            "does not",
            f"the areas of {camera.places} places become {number(camera.factor)} times as large at once (p "
            f"{camera.p:.2g}): taken for the camera, since a process seldom changes all alike",
        )
    if camera is not None:
        return Assumption(
            _MOVED, "holds", f"places do not step together by one factor (p {camera.p:.2g})"
        )
    if any(place.moved for place in found.places):
        return Assumption(_MOVED, "holds", "the framing is given by a column")
    return Assumption(
        _MOVED,
        "not checked",
        f"fewer than {FEWEST_PLACES} places have shots enough to compare, or the column of the framing never changes",
    )


def bend_numbers(place: GrowingPlace) -> list[dict[str, Any]]:
    """Return the bends of a place for the numbers of a report."""
    return [
        {
            "time": _when(place, bend.day[0]).isoformat(),
            "interval": [_when(place, day).isoformat() for day in bend.day[1:]],
            "before": bend.before,
            "after": bend.after,
            "p": bend.p,
        }
        for bend in bends_of(place)
    ]


def camera_numbers(found: GrowthStudy) -> dict[str, Any] | None:
    """Return the step of all places at once for the numbers of a report."""
    camera = found.camera
    if camera is None:
        return None
    return {
        "factor": camera.factor,
        "p": camera.p,
        "places": camera.places,
        "alike": camera.alike,
        "used": camera.surely(1 - found.confidence),
    }


def _when(place: GrowingPlace, day: float) -> Any:
    return place.times[0] + timedelta(days=day)


def _at(place: GrowingPlace, day: float) -> str:
    return str(_when(place, day).isoformat(" ")[:16])


def _within(place: GrowingPlace, bend: Bend) -> str:
    return f"{_at(place, bend.day[1])} to {_at(place, bend.day[2])}"
