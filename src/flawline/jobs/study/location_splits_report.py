"""Describe the places that belong to some time, lot, tool or class alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from flawline.core.colours import BAD, GOOD
from flawline.jobs.study.cause_words import a_defect, chance, number, plural, short
from flawline.jobs.study.location_splits import CLASS, Split, SplitPlace
from flawline.jobs.study.location_study import SURE, LocationStudy
from flawline.jobs.study.place_words import spot_name
from flawline.jobs.study.study import StudyFigure, StudyTable

_MOST_TOLD = 2


def split_sentences(found: LocationStudy) -> str:
    """Say which places belong to some time, lot, tool or class, the surest first."""
    if not found.splits:
        return ""
    sure = sorted(_sure(found), key=lambda one: (one[1].p, -one[1].there[0]))
    if not sure:
        names = " or ".join(split.name for split in found.splits)
        return f"No place surely belongs to one {names} alone."
    return " ".join(_sentence(found, split, place) for split, place in sure[:_MOST_TOLD])


def _sure(found: LocationStudy) -> list[tuple[Split, SplitPlace]]:
    return [(split, one) for split in found.splits for one in split.places if one.p < SURE]


def _sentence(found: LocationStudy, split: Split, place: SplitPlace) -> str:
    at = spot_name(found, place.x, place.y)
    (here, all_here), (else_, all_else) = place.there, place.elsewhere
    how = f"chance alone does so in {chance(place.p)}"
    if split.name == CLASS:
        kind = plural(split.levels[place.spot.first])
        return f"{here} of {all_here} {kind} lie at {at}, and {else_} of {all_else} other defects; {how}."
    other = "others"
    if split.ordered:
        other = "before" if place.spot.end == len(split.levels) else "at other times"
    return (
        f"{here} of {all_here} parts {levels_text(split, place)} have {a_defect(found.only)} at {at}, "
        f"and {else_} of {all_else} {other}; {how}."
    )


def levels_text(split: Split, place: SplitPlace) -> str:
    """Name the levels of a place: "from 2026-03-09 on", "of lot L7"."""
    first, end = place.spot.first, place.spot.end
    if not split.ordered:
        return f"of {split.name} {split.levels[first]}"
    if end == len(split.levels):
        return f"from {split.levels[first]} on"
    if first == 0:
        return f"before {split.levels[end]}"
    return f"from {split.levels[first]} to before {split.levels[end]}"


def split_tables(found: LocationStudy) -> tuple[StudyTable, ...]:
    """List the places of all splits."""
    names = ("only", "at place", "have one there", "others", "expected", "p")
    rows = tuple(
        (
            f"class {split.levels[place.spot.first]}"
            if split.name == CLASS
            else levels_text(split, place),
            spot_name(found, place.x, place.y),
            "{} of {}".format(*place.there),
            "{} of {}".format(*place.elsewhere),
            number(place.spot.expected),
            f"{place.p:.3f}",
        )
        for split, place in _sure(found)
    )
    note = (
        "Expected are the defects that the place would have then if it had its usual share. p allows for every "
        f"place, size and value that was looked at, and for the {len(found.splits)} that it was split by."
    )
    if not rows:
        return ()
    title = "Places of some time, lot, tool or class"
    return (StudyTable(title, names, rows, frozenset(names[2:]), printed=True, note=note),)


def split_figures(found: LocationStudy) -> tuple[StudyFigure, ...]:
    """Draw for each sure place how many parts have a defect there, level by level."""
    figures = []
    for split, place in _sure(found):
        what = "defects" if split.name == CLASS else "parts"
        by = f"by {split.unit}" if split.unit else f"by {split.name}"
        figures.append(
            StudyFigure(
                f"{what} at {spot_name(found, place.x, place.y)} {by}",
                f"Share of the {what} with a defect there; those that stand out are orange.",
                partial(_draw, split=split, place=place, what=what),
                2.9,
            )
        )
    return tuple(figures)


def _draw(axes: Any, split: Split, place: SplitPlace, what: str) -> None:
    there, all_ = place.by_level.T.astype(float)
    shares = 100 * there / np.maximum(all_, 1)
    levels = np.arange(len(shares))
    marked = (levels >= place.spot.first) & (levels < place.spot.end)
    axes.bar(levels, shares, color=np.where(marked, BAD, GOOD), alpha=0.8, width=0.8)
    every = -(-len(levels) // 8)
    names = [short(split.levels[level]) for level in levels[::every]]
    tilted = max(map(len, names)) * len(names) > 50
    axes.set_xticks(
        levels[::every], names, rotation=25 if tilted else 0, ha="right" if tilted else "center"
    )
    axes.set_xlim(min(-0.6, (len(levels) - 7) / 2), max(len(levels) - 0.4, (len(levels) + 5) / 2))
    axes.set_ylabel(f"% of {what}")
    axes.set_ylim(bottom=0)


def split_numbers(found: LocationStudy) -> list[dict[str, Any]]:
    """Give the splits as JSON holds them."""
    return [
        {
            "split": split.name,
            "unit": split.unit or None,
            "levels": list(split.levels),
            "places": [
                {
                    "levels": list(split.levels[place.spot.first : place.spot.end]),
                    "x": place.x,
                    "y": place.y,
                    "there": list(place.there),
                    "elsewhere": list(place.elsewhere),
                    "observed": place.spot.observed,
                    "expected": place.spot.expected,
                    "p": place.p,
                    "by_level": place.by_level,
                }
                for place in split.places
            ],
        }
        for split in found.splits
    ]
