"""Describe a study of drift for its report."""

from __future__ import annotations

from typing import Any

import numpy as np

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.colours import BAD, GOOD, LIMIT
from flawline.core.words import counted
from flawline.jobs.study.cause_words import number
from flawline.jobs.study.drift_study import DriftStudy, Signal
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable

_DISTANCES = {"energy": "energy distance", "mmd": "maximum mean discrepancy"}
_FEW = 60
_POINTS = 600
_CAUSES = {
    "light": "the light, not the process",
    "camera": "the camera, not the process",
    "look": "what the parts look like: another material, or another side of them",
    "process": "the process, not the camera",
    "model": "the model: only the scores moved, neither pictures nor defects",
}
_NEXT = {
    "light": "Check the lamp and the exposure, and judge the defects since then again.",
    "camera": "Check lens, focus and mount, and judge the defects since then again.",
    "look": "Look at pictures before and after, and train with new ones if they are good.",
    "process": "Look for what changed in the process then.",
    "model": "Check whether the recipe was changed.",
}
_MEANING = (
    "Each signal is charted by itself: of the picture (brightness, sharpness, noise, warmth of the colour, "
    "framing), of how "
    "the part looks, of the model (score) and of the process (defects). What moves first is the likely cause of what "
    "moves after it. Orange lines are the fitted levels of signals that surely moved, the green band is when."
)


def drift_report(found: DriftStudy) -> Study:
    """Describe a study of drift for its report."""
    return Study(
        name="drift",
        title="Process, camera, light or model",
        subtitle=f"{counted(found.inspections, 'inspection')}, {found.labels[0]} to {found.labels[-1]}.",
        finding=finding(found),
        verdict=_verdict(found),
        numbers=_numbers(found),
        facts={
            "inspections": str(found.inspections),
            "signals": ", ".join(signal.name for signal in found.signals),
            "moved": ", ".join(signal.name for signal in found.moved) or "none",
            **({"recipes": str(len(found.recipes))} if found.recipes else {}),
        },
        tables=(_table(found),),
        figures=tuple(_figure(found, signal) for signal in found.signals),
        assumptions=_assumptions(found),
        notes=found.notes,
        meaning=_MEANING,
    )


def finding(found: DriftStudy) -> str:
    """Say in plain words which signal moved first, and what that speaks for."""
    if not found.moved:
        looked = ", ".join(signal.name for signal in found.signals)
        return (
            f"Nothing surely drifted: {looked} stayed as they were, as far as "
            f"{counted(found.inspections, 'inspection')} can tell."
        )
    first = found.moved[0]
    told = [f"{first.name[0].upper()}{first.name[1:]} {_moved(found, first)}."]
    after = [signal.name for signal in found.moved[1:]]
    if after:
        told[0] = f"{told[0][:-1]}; {_listed(after)} moved too."
    still = [signal.name for signal in found.signals if not signal.sure]
    if "defects" in still:
        told.append("The number of defects did not surely move.")
    told.append(f"That speaks for {_CAUSES[found.cause]}. {_NEXT[found.cause]}")
    return " ".join(told)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _moved(found: DriftStudy, signal: Signal) -> str:
    change = signal.change
    way = "rose" if change.after > change.before else "fell"
    how = "in one step" if change.kind == "step" else "slowly"
    at, low, high = signal.onset
    return (
        f"{way} {how} from {number(change.before)} to {number(change.after)}, first of all, from {_at(found, at)} on "
        f"(between {_at(found, low)} and {_at(found, high)})"
    )


def _at(found: DriftStudy, place: int) -> str:
    return found.labels[place] if found.timed else f"inspection {place + 1}"


def _verdict(found: DriftStudy) -> BasisVerdict:
    if found.inspections < _FEW:
        return BasisVerdict(
            "not alone", f"Only {counted(found.inspections, 'inspection')}: look at more"
        )
    groups = {signal.group for signal in found.signals}
    if not groups & {"light", "camera"}:
        return BasisVerdict(
            "not alone",
            "Nothing is known of the pictures: the camera cannot be told from the process without "
            "`pictures`",
        )
    if not found.moved:
        return BasisVerdict("unknown", "No signal moved beyond chance")
    return BasisVerdict(
        "yes",
        f"By {counted(len(found.signals), 'signal')} of {counted(found.inspections, 'inspection')}",
    )


