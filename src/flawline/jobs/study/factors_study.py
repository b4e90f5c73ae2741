"""Study which tool, lot, shift or other factor goes with more or larger defects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.factors import FactorEffect, factor_effect, only_with, overlap, own_effect
from flawline.core.causes.rates import benjamini_hochberg
from flawline.data.names import did_you_mean
from flawline.data.process import DIMENSIONS
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.inspected_parts import InspectedParts, numbered
from flawline.jobs.study.steps_study import new_defects

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Of = Literal["count", "size"]
SURE = 0.05
WEEKDAY = "weekday"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CLASSES = 6
# Classes with fewer defects say nothing.
_LEAST = 10
# Factors that go together less than this are taken as apart.
TOGETHER = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The effect of a factor on the defects of a class; `adjusted` is p allowing for all that were looked at."""

    factor: str
    kind: str
    levels: tuple[str, ...]
    effect: FactorEffect
    adjusted: float


@dataclass(frozen=True, slots=True)
class Confounded:
    """Another factor that goes together with the first-ranked one.

    `together` is Cramér's V. `only` is its level with which the worst level nearly always goes, and `always` whether
    the reverse holds too. `own` and `other_own` are the p-values of each where the other is allowed for; None where
    they cannot be told apart.
    """

    factor: str
    together: float
    only: str | None
    always: bool
    own: float | None
    other_own: float | None


@dataclass(frozen=True, slots=True, eq=False)
class FactorsStudy:
    """Factors ranked by effect, the surest and largest first, and what goes together with the first of them."""

    of: Of
    parts: int
    defects: int
    ranked: tuple[Ranked, ...]
    confounded: tuple[Confounded, ...]
    unusable: dict[str, str]
    complete: bool
    at: str | None
    confidence: float
    notes: tuple[str, ...]

    @property
    def sure(self) -> tuple[Ranked, ...]:
        """Select the factors that surely matter."""
        return tuple(one for one in self.ranked if one.adjusted < SURE)


