"""Tabulate and draw the places of a study of growth."""

from __future__ import annotations

from typing import Any

import numpy as np

from flawline.core.colours import BAD, GOOD, LIMIT
from flawline.jobs.study.cause_words import number, ranged
from flawline.jobs.study.growing_place import GrowingPlace, GrowthStudy
from flawline.jobs.study.study import StudyFigure, StudyTable


def known_word(found: GrowthStudy) -> str:
    """Say what a shot is that counts: people label areas, and pictures are measured."""
    return "labelled" if found.what == "area" else "measured"


def growth_table(found: GrowthStudy) -> StudyTable:
    """Tabulate all places."""
    names = (
        "place",
        known_word(found),
        "first alarm",
        f"{found.unit} a day",
        "last",
        "days to the limit",
    )
    rows = []
    for place in found.places:
        growth = place.growth
        known = f"{len(place.areas)} of {place.shots}"
        alarm = "none" if len(place.areas) else f"not {known_word(found)}"
        if place.alarm is not None:
            alarm = place.times[place.alarm].isoformat(" ")[:16]
        if growth is None:
            rows.append((place.name, known, alarm, "", "", ""))
            continue
        days = _until(growth.reaches) if growth.reaches is not None and growth.grows else ""
        rows.append((place.name, known, alarm, ranged(*growth.rate), number(growth.level), days))
    return StudyTable(
        "Places, the fastest first", names, tuple(rows), frozenset(names[3:]), printed=True
    )


def _until(reaches: tuple[float, float, float]) -> str:
    """Format the days until the limit, such as "4.9 (2.6 to 11)"."""
    value, low, high = reaches
    if value <= 0:
        return "reached"
    end = "no end known" if np.isinf(high) else number(high)
    return f"{number(value)} ({number(max(low, 0.0))} to {end})"


def growth_figure(found: GrowthStudy, place: GrowingPlace) -> StudyFigure:
    """Draw the area of a place over time, with what was fitted."""

    def draw(axes: Any) -> None:
        days, areas, growth = place.days, place.areas, place.growth
        axes.plot(days, areas, ls="", marker="o", ms=3, color=GOOD)
        for shot in place.moved:
            axes.axvline((days[shot - 1] + days[shot]) / 2, color=LIMIT, ls=(0, (4, 2)), lw=1.2)
        if place.joined is not None and place.joined.bends:
            axes.plot(days, np.maximum(place.joined.fitted, 0), color=BAD, lw=1.6)
            for bend in place.joined.bends:
                axes.axvspan(bend.day[1], bend.day[2], color=BAD, alpha=0.15, lw=1)
        elif growth is not None and place.alarm is not None:
            ends = np.array([days[place.alarm], days[-1]])
            axes.plot(
                ends,
                np.maximum(growth.level + growth.rate[0] * (ends - days[-1]), 0),
                color=BAD,
                lw=1.6,
            )
        if found.limit is not None:
            axes.axhline(found.limit, color=BAD, ls=(0, (5, 2)), lw=1.2)
        axes.set_ylim(bottom=0)
        if found.what == "change":
            axes.axhline(place.usual, color=LIMIT, lw=1.2)
        first = "labelled shot" if found.what == "area" else "shot that is compared"
        axes.set_xlabel(f"days since the first {first}")
        axes.set_ylabel(f"{found.what}, {found.unit}")

    grows = place.growth is not None and place.growth.grows
    told = (
        "surely grows"
        if grows
        else "no sure growth"
        if place.growth is not None
        else "too few shots"
    )
    return StudyFigure(
        place.name,
        f"{told[0].upper()}{told[1:]}; {place.unlabelled} of {place.shots} shots not {known_word(found)}.",
        draw,
        2.4,
    )