def _assumptions(found: DriftStudy) -> tuple[Assumption, ...]:
    groups = {signal.group for signal in found.signals}
    seen = bool(groups & {"light", "camera"})
    changed = len(found.recipes) > 1
    return (
        Assumption(
            "the pictures tell of camera and light",
            "holds" if seen else "does not",
            "brightness, sharpness and the like are among the signals"
            if seen
            else "give `pictures`, or columns of these names",
        ),
        Assumption(
            "one recipe judged them all",
            "does not" if changed else "holds" if found.recipes else "not checked",
            f"{len(found.recipes)} recipes judged, and scores of different ones are not comparable"
            if changed
            else "one recipe"
            if found.recipes
            else "the table names no recipe",
        ),
        Assumption(
            "each signal moved once at most",
            "not checked",
            "a signal that comes and goes, such as day and night, shows as no move or as a wrong one: look at "
            "the charts",
        ),
    )


def _table(found: DriftStudy) -> StudyTable:
    names = ("signal", "tells of", "before", "after", "moved", "between", "p")
    rows = []
    for signal in found.signals:
        at, low, high = signal.onset
        change = signal.change
        sure = (
            (_at(found, at), f"{_at(found, low)} and {_at(found, high)}")
            if signal.sure
            else ("no", "")
        )
        rows.append(
            (
                signal.name,
                signal.group,
                number(change.before),
                number(change.after),
                *sure,
                f"{signal.adjusted:.3f}",
            )
        )
    note = "p allows for all signals (Holm)."
    if found.apart is not None:
        distance, p = found.apart
        note += f" Looks of the first and the last third: {_DISTANCES[found.distance]} {distance:.3g}, p {p:.3f}."
    return StudyTable(
        "Signals, the first to move on top",
        names,
        tuple(rows),
        frozenset(("before", "after", "p")),
        printed=True,
        note=note,
    )


def _figure(found: DriftStudy, signal: Signal) -> StudyFigure:
    def draw(axes: Any) -> None:
        count = len(signal.values)
        run = -(-count // _POINTS)
        at = signal.rows[::run]
        values = np.array([signal.values[k : k + run].mean() for k in range(0, count, run)])
        axes.plot(at, values, ls="", marker="o", ms=2.2, color=GOOD, alpha=0.6)
        change = signal.change
        if signal.sure:
            place, low, high = signal.onset
            axes.axvspan(low, max(high, low + 1), color=LIMIT, alpha=0.25, lw=0)
            x, y = [0, place, found.inspections - 1], [change.before, change.before, change.after]
            if change.kind == "step":
                x, y = (
                    [0, place, place, found.inspections - 1],
                    [change.before, change.before, change.after, change.after],
                )
            axes.plot(x, y, color=BAD, lw=1.6)
        ticks = np.linspace(0, found.inspections - 1, 4).astype(int)
        axes.set_xticks(ticks, [found.labels[k][:10] for k in ticks])
        axes.set_xlim(-0.02 * found.inspections, 1.02 * found.inspections)
        axes.set_ylabel(signal.name)

    told = "surely moved" if signal.sure else "no sure move"
    mean = " Means of neighbours." if len(signal.values) > _POINTS else ""
    return StudyFigure(signal.name, f"Tells of the {signal.group}: {told}.{mean}", draw, 2.2)


def _numbers(found: DriftStudy) -> dict[str, Any]:
    return {
        "inspections": found.inspections,
        "cause": found.cause or None,
        "signals": [
            {
                "signal": signal.name,
                "tells_of": signal.group,
                "moved": signal.sure,
                "kind": signal.change.kind,
                "before": signal.change.before,
                "after": signal.change.after,
                "from": found.labels[signal.onset[0]],
                "between": [found.labels[k] for k in signal.onset[1:]],
                "p": signal.change.p,
                "adjusted_p": signal.adjusted,
            }
            for signal in found.signals
        ],
        found.distance: None
        if found.apart is None
        else {"distance": found.apart[0], "p": found.apart[1]},
        "recipes": list(found.recipes),
    }