def study_factors(
    found: InspectedParts,
    by: Sequence[str] = (),
    *,
    of: Of = "count",
    kind: str | None = None,
    at: str | None = None,
    step: str = "step",
    order: Sequence[str] = (),
    tolerance: float | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> FactorsStudy:
    """Rank factors by how much the defects of parts differ between their levels.

    Args:
        found: inspections with columns of factors.
        by: the columns; all of lot, tool, shift and so on that are there, and the weekday, if not given.
        of: "count" of defects a part, or their "size" (the geometric mean of a part).
        kind: defects of this class alone.
        at: count only what is first seen after this step, with the factors of that step.
        step, order, tolerance: as for `study_steps`, where `at` is given.
        confidence: of the intervals.
        seed: of the permutations.

    Raises:
        UsageError: an unknown factor, class or step, or settings that make no sense.
        FlawlineError: nothing to compare.
    """
    if of not in ("count", "size"):
        raise UsageError(f"`of` is count or size, got {of!r}")
    if not 0 < confidence < 1:
        raise UsageError(f"`confidence` is above 0 and below 1, got {confidence:g}")
    if kind is not None and kind not in found.classes:
        raise UsageError(
            f"no defect is of the class {kind!r}", hint=did_you_mean(kind, list(found.classes))
        )
    notes = list(found.notes)
    rows, chosen = units(found, at, step, order, tolerance, notes)
    factors = _factors(found, by, rows)
    usable = {name: cells for name, cells in factors.items() if _unusable(cells) is None}
    unusable = {name: why for name, cells in factors.items() if (why := _unusable(cells))}
    kinds = _kinds(found, chosen, kind)
    measured = {name: _measured(found, rows, mask, of) for name, mask in kinds.items()}
    ranked = _ranked(measured, usable, of, confidence, seed)
    if not ranked:
        listed = (
            "; ".join(f"{name}: {why}" for name, why in unusable.items()) or "there are no factors"
        )
        raise FlawlineError(
            f"nothing can be compared: {listed}",
            hint="name columns with `by`, such as tool, lot or shift",
            code="study-factors",
        )
    study = FactorsStudy(
        of,
        len(rows),
        int(chosen.sum()),
        ranked,
        (),
        unusable,
        found.complete,
        at,
        confidence,
        tuple(notes),
    )
    return replace(study, confounded=_confounded(study, usable, measured))


def units(
    found: InspectedParts,
    at: str | None,
    step: str,
    order: Sequence[str],
    tolerance: float | None,
    notes: list[str],
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Choose one inspection of each part, and the defects that count."""
    if at is not None:
        rows, new, told = new_defects(found, at, step, order, tolerance)
        notes += told
        return rows, new
    parts = found.part_numbers
    times = found.times()
    order_of = (
        np.arange(found.count) if times is None else np.lexsort((np.arange(found.count), times))
    )
    last = np.zeros(int(parts.max()) + 1, np.int64)
    last[parts[order_of]] = order_of
    rows = np.sort(last)
    if len(rows) < found.count:
        notes.append(
            f"{found.count - len(rows)} earlier inspections of the same parts are left out; `at` counts what one "
            "step adds"
        )
    kept = np.zeros(found.count, bool)
    kept[rows] = True
    return rows, kept[found.owner]


def _factors(
    found: InspectedParts, by: Sequence[str], rows: Numbers
) -> dict[str, tuple[Numbers, tuple[str, ...]]]:
    days = _weekdays(found)
    there = [name for name in DIMENSIONS if name in found.columns and any(found.columns[name])]
    names = list(dict.fromkeys(by)) or [*there, *([WEEKDAY] if days else [])]
    factors = {}
    for name in names:
        cells = found.columns.get(name) or (days if name == WEEKDAY else None)
        if cells is None:
            known = [*found.columns, *([WEEKDAY] if days else [])]
            raise UsageError(
                f"no column {name!r} to compare by",
                hint=did_you_mean(name, known) or f"there are {', '.join(known[:15])}",
            )
        factors[name] = numbered([cells[row] for row in rows])
    return factors


def _weekdays(found: InspectedParts) -> tuple[str | None, ...] | None:
    times = found.times()
    if times is None:
        return None
    return tuple(
        None if np.isnan(time) else _DAYS[datetime.fromtimestamp(time, UTC).weekday()]
        for time in times
    )


def _unusable(cells: tuple[Numbers, tuple[str, ...]]) -> str | None:
    number, names = cells
    if len(names) < 2:
        return "it never changes" if names else "it is never given"
    parts = np.bincount(number[number >= 0])
    if parts.max() < 3:
        return "no value has three parts"
    if (parts >= 3).sum() < 2:
        return "only one value has three parts or more"
    return None


def _kinds(
    found: InspectedParts, chosen: NDArray[np.bool_], kind: str | None
) -> dict[str, NDArray[np.bool_]]:
    if kind is not None:
        return {kind: chosen & (found.kind == found.classes.index(kind))}
    counts = np.bincount(found.kind[chosen], minlength=len(found.classes))
    frequent = [
        place for place in np.argsort(-counts, kind="stable")[:_CLASSES] if counts[place] >= _LEAST
    ]
    each = {found.classes[place]: chosen & (found.kind == place) for place in frequent}
    return each if len(each) == 1 and len(found.classes) == 1 else {"defects": chosen, **each}


def _measured(found: InspectedParts, rows: Numbers, mask: NDArray[np.bool_], of: Of) -> Floats:
    """Count the defects of each chosen inspection, or average their sizes, NaN without one."""
    counts = np.bincount(found.owner[mask], minlength=found.count).astype(np.float64)
    if of == "count":
        return counts[rows]
    sized = mask & (found.sizes > 0)
    if not sized.any():
        raise FlawlineError(
            "no defect has a size", hint="name its column with `size`", code="study-sizes"
        )
    parts = np.bincount(found.owner[sized], minlength=found.count)
    logs = np.bincount(found.owner[sized], np.log(found.sizes[sized]), minlength=found.count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(parts > 0, np.exp(logs / parts), np.nan)[rows]


def _ranked(
    measured: dict[str, Floats],
    usable: dict[str, tuple[Numbers, tuple[str, ...]]],
    of: Of,
    confidence: float,
    seed: int,
) -> tuple[Ranked, ...]:
    found = []
    for name, (number, names) in usable.items():
        for kind, values in measured.items():
            known = (number >= 0) & np.isfinite(values)
            levels, place = np.unique(number[known], return_inverse=True)
            scale: Literal["counts", "sizes"] = "counts" if of == "count" else "sizes"
            effect = factor_effect(values[known], place, scale, confidence=confidence, seed=seed)
            if effect is not None:
                found.append(
                    Ranked(name, kind, tuple(names[level] for level in levels), effect, 1.0)
                )
    if not found:
        return ()
    adjusted = benjamini_hochberg([one.effect.p for one in found])
    found = [replace(one, adjusted=float(p)) for one, p in zip(found, adjusted, strict=True)]

    def rank(one: Ranked) -> tuple[bool, float, float, str, str]:
        sure = one.adjusted < SURE
        return not sure, -one.effect.ratio[1], one.effect.p, one.factor, one.kind

    return tuple(sorted(found, key=rank))


def _confounded(
    study: FactorsStudy,
    usable: dict[str, tuple[Numbers, tuple[str, ...]]],
    measured: dict[str, Floats],
) -> tuple[Confounded, ...]:
    """List the factors that go together with the first one."""
    if not study.sure:
        return ()
    first = study.sure[0]
    number, names = usable[first.factor]
    worst = names.index(first.levels[first.effect.worst])
    values = measured[first.kind]
    if study.of == "size":
        values = np.log(values)
    found = []
    for name, (other, levels) in usable.items():
        if name == first.factor:
            continue
        known = (number >= 0) & (other >= 0) & np.isfinite(values)
        mine, mine_place = np.unique(number[known], return_inverse=True)
        theirs, their_place = np.unique(other[known], return_inverse=True)
        if min(len(mine), len(theirs)) < 2 or worst not in mine:
            continue
        place = int(np.searchsorted(mine, worst))
        together = overlap(mine_place, their_place)
        with_ = only_with(mine_place, place, their_place)
        if together < TOGETHER and with_ is None:
            continue
        always = with_ is not None and only_with(their_place, with_, mine_place) == place
        v = values[known]
        found.append(
            Confounded(
                name,
                together,
                None if with_ is None else levels[int(theirs[with_])],
                always,
                own_effect(v, mine_place, their_place),
                own_effect(v, their_place, mine_place),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.together, one.factor)))
