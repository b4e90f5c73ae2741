"""Describe a study of steps for its report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.causes.rates import Rate
from flawline.core.causes.steps import StepEffect
from flawline.core.words import counted
from flawline.jobs.study.cause_words import (
    between,
    chance,
    draw_rates,
    number,
    percent,
    plural,
    ranged,
)
from flawline.jobs.study.steps_study import SURE, StepsStudy
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable

AGAIN = 0.9
CHANCE = 0.1
_FEW = 20
_NOTE = "p is how often chance alone does as much, allowing for all steps and classes that were looked at."
_MEANING = (
    "A defect counts for the step after which it is first seen. What a part has when it is first inspected "
    "counts for the "
    "first step, also where it came with the material. Bars are defects a part with their intervals; orange ones "
    "are steps that surely add more than the others."
)


def steps_report(found: StepsStudy) -> Study:
    """Describe a study of steps for its report."""
    return Study(
        name="steps",
        title="Which step adds the defects",
        subtitle=f"{counted(found.parts, 'part')}, {counted(len(found.steps), 'step')}, "
        f"{counted(found.inspections, 'inspection')}.",
        finding=finding(found),
        verdict=_verdict(found),
        numbers=_numbers(found),
        facts=_facts(found),
        tables=_tables(found),
        figures=_figures(found),
        assumptions=_assumptions(found),
        notes=found.notes,
        meaning=_MEANING,
    )


def surest_step(found: StepsStudy) -> str | None:
    """Name the step that most surely adds defects, but for the first one; None where there is none."""
    sure = [effect for _, effect in _sure(found) if effect.step > 0]
    return found.steps[sure[0].step] if sure else None


def step_name(found: StepsStudy, step: int) -> str:
    """Name a step: "step 3 (plating)", or "step 3" where its name says no more."""
    name = found.steps[step]
    return f"step {name}" if name.isdecimal() else f"step {step + 1} ({name})"


def finding(found: StepsStudy) -> str:
    """Say in plain words which step adds most."""
    return _of_followed(found) if found.followed else _of_groups(found)


def _sure(found: StepsStudy) -> list[tuple[int, StepEffect]]:
    """List the surest class and step first; all defects together only where no class stands out."""
    each = [(c, e) for c, effects in enumerate(found.effects) for e in effects if e.p < SURE]
    single = [(c, e) for c, e in each if len(found.classes) == 1 or c > 0]
    return sorted(single or each, key=lambda one: (one[1].p, -one[1].share[1], one[0]))


def _of_followed(found: StepsStudy) -> str:
    sure = _sure(found)
    if not sure:
        most = max(found.effects[0], key=lambda effect: effect.added.value)
        return (
            f"No step surely adds more defects than the others: most new ones, {percent(most.share[0])}, are "
            "first seen "
            f"after {step_name(found, most.step)}, and chance alone does as much in {chance(most.p)}."
        )
    shown: dict[int, StepEffect] = {}
    for kind, effect in sure:
        shown.setdefault(kind, effect)
    return " ".join(_sentence(found, kind, effect) for kind, effect in list(shown.items())[:3])


def _sentence(found: StepsStudy, kind: int, effect: StepEffect) -> str:
    what, step = plural(found.classes[kind]), step_name(found, effect.step)
    share, rate = percent(effect.share[0]), effect.added
    sure = between(rate.low, rate.high, found.confidence)
    if effect.step == 0:
        return (
            f"{share} of the {what} are there at the first inspection, after {step}: {number(rate.value)} a part, "
            f"{sure}; "
            "it adds them or they came with the part."
        )
    return (
        f"{step[0].upper()}{step[1:]} adds {share} of the {what}: {number(rate.value)} a part more than before "
        f"it, {sure}."
    )


def _of_groups(found: StepsStudy) -> str:
    rises = [
        (change.p, -change.value, kind, change)
        for kind, changes in enumerate(found.changes)
        for change in changes
        if change.p < SURE and change.value > 0 and (kind or len(found.classes) == 1)
    ]
    cost = (
        "The parts are not followed from step to step, so that different parts are compared: defects that a step "
        "removes "
        "hide those that it adds"
    )
    if not rises:
        return f"No step surely adds defects. {cost}, and small additions are not seen."
    _, _, kind, change = min(rises)
    step, what = step_name(found, change.step), plural(found.classes[kind])
    return (
        f"After {step} parts have {number(change.value)} more {what} than before it, "
        f"{between(change.low, change.high, found.confidence)}. {cost}, and this interval is about "
        f"{change.wider:.1f} times as wide as with followed parts."
    )


def _verdict(found: StepsStudy) -> BasisVerdict:
    if not found.complete:
        return BasisVerdict(
            "not alone",
            "Only parts with defects are in the table: give that of all parts with `parts`",
        )
    if found.parts < _FEW:
        return BasisVerdict("not alone", f"Only {counted(found.parts, 'part')}: look at more")
    if not found.followed:
        return BasisVerdict(
            "not alone", "Different parts are compared: follow some parts to be sure"
        )
    seen, occasions = found.again
    if occasions and seen < AGAIN * occasions:
        return BasisVerdict(
            "not alone",
            f"A defect is seen again in {percent(seen / occasions)} only: steps get each other's defects",
        )
    if not _sure(found):
        return BasisVerdict("unknown", "No step stands out beyond chance")
    return BasisVerdict("yes", f"By {counted(found.parts, 'part')} followed over all steps")


def _assumptions(found: StepsStudy) -> tuple[Assumption, ...]:
    whole = Assumption(
        "parts without a defect are counted too",
        "holds" if found.complete else "does not",
        "each inspection is in the table"
        if found.complete
        else "the table has defects alone, so that means are those of parts with a defect: give that of the parts",
    )
    if not found.followed:
        return (
            whole,
            Assumption(
                "parts are followed from step to step",
                "does not",
                "fewer than half of them were inspected after every step under the same name",
            ),
            Assumption(
                "the groups of parts are alike but for the steps",
                "not checked",
                "compare lots of one day",
            ),
        )
    seen, occasions = found.again
    again = seen / occasions if occasions else 1.0
    return (
        whole,
        Assumption(
            "a defect that is there is seen",
            "not checked" if not occasions else "holds" if again >= AGAIN else "does not",
            f"seen again in {percent(again)} of {occasions} inspections between two that saw it"
            if occasions
            else "no defect was seen before and after a step in between",
        ),
        Assumption(
            "defects of one place are one defect",
            "holds" if found.chance <= CHANCE else "does not",
            f"{percent(found.chance)} of new ones would meet one of another part within {number(found.tolerance)} "
            f"{found.frame}: these are missed where they lie on an older one",
        ),
    )


def _tables(found: StepsStudy) -> tuple[StudyTable, ...]:
    rows = tuple(_rows(found))
    if found.followed:
        names = ("defects", "step", "added a part", "share", "p")
        return (
            StudyTable(
                "What each step adds", names, rows, frozenset(names[2:]), printed=True, note=_NOTE
            ),
        )
    names = ("defects", "step", "a part", "change", "p")
    return (
        StudyTable(
            "Defects after each step", names, rows, frozenset(names[2:]), printed=True, note=_NOTE
        ),
    )


def _rows(found: StepsStudy) -> Iterator[tuple[str, ...]]:
    for kind, name in enumerate(found.classes):
        for step, label in enumerate(found.steps):
            if found.followed:
                one = found.effects[kind][step]
                added = ranged(one.added.value, one.added.low, one.added.high)
                yield name, label, added, percent(one.share[0]), f"{one.p:.3f}"
                continue
            rate = number(found.counts[kind][step].value)
            if step == 0:
                yield name, label, rate, "", ""
                continue
            change = found.changes[kind][step - 1]
            yield (
                name,
                label,
                rate,
                ranged(change.value, change.low, change.high),
                f"{change.p:.3f}",
            )


def _figures(found: StepsStudy) -> tuple[StudyFigure, ...]:
    height = 1.0 + 0.32 * len(found.steps)
    figures = []
    for kind, name in list(enumerate(found.classes))[:6]:
        rates = _rates(found, kind)
        marked = (
            [found.followed and one.p < SURE for one in found.effects[kind]]
            if found.followed
            else []
        )

        def draw(axes: Any, rates: list[Rate] = rates, marked: list[bool] = marked) -> None:
            unit = "new a part" if found.followed else "a part"
            draw_rates(axes, found.steps, rates, unit, marked)

        what = f"{plural(name)} {'added by each step' if found.followed else 'after each step'}"
        figures.append(
            StudyFigure(
                what,
                f"A part, with the {100 * found.confidence:g} % interval.",
                draw,
                height,
                1.45,
                0.3,
            )
        )
    return tuple(figures)


def _rates(found: StepsStudy, kind: int) -> list[Rate]:
    return [one.added for one in found.effects[kind]] if found.followed else found.counts[kind]


def _facts(found: StepsStudy) -> dict[str, str]:
    facts = {
        "parts": str(found.parts),
        "steps": ", ".join(found.steps),
        "followed": "yes" if found.followed else "no",
    }
    if found.followed:
        seen, occasions = found.again
        facts |= {
            "same place": f"within {number(found.tolerance)} {found.frame}",
            "seen again": percent(seen / occasions) if occasions else "not known",
            "met by chance": percent(found.chance),
        }
    return facts


def _numbers(found: StepsStudy) -> dict[str, Any]:
    document: dict[str, Any] = {
        "steps": list(found.steps),
        "classes": list(found.classes),
        "parts": found.parts,
        "followed": found.followed,
        "confidence": found.confidence,
        "counts": {
            name: [_rate(rate) for rate in found.counts[kind]]
            for kind, name in enumerate(found.classes)
        },
    }
    if found.followed:
        document |= {
            "tolerance": found.tolerance,
            "seen_again": {"seen": found.again[0], "occasions": found.again[1]},
            "met_by_chance": found.chance,
            "gone": list(found.gone),
            "added": {
                name: [
                    {
                        "step": found.steps[one.step],
                        **_rate(one.added),
                        "share": one.share,
                        "p": one.p,
                    }
                    for one in found.effects[kind]
                ]
                for kind, name in enumerate(found.classes)
            },
        }
        return document
    document["changes"] = {
        name: [
            {
                "step": found.steps[one.step],
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "p": one.p,
                "times_as_wide": one.wider,
            }
            for one in found.changes[kind]
        ]
        for kind, name in enumerate(found.classes)
    }
    return document


def _rate(rate: Rate) -> dict[str, float]:
    return {"value": rate.value, "low": rate.low, "high": rate.high}
