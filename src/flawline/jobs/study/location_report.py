"""Describe a study of places for its report."""

from __future__ import annotations

from typing import Any

import numpy as np

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.words import counted
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.aligned_places import AlignedBy
from flawline.jobs.study.cause_words import between, chance, number, percent, plural
from flawline.jobs.study.location_drawn import location_figures
from flawline.jobs.study.location_splits_report import (
    split_figures,
    split_numbers,
    split_sentences,
    split_tables,
)
from flawline.jobs.study.location_study import SURE, LocationStudy, Place
from flawline.jobs.study.place_words import spot_name
from flawline.jobs.study.study import Assumption, Study, StudyTable

_CROWDED = 0.3
_FEW = 20
# Beyond this share of parts that could not be aligned the map may not be that of all parts.
_MOST_LOST = 0.1
# Ratios above are of a few defects elsewhere, and say no more than this.
_MANY_TIMES = 50
_MEANING = (
    "The map shows how many of 100 parts have a defect in each cell of the grid. A ring is a place with surely more "
    "than expected: circles of every size are looked at around every cell, and p, how often chance alone gives a "
    "circle as dense as the densest, allows for that."
)


def location_report(found: LocationStudy) -> Study:
    """Describe a study of places for its report."""
    return Study(
        name="location",
        title="Where on the part defects lie",
        subtitle=f"{counted(found.defects, 'defect')} of {counted(found.parts, 'part')}.",
        finding=finding(found),
        verdict=_verdict(found),
        numbers=_numbers(found),
        facts={
            "parts": str(found.parts),
            "defects": str(found.defects),
            "expected": found.shape,
            "coordinates": "angle and radius" if found.centre else "x and y",
            "parts aligned": _alignment(found.aligned),
        },
        tables=(*_tables(found), *split_tables(found)),
        figures=(*location_figures(found), *split_figures(found)),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=tuple(
            Skipped(one.image, one.reason) for one in (found.aligned.lost if found.aligned else ())
        ),
        meaning=_MEANING,
    )


def finding(found: LocationStudy) -> str:
    """Say in plain words where defects gather, with what they go, and how the parts were laid upon each other."""
    told = (_gathering(found), split_sentences(found), _laid(found.aligned))
    return " ".join(text for text in told if text)


def _laid(by: AlignedBy | None) -> str:
    if by is None:
        return ""
    # The report and the notes list them all.
    named = ", ".join(one.image for one in by.lost[:3]) + (" ..." if len(by.lost) > 3 else "")
    lost = (
        f"; {len(by.lost)} of {by.aligned + len(by.lost)} pictures could not be aligned and are left out: {named}"
        if by.lost
        else ""
    )
    return f"Places are those of the part, however it lay: aligned by the recipe {by.recipe}{lost}."


def _alignment(by: AlignedBy | None) -> str:
    if by is None:
        return "no"
    return f"{by.aligned} of {by.aligned + len(by.lost)}, by the recipe {by.recipe}, {by.method}"


def _gathering(found: LocationStudy) -> str:
    what = plural(found.only or "defects")
    if not found.sure:
        most = found.places[0] if found.places else None
        near = (
            f" The nearest is at {where(found, most)}, which chance alone does in {chance(most.spot.p)}."
            if most
            else ""
        )
        return f"No place has surely more {what} than the shape of the part leads to expect.{near}"
    first = found.sure[0]
    told = [_sentence(found, first)]
    if first.ranked:
        best = first.ranked[0]
        ratio, low, high = best.effect.ratio
        level = best.levels[best.effect.worst]
        told.append(
            f"They go with {best.factor} {level}: {number(ratio)} times as many as with all others, "
            f"{between(low, high, 0.95)}; "
            f"look at {best.factor} {level} there."
        )
    else:
        told.append("Look at what touches the part there.")
    if len(found.sure) > 1:
        further = "; ".join(where(found, place) for place in found.sure[1:4])
        told.append(f"Further places: {further}.")
    return " ".join(told)


def _sentence(found: LocationStudy, place: Place) -> str:
    name, many = place.classes[0]
    mostly = many >= 0.8 * place.defects
    what = plural(name) if mostly else plural(found.only or "defects")
    ratio = place.spot.ratio
    much = f"{number(ratio)} times as dense as elsewhere"
    if np.isinf(ratio):
        much = "none elsewhere"
    elif ratio > _MANY_TIMES:
        much = f"more than {_MANY_TIMES} times as dense as elsewhere"
    return (
        f"{what[0].upper()}{what[1:]} gather at {where(found, place)}: {place.parts} of {found.parts} parts have "
        "one there, "
        f"{much}; chance alone does so in {chance(place.spot.p)}."
    )


