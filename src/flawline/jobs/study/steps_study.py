"""Study which step of a process adds which defects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.matching import Tracks, follow, match, seen_again
from flawline.core.causes.rates import Rate, rate_of
from flawline.core.causes.steps import GroupEffect, StepEffect, group_effects, step_effects
from flawline.data.names import natural_key
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.inspected_parts import InspectedParts
from flawline.jobs.study.inspected_tables import need_places

Floats = NDArray[np.float64]
SURE = 0.05
# Share of the longer side of the part within which a defect may seem to move.
TOLERANCE = 0.02
_MOST_STEPS = 40


@dataclass(frozen=True, slots=True, eq=False)
class StepsStudy:
    """What each step adds of each class.

    `classes` begins with "defects", which is all of them, where there are several. `effects` are followed parts: one
    list per class, one per step. `changes` are parts that are not followed: from the second step on. `counts` (C, S)
    are defects a part after each step. `again` are how often a defect was seen again, and the occasions; `chance` is
    the share of new defects that would meet one of another part by chance.
    """

    steps: tuple[str, ...]
    classes: tuple[str, ...]
    parts: int
    inspections: int
    followed: bool
    tolerance: float
    frame: str
    counts: list[list[Rate]]
    effects: list[list[StepEffect]]
    changes: list[list[GroupEffect]]
    gone: tuple[float, ...]
    again: tuple[int, int]
    chance: float
    complete: bool
    confidence: float
    notes: tuple[str, ...]


def study_steps(
    found: InspectedParts,
    step: str = "step",
    *,
    order: Sequence[str] = (),
    tolerance: float | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> StepsStudy:
    """Follow the defects of each part from step to step by their places, or compare groups of parts.

    Args:
        found: inspections with a column of steps.
        step: the column.
        order: the steps in order; by the mean time of their inspections if not given, or else by name.
        tolerance: how far a defect may seem to move, in the unit of the places; 2 % of the longer side by default.
        confidence: of the intervals.
        seed: of the permutations.

    Raises:
        UsageError: a tolerance or confidence that makes no sense, or steps that are not there.
        FlawlineError: fewer than two steps, or no defect at all.
    """
    if not 0 < confidence < 1:
        raise UsageError(f"`confidence` is above 0 and below 1, got {confidence:g}")
    if tolerance is not None and not 0 < tolerance < np.inf:
        raise UsageError(f"`tolerance` is a length above 0, got {tolerance:g}")
    number, names, told = _steps(found, step, order)
    _check(found, names)
    used = number >= 0
    parts = np.unique(found.part_numbers[used], return_inverse=True)[1]
    part_of = np.full(found.count, -1, np.int64)
    part_of[used] = parts
    seen = np.zeros((int(parts.max()) + 1, len(names)), bool)
    seen[parts, number[used]] = True
    whole = np.asarray(seen.all(axis=1))
    followed = bool(whole.sum() >= 0.5 * len(whole))
    notes = [*found.notes, *told]
    if followed and not whole.all():
        notes.append(
            f"{(~whole).sum()} of {len(whole)} parts were not inspected after every step and are left out"
        )
    groups = _groups(found)
    counts = _counted(found, number, part_of, seen, groups)
    study = StepsStudy(
        names,
        tuple(groups),
        len(whole),
        int(used.sum()),
        followed,
        0.0,
        found.frame,
        [],
        [],
        [],
        (),
        (0, 0),
        0.0,
        found.complete,
        confidence,
        tuple(notes),
    )
    if followed:
        return _followed(found, study, number, part_of, whole, groups, counts, tolerance, seed)
    return _compared(study, seen, counts)


def _steps(
    found: InspectedParts, step: str, order: Sequence[str]
) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
    """Number the step of each inspection, -1 where it has none."""
    if step not in found.columns:
        raise FlawlineError(
            f"no column {step!r} says after which step a part was inspected",
            hint="name it with `step`",
            code="study-steps",
        )
    cells = found.columns[step]
    there = sorted({cell for cell in cells if cell}, key=natural_key)
    told: list[str] = []
    if order:
        missing = [name for name in order if name not in there]
        if missing:
            raise UsageError(
                f"no inspection is after the step {missing[0]!r}",
                hint=f"steps are {', '.join(there[:20])}",
            )
        names = tuple(dict.fromkeys(order))
    else:
        names, told = _in_order(found, cells, there)
    places = {name: place for place, name in enumerate(names)}
    number = np.array([places.get(cell or "", -1) for cell in cells], np.int64)
    left = int((number < 0).sum())
    if left:
        told = [*told, f"{left} inspections without one of these steps are left out"]
    return number, names, told


def _in_order(
    found: InspectedParts, cells: Sequence[str | None], there: Sequence[str]
) -> tuple[tuple[str, ...], list[str]]:
    times = found.times()
    if times is None or all(name.isdecimal() for name in there):
        return tuple(there), [
            f"steps in the order of their names: {', '.join(there)}; `order` gives another"
        ]
    means = {
        name: float(
            np.nanmean(
                [t for t, cell in zip(times, cells, strict=True) if cell == name] or [np.inf]
            )
        )
        for name in there
    }
    ordered = tuple(
        sorted(there, key=lambda name: (np.nan_to_num(means[name], nan=np.inf), natural_key(name)))
    )
    return ordered, [
        f"steps in the order of their times: {', '.join(ordered)}; `order` gives another"
    ]


def _check(found: InspectedParts, names: Sequence[str]) -> None:
    if len(names) < 2:
        raise FlawlineError(
            f"expected parts inspected after at least two steps, got {len(names)}",
            hint="name the column of steps with `step`",
            code="study-steps",
        )
    if len(names) > _MOST_STEPS:
        raise FlawlineError(
            f"expected at most {_MOST_STEPS} steps, got {len(names)}",
            hint="name the column of steps with `step`, or the steps to look at with `order`",
            code="study-steps",
        )
    if not len(found.owner):
        raise FlawlineError(
            "no part has a defect: there is nothing to find the cause of", code="study-empty"
        )


def _groups(found: InspectedParts) -> dict[str, NDArray[np.bool_]]:
    """Select the defects of each class, and of all where there are several."""
    each = {name: found.kind == place for place, name in enumerate(found.classes)}
    return each if len(each) == 1 else {"defects": np.ones(len(found.owner), bool), **each}


def _counted(
    found: InspectedParts,
    number: NDArray[np.int64],
    part_of: NDArray[np.int64],
    seen: NDArray[np.bool_],
    groups: dict[str, NDArray[np.bool_]],
) -> Floats:
    """Count the defects of each class, part and step, (C, P, S)."""
    counts = np.zeros((len(groups), *seen.shape))
    for place, chosen in enumerate(groups.values()):
        owner = found.owner[chosen]
        owner = owner[number[owner] >= 0]
        np.add.at(counts[place], (part_of[owner], number[owner]), 1)
    return counts


def _followed(
    found: InspectedParts,
    study: StepsStudy,
    number: NDArray[np.int64],
    part_of: NDArray[np.int64],
    whole: NDArray[np.bool_],
    groups: dict[str, NDArray[np.bool_]],
    counts: Floats,
    tolerance: float | None,
    seed: int,
) -> StepsStudy:
    need_places(found)
    within = _within(found, tolerance)
    notes = list(study.notes)
    if tolerance is None:
        notes.append(
            f"a defect within {within:.3g} {study.frame} of one seen before is the same (2 % of the longer side); "
            "`tolerance` gives another distance"
        )
    step, part = number[found.owner], part_of[found.owner]
    placed = np.isfinite(found.places).all(axis=1)
    chosen = (step >= 0) & (part >= 0) & placed
    chosen[chosen] &= whole[part[chosen]]
    lost = int((~placed).sum())
    if lost:
        notes.append(f"{lost} defects without a place are left out")
    rows = np.flatnonzero(chosen)
    tracks = follow(part[rows], step[rows], found.places[rows], within, len(study.steps))
    first = rows[tracks.first]
    added = np.zeros_like(counts)
    for place, of_class in enumerate(groups.values()):
        new = first[of_class[first]]
        np.add.at(added[place], (part[new], step[new]), 1)
    added = added[:, whole]
    return replace(
        study,
        tolerance=float(within),
        parts=int(whole.sum()),
        counts=[
            [rate_of(counts[c, whole, s], study.confidence) for s in range(len(study.steps))]
            for c in range(len(counts))
        ],
        effects=step_effects(added, confidence=study.confidence, seed=seed),
        gone=_gone(tracks),
        again=seen_again(tracks.seen),
        chance=_chance(part[rows], step[rows], found.places[rows], within, tracks),
        notes=tuple(notes),
    )


def new_defects(
    found: InspectedParts, at: str, step: str, order: Sequence[str], tolerance: float | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[str]]:
    """Choose the inspections after the step `at`, the defects first seen there, (D,), and notes.

    Errors as for `study_steps`.
    """
    number, names, told = _steps(found, step, order)
    if at not in names:
        raise UsageError(
            f"no inspection is after the step {at!r}", hint=f"steps are {', '.join(names[:20])}"
        )
    _check(found, names)
    need_places(found)
    rows = np.flatnonzero(number == names.index(at))
    within = _within(found, tolerance)
    of_step = number[found.owner]
    chosen = np.flatnonzero((of_step >= 0) & np.isfinite(found.places).all(axis=1))
    part = found.part_numbers[found.owner]
    tracks = follow(part[chosen], of_step[chosen], found.places[chosen], within, len(names))
    new = np.zeros(len(found.owner), bool)
    new[chosen[tracks.first]] = True
    earlier = np.isin(
        found.part_numbers[rows], found.part_numbers[(number >= 0) & (number < names.index(at))]
    )
    if names.index(at) > 0 and not earlier.all():
        told = [
            *told,
            f"{(~earlier).sum()} parts were not inspected before {at}: all of their defects count as new",
        ]
    last = {int(found.part_numbers[row]): int(row) for row in rows}
    rows = np.array(sorted(last.values()), np.int64)
    return rows, new & np.isin(found.owner, rows), told


def _within(found: InspectedParts, tolerance: float | None) -> float:
    """Return the tolerance: the given one, or 2 % of the longer side."""
    left, top, right, bottom = found.span
    return (
        tolerance if tolerance is not None else TOLERANCE * max(right - left, bottom - top) or 1.0
    )


def _gone(tracks: Tracks) -> tuple[float, ...]:
    """Return the share of the defects seen by each step that are never seen after it, but for the last."""
    gone = []
    for step in range(tracks.seen.shape[1] - 1):
        before = tracks.seen[:, : step + 1].any(axis=1)
        later = tracks.seen[:, step + 1 :].any(axis=1)
        gone.append(float((before & ~later).sum() / max(before.sum(), 1)))
    return tuple(gone)


def _chance(
    part: NDArray[np.int64], step: NDArray[np.int64], places: Floats, within: float, tracks: Tracks
) -> float:
    """Return the share of new defects after the first step that would match the earlier defects of the next part."""
    new = tracks.first[step[tracks.first] > 0]
    if not len(new):
        return 0.0
    last = int(step.max())
    early = tracks.first[step[tracks.first] < last]
    parts = int(part.max()) + 1
    met = 0
    for number in range(1, last + 1):
        mine = new[step[new] == number]
        theirs = early[step[early] < number]
        found = match((part[mine] + 1) % parts, places[mine], part[theirs], places[theirs], within)
        met += int((found >= 0).sum())
    return met / len(new)


def _compared(study: StepsStudy, seen: NDArray[np.bool_], counts: Floats) -> StepsStudy:
    """Compare the parts seen after a step with those seen after the one before."""
    few = [name for place, name in enumerate(study.steps) if seen[:, place].sum() < 2]
    if few:
        raise FlawlineError(
            f"expected at least 2 parts inspected after each step, got fewer after {few[0]!r}",
            hint="name the column of parts with `part`, or the steps to look at with `order`",
            code="study-steps",
        )
    of = [[counts[c, seen[:, s], s] for s in range(len(study.steps))] for c in range(len(counts))]
    comparisons = len(counts) * (len(study.steps) - 1)
    return replace(
        study,
        counts=[[rate_of(one, study.confidence) for one in steps] for steps in of],
        changes=[
            [
                group_effects(before, after, place + 1, comparisons, study.confidence)
                for place, (before, after) in enumerate(pairwise(steps))
            ]
            for steps in of
        ],
    )
