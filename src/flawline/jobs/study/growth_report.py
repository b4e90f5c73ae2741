"""Describe a study of growth for its report."""

from __future__ import annotations

from typing import Any

import numpy as np

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.causes.growth import FEWEST
from flawline.core.words import counted
from flawline.jobs.study.cause_words import between, number
from flawline.jobs.study.growing_place import GrowingPlace, GrowthStudy
from flawline.jobs.study.growth_bends import (
    bend_numbers,
    bends_later,
    bends_table,
    camera_assumption,
    camera_numbers,
    told_bends,
    told_camera,
)
from flawline.jobs.study.growth_drawn import growth_figure, growth_table, known_word
from flawline.jobs.study.study import Assumption, Study

_DRAWN = 12
_ALIKE = 0.5
_MEANING = (
    "Each drawing is one place: its area over time, the line that was fitted from the first alarm on, or the "
    "joined lines where growth bends, with a band for the time of each bend, and the limit. Shots "
    "without labels are not drawn: they say nothing. Areas before a dashed line were taken in another framing, "
    "and the line is "
    "fitted in the framing of the last shots."
)
_MEANING_OF_CHANGE = (
    "Each drawing is one place: by how many percent its picture differs from its first shots, and the limit of what is "
    "usual. Two shots in a row above it are an alarm. What changed the pictures show: a defect, dirt, or the view. "
    "After a dashed line the framing is another, and nothing is compared."
)


def growth_report(found: GrowthStudy) -> Study:
    """Describe a study of growth for its report."""
    shots = sum(place.shots for place in found.places)
    return Study(
        name="growth",
        title="How the defects grow" if found.what == "area" else "How the places change",
        subtitle=f"{counted(len(found.places), 'place')}, {counted(shots, 'shot')}.",
        finding=finding(found),
        verdict=_verdict(found),
        numbers=_numbers(found),
        facts={
            "places": str(len(found.places)),
            "shots": str(shots),
            f"not {known_word(found)}": str(sum(place.unlabelled for place in found.places)),
            "limit": "none" if found.limit is None else f"{number(found.limit)} {found.unit}",
        },
        tables=(growth_table(found), *bends_table(found)),
        figures=tuple(growth_figure(found, place) for place in found.places if len(place.areas))[
            :_DRAWN
        ],
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING if found.what == "area" else _MEANING_OF_CHANGE,
    )


def finding(found: GrowthStudy) -> str:
    """Say in plain words which place grows fastest, and when it reaches the limit."""
    verb = "grow" if found.what == "area" else "change"
    growing = [place for place in found.places if place.growth is not None and place.growth.grows]
    told = [_alarmed(found)]
    if growing:
        first = growing[0]
        assert first.growth is not None
        rate, low, high = first.growth.rate
        told.append(
            f"{first.name} {verb}s fastest: {number(rate)} {found.unit} a day, "
            f"{between(low, high, found.confidence)}, first "
            f"seen on {_day(first)}."
        )
        told.extend((told_bends(found, first), _when(found, first)))
        if len(growing) > 1:
            told.append(
                f"{counted(len(growing) - 1, f'further place {verb}s', f'further places {verb}')}."
            )
    else:
        told.append(f"No place surely {verb}s.")
    moved = [place for place in found.places if place.moved]
    if moved:
        scale = moved[0].growth.scale if moved[0].growth else None
        much = (
            ""
            if scale is None
            else f", after which {found.what}s are {number(scale)} times as large"
        )
        when = _at(moved[0], moved[0].moved[0])
        told.append(f"The framing changes on {when}{much}: that is the camera, not the process.")
        told.append(told_camera(found))
    bare = [place.name for place in found.places if not len(place.areas)]
    if bare:
        told.append(
            f"Not {known_word(found)}, and therefore not known to be good: {', '.join(bare[:6])}."
        )
    return " ".join(text for text in told if text)


