"""Describe a study of factors for its report."""

from __future__ import annotations

from typing import Any

import numpy as np

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.causes.rates import Rate
from flawline.core.words import counted
from flawline.jobs.study.cause_words import (
    MOST_BARS,
    between,
    chance,
    draw_rates,
    number,
    percent,
    plural,
    ranged,
)
from flawline.jobs.study.factors_study import SURE, Confounded, FactorsStudy, Ranked
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable

_FEW = 30
_SHOWN = 6
_MEANING = (
    "Factors are ranked by how many times as many defects the parts of their worst value have as all other parts, the "
    "surest first. A factor that goes with the defects need not make them: what runs together cannot be told "
    "apart until "
    "it runs apart."
)


def factors_report(found: FactorsStudy) -> Study:
    """Describe a study of factors for its report."""
    return Study(
        name="factors",
        title="What goes with the defects",
        subtitle=f"{counted(found.parts, 'part')}, {counted(found.defects, 'defect')}"
        f"{f' first seen after {found.at}' if found.at else ''}.",
        finding=finding(found),
        verdict=_verdict(found),
        numbers=_numbers(found),
        facts={
            "parts": str(found.parts),
            "defects": str(found.defects),
            "compared": ", ".join(dict.fromkeys(one.factor for one in found.ranked)),
            **(
                {"not compared": "; ".join(f"{n}: {w}" for n, w in found.unusable.items())}
                if found.unusable
                else {}
            ),
        },
        tables=_tables(found),
        figures=tuple(_figure(found, one) for one in found.ranked[:_SHOWN]),
        assumptions=_assumptions(found),
        notes=found.notes,
        meaning=_MEANING,
    )


def finding(found: FactorsStudy) -> str:
    """Say in plain words which factor matters most, and what goes together with it."""
    if not found.sure:
        best = min(found.ranked, key=lambda one: (one.effect.p, one.factor))
        looked = ", ".join(dict.fromkeys(one.factor for one in found.ranked))
        return (
            f"Nothing that was compared ({looked}) surely goes with {'more' if found.of == 'count' else 'larger'} "
            "defects: "
            f"the nearest is {best.factor}, and chance alone does as much in {chance(best.effect.p)} for one factor."
        )
    first = found.sure[0]
    told = [_sentence(found, first)]
    told += [_together(first, one) for one in found.confounded if not _cleared(one)][:2]
    named = {first.factor, *(one.factor for one in found.confounded)}
    further = [one for one in found.sure if one.factor not in named]
    if further:
        told.append(_sentence(found, further[0]))
    return " ".join(told)


def _named(one: Ranked) -> str:
    level = one.levels[one.effect.worst]
    return level if one.factor == "weekday" else f"{one.factor} {level}"


def _sentence(found: FactorsStudy, one: Ranked) -> str:
    ratio, low, high = one.effect.ratio
    sure = between(low, high, found.confidence)
    name = _named(one)
    what = plural(one.kind)
    if found.of == "size":
        return f"The {what} of {name} are {number(ratio)} times as large as those of all others, {sure}."
    start = f"Parts of {name} have" if one.factor != "weekday" else f"Parts of a {name} have"
    return f"{start} {number(ratio)} times as many {what} as all others, {sure}."


def _cleared(one: Confounded) -> bool:
    """Tell whether a factor that goes together with the first one explains nothing, and often runs without it."""
    mine = one.own is not None and one.own < SURE
    return mine and one.only is None and (one.other_own is None or one.other_own >= SURE)


def _together(first: Ranked, one: Confounded) -> str:
    name = _named(first)
    capital = f"{name[0].upper()}{name[1:]}"
    days = one.factor == "weekday"
    if one.only is None:
        with_ = f"ran mostly {'on some weekdays' if days else f'with some of the {one.factor}s'}"
    else:
        only = f"{one.only}s" if days else f"{one.factor} {one.only}"
        with_ = f"ran only {'on' if days else 'with'} {only}"
        if one.always:
            with_ += f", and {only} only with {name}"
    other = "the weekday" if days else f"the {one.factor}"
    mine = one.own is not None and one.own < SURE
    theirs = one.other_own is not None and one.other_own < SURE
    if theirs and not mine:
        return (
            f"{capital} {with_}. Among parts of one {first.factor} {other} still matters, and among parts of one "
            f"{one.factor} the {first.factor} does not: look at {other} first."
        )
    if mine:
        also = (
            f"and so does {other} among parts of one {first.factor}"
            if theirs
            else f"and {other} does not among parts of one {first.factor}"
        )
        return f"{capital} {with_}. Among parts of one {one.factor} the {first.factor} still matters, {also}."
    return f"{capital} {with_}: whether it or {other} is the cause cannot be told until they run apart."