def where(found: LocationStudy, place: Place) -> str:
    """Name a place."""
    return spot_name(found, place.x, place.y)


def _verdict(found: LocationStudy) -> BasisVerdict:
    if found.parts < _FEW:
        return BasisVerdict("not alone", f"Only {counted(found.parts, 'part')}: look at more")
    if not found.sure:
        return BasisVerdict("unknown", "No place stands out beyond chance")
    if _lying(found.aligned).holds == "does not":
        return BasisVerdict("not alone", "Many parts could not be aligned: look at these first")
    if found.crowded > _CROWDED:
        return BasisVerdict(
            "not alone", "Defects of one part lie in clusters: look at the parts of each place"
        )
    return BasisVerdict(
        "yes", f"By {counted(found.defects, 'defect')} of {counted(found.parts, 'part')}"
    )


def _assumptions(found: LocationStudy) -> tuple[Assumption, ...]:
    return (
        _lying(found.aligned),
        Assumption(
            "without a cause defects lie evenly over the part",
            "not checked",
            f"expected {found.shape}; edges and holes gather dirt without any tool",
        ),
        Assumption(
            "defects of one part do not draw others near",
            "holds" if found.crowded <= _CROWDED else "does not",
            f"{percent(found.crowded)} lie in a cell with another one of the same part, and count once",
        ),
    )


def _lying(by: AlignedBy | None) -> Assumption:
    what = "the part lies in the same place in every picture"
    if by is None:
        return Assumption(
            what,
            "not checked",
            "places in the coordinates of the part, or pictures that are aligned; a part that lies anywhere "
            "blurs every place",
        )
    tried = by.aligned + len(by.lost)
    return Assumption(
        what,
        "holds" if len(by.lost) <= _MOST_LOST * tried else "does not",
        f"{by.aligned} of {tried} pictures with a defect were aligned by the recipe {by.recipe}, {by.method}"
        + ("; what the others show is missing here" if by.lost else ""),
    )


def _tables(found: LocationStudy) -> tuple[StudyTable, ...]:
    names = ("place", "parts", "defects", "expected", "times", "p", "mostly", "goes with")
    rows = tuple(
        (
            where(found, place),
            str(place.parts),
            str(place.defects),
            number(place.spot.expected),
            "" if np.isinf(place.spot.ratio) else number(place.spot.ratio),
            f"{place.spot.p:.3f}",
            place.classes[0][0],
            ", ".join(f"{r.factor} {r.levels[r.effect.worst]}" for r in place.ranked[:2]),
        )
        for place in found.places
    )
    return (
        StudyTable(
            "Places with more than expected", names, rows, frozenset(names[1:6]), printed=True
        ),
    )


def _numbers(found: LocationStudy) -> dict[str, Any]:
    return {
        "parts": found.parts,
        "defects": found.defects,
        "class": found.only,
        "centre": found.centre,
        "aligned": None
        if found.aligned is None
        else {
            "recipe": found.aligned.recipe,
            "method": found.aligned.method,
            "aligned": found.aligned.aligned,
            "lost": [one.as_dict() for one in found.aligned.lost],
        },
        "sure": SURE,
        "places": [
            {
                "x": place.x,
                "y": place.y,
                "radius": place.radius,
                "parts": place.parts,
                "defects": place.defects,
                "observed": place.spot.observed,
                "expected": place.spot.expected,
                "ratio": None if np.isinf(place.spot.ratio) else place.spot.ratio,
                "p": place.spot.p,
                "classes": dict(place.classes),
                "goes_with": [
                    {
                        "factor": r.factor,
                        "level": r.levels[r.effect.worst],
                        "ratio": r.effect.ratio,
                        "p": r.adjusted,
                    }
                    for r in place.ranked
                ],
            }
            for place in found.places
        ],
        "splits": split_numbers(found),
        "grid": {
            "x_edges": found.x_edges,
            "y_edges": found.y_edges,
            "counts": found.counts,
            "expected": found.expected,
        },
    }