def _alarmed(found: GrowthStudy) -> str:
    """Say which places changed beyond what is usual, where nobody labelled what is a defect."""
    if found.what == "area":
        return ""
    alarmed = sorted(
        (place for place in found.places if place.alarm is not None),
        key=lambda place: place.times[place.alarm or 0],
    )
    if not alarmed:
        return f"None of {counted(len(found.places), 'place')} changes beyond what is usual."
    listed = ", ".join(f"{place.name} on {_day(place)}" for place in alarmed[:6])
    return (
        f"{len(alarmed)} of {counted(len(found.places), 'place')} change beyond what is usual, with the first alarm of "
        f"{listed}{' ...' if len(alarmed) > 6 else ''}."
    )


def _when(found: GrowthStudy, place: GrowingPlace) -> str:
    growth = place.growth
    if found.limit is None or growth is None or growth.reaches is None:
        return ""
    value, low, high = growth.reaches
    limit = f"{number(found.limit)} {found.unit}"
    if value <= 0:
        return f"It has reached {limit} already."
    until = "a time that is not known" if np.isinf(high) else f"{max(high, 0):.1f}"
    start = "At its average rate it" if bends_later(place) else "It"
    return (
        f"{start} reaches {limit} in {value:.1f} days ({max(low, 0):.1f} to {until} with {100 * found.confidence:g} "
        "% confidence)."
    )


def _day(place: GrowingPlace) -> str:
    return _at(place, place.alarm or 0)


def _at(place: GrowingPlace, shot: int) -> str:
    return place.times[shot].isoformat(" ")[:16]


def _verdict(found: GrowthStudy) -> BasisVerdict:
    followed = [place for place in found.places if place.growth is not None]
    if not followed:
        return BasisVerdict(
            "unknown",
            f"No place has {FEWEST} {known_word(found)} shots from its first alarm on",
        )
    if len(followed) < len(found.places):
        left = len(found.places) - len(followed)
        return BasisVerdict(
            "not alone",
            f"{counted(left, 'place has', 'places have')} too few {known_word(found)} shots",
        )
    if any(_bent(place) for place in followed):
        return BasisVerdict(
            "not alone", "Some places do not grow in a straight line: forecasts are rough"
        )
    return BasisVerdict(
        "yes", f"By {counted(len(followed), 'place')} with enough {known_word(found)} shots"
    )


def _bent(place: GrowingPlace) -> bool:
    """Return whether a straight line does not describe the growth of a place."""
    return bends_later(place) or (place.growth is not None and place.growth.alike > _ALIKE)


def _assumptions(found: GrowthStudy) -> tuple[Assumption, ...]:
    grown = [place for place in found.places if place.growth is not None]
    alike = [place.name for place in grown if _bent(place)]
    bare = sum(place.unlabelled for place in found.places)
    return (
        Assumption(
            "areas grow in a straight line",
            "does not" if alike else "holds" if grown else "not checked",
            f"it bends, or neighbours lie on one side of it, at {', '.join(alike[:5])}: the forecast is rough"
            if alike
            else "areas scatter about it on both sides"
            if grown
            else "too few shots",
        ),
        Assumption(
            "the time of the first alarm is that of the first defect",
            "does not" if bare else "not checked" if found.what == "change" else "holds",
            f"{bare} shots are not {known_word(found)}, and a defect may have been on them"
            if bare
            else "a small defect changes a picture too little: look at the shots before the alarm"
            if found.what == "change"
            else "every shot is labelled",
        ),
        camera_assumption(found),
    )


def _numbers(found: GrowthStudy) -> dict[str, Any]:
    return {
        "limit": found.limit,
        "unit": found.unit,
        "confidence": found.confidence,
        "camera": camera_numbers(found),
        "places": [
            {
                "place": place.name,
                "shots": place.shots,
                "unlabelled": place.unlabelled,
                "first_alarm": None
                if place.alarm is None
                else place.times[place.alarm].isoformat(),
                "alarms": [
                    [place.times[shot].isoformat() for shot in alarm] for alarm in place.alarms
                ],
                "usual": place.usual,
                "framing_changes": [place.times[k].isoformat() for k in place.moved],
                "rate": None if place.growth is None else place.growth.rate,
                "bends": bend_numbers(place),
                "level": None if place.growth is None else place.growth.level,
                "scale": None if place.growth is None else place.growth.scale,
                "days_to_limit": None
                if place.growth is None or place.growth.reaches is None
                else [None if np.isinf(value) else value for value in place.growth.reaches],
            }
            for place in found.places
        ],
    }