def _verdict(found: FactorsStudy) -> BasisVerdict:
    if not found.complete and found.of == "count":
        return BasisVerdict(
            "not alone",
            "Only parts with defects are in the table: give that of all parts with `parts`",
        )
    if not found.sure:
        return BasisVerdict("unknown", "Nothing stands out beyond chance")
    if any(one.own is None or one.own >= SURE for one in found.confounded):
        return BasisVerdict("not alone", "Factors run together: let them run apart before you act")
    if found.parts < _FEW:
        return BasisVerdict("not alone", f"Only {counted(found.parts, 'part')}: look at more")
    return BasisVerdict(
        "yes", f"By {counted(found.parts, 'part')}, allowing for all that was compared"
    )


def _assumptions(found: FactorsStudy) -> tuple[Assumption, ...]:
    apart = [one for one in found.confounded if one.own is None or one.own >= SURE]
    first = found.sure[0].factor if found.sure else ""
    return (
        Assumption(
            "parts without a defect are counted too",
            "holds" if found.complete or found.of == "size" else "does not",
            "each inspection is in the table"
            if found.complete
            else "sizes need none of them"
            if found.of == "size"
            else "the table has defects alone: give that of the parts",
        ),
        Assumption(
            "factors run independently of each other",
            "does not" if apart else "holds" if first else "not checked",
            "; ".join(f"{first} and {one.factor} go together" for one in apart)
            if apart
            else f"nothing else explains what {first} does"
            if first
            else "nothing stands out",
        ),
        Assumption(
            "parts are alike but for the factors",
            "not checked",
            "parts of one lot resemble each other: with few lots to a tool, a bad lot looks like a bad tool",
        ),
    )


def _tables(found: FactorsStudy) -> tuple[StudyTable, ...]:
    names = ("factor", "defects", "worst", "times the others", "adjusted p")
    rows = tuple(
        (
            one.factor,
            one.kind,
            one.levels[one.effect.worst],
            ranged(*one.effect.ratio),
            f"{one.adjusted:.3f}",
        )
        for one in found.ranked
    )
    tables = [
        StudyTable(
            "Factors by effect",
            names,
            rows,
            frozenset(names[3:]),
            printed=True,
            note="p by Benjamini and Hochberg: of the factors below 0.05, at most one in twenty is there by chance.",
        )
    ]
    if found.confounded:
        columns = ("goes together with", "how far", "p of the first", "p of the other")
        own = tuple(
            (one.factor, percent(one.together), _p(one.own), _p(one.other_own))
            for one in found.confounded
        )
        tables.append(
            StudyTable(
                f"What runs together with {found.sure[0].factor}",
                columns,
                own,
                frozenset(columns[1:]),
                note="p of each where the other one is allowed for; none where they never run apart.",
            )
        )
    return tuple(tables)


def _p(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _figure(found: FactorsStudy, one: Ranked) -> StudyFigure:
    effect = one.effect
    order = np.argsort(-effect.means, kind="stable")
    shown = list(order[:MOST_BARS])
    if effect.worst not in shown:
        shown[-1] = effect.worst
    rates = [
        Rate(
            float(effect.means[k]),
            float(effect.low[k]),
            float(effect.high[k]),
            int(effect.parts[k]),
        )
        for k in shown
    ]
    names = [f"{one.levels[k]} ({effect.parts[k]})" for k in shown]
    marked = [one.adjusted < SURE and k == effect.worst for k in shown]
    unit = "defects a part" if found.of == "count" else "size, geometric mean"

    def draw(axes: Any) -> None:
        draw_rates(axes, names, rates, unit, marked)

    left = f" The {MOST_BARS} highest of {len(order)}." if len(order) > MOST_BARS else ""
    return StudyFigure(
        f"{plural(one.kind)} by {one.factor}",
        f"In brackets how many parts.{left}",
        draw,
        1.0 + 0.3 * len(shown),
        1.45,
        0.3,
    )


def _numbers(found: FactorsStudy) -> dict[str, Any]:
    return {
        "of": found.of,
        "parts": found.parts,
        "defects": found.defects,
        "at": found.at,
        "confidence": found.confidence,
        "factors": [
            {
                "factor": one.factor,
                "class": one.kind,
                "p": one.effect.p,
                "adjusted_p": one.adjusted,
                "worst": one.levels[one.effect.worst],
                "ratio": dict(zip(("value", "low", "high"), one.effect.ratio, strict=True)),
                "levels": [
                    {
                        "level": level,
                        "parts": int(one.effect.parts[k]),
                        "value": float(one.effect.means[k]),
                        "low": float(one.effect.low[k]),
                        "high": float(one.effect.high[k]),
                    }
                    for k, level in enumerate(one.levels)
                ],
            }
            for one in found.ranked
        ],
        "together": [
            {
                "factor": one.factor,
                "cramers_v": one.together,
                "only_with": one.only,
                "own_p": one.own,
                "other_own_p": one.other_own,
            }
            for one in found.confounded
        ],
        "not_compared": dict(found.unusable),
    }
