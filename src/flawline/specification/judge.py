"""Judge one part by a specification: accept, review or reject, with every clause that is broken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, isnan

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import BY_NAME
from flawline.core.spc.rounding import rounding_of
from flawline.specification.coverage import uncovered
from flawline.specification.model import Condition, Limit, Spec, Zone
from flawline.specification.zones import area, inside
from flawline.types import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPart:
    """Measures of one part.

    `columns` holds (N,) numbers by name for its N defects: lengths and areas in pixels under the name of
    `measure.columns`, in millimetres with "_mm" or "_mm2" appended, and their standard uncertainties with "_u" after
    that. `places` (N, 2) are the centroids in part coordinates in px, `outlines` the contours likewise, where
    available. `size` is (height, width) of the picture in px. `unjudged` says why the part could not be measured.
    """

    image: str
    classes: tuple[str, ...]
    columns: Mapping[str, Floats]
    places: Floats
    size: tuple[int, int]
    mm_per_px: float | None = None
    outlines: Sequence[Floats] | None = None
    p_value: float | None = None
    unjudged: str = ""


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause applied to one part, or to one defect of it.

    `margin` is how far `value` lies on the good side of `bound`, below 0 on the bad side; `expanded` the expanded
    uncertainty of the guard band. `defects` are the indices of the defects concerned. `line` is None where no clause
    covers a class: then `value` is the number of its defects, and `bound` 0.
    """

    clause: str
    line: int | None
    outcome: Verdict
    value: float
    bound: float
    unit: str
    margin: float
    expanded: float
    defects: tuple[int, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one part: None where it could not be judged, and then `reason` says why.

    `findings` are the broken clauses, rejects first; `closest` the clause with the smallest margin, relative to its
    bound, where none is broken. `spec` is the hash of the specification.
    """

    image: str
    verdict: Verdict | None
    findings: tuple[ClauseResult, ...]
    closest: ClauseResult | None
    spec: str
    reason: str = ""


class _CannotJudgeError(Exception):
    """A number that a clause needs is missing."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A number to compare with a bound."""

    value: float
    uncertainty: float = 0.0
    defects: tuple[int, ...] = field(default=())


def judge(spec: Spec, part: MeasuredPart, *, decided: Collection[str] = ()) -> Judgement:
    """Judge a part by every clause.

    A value is rejected where it lies beyond its limit by more than k u, accepted where it lies within the limit by k u,
    and reviewed in between, where the measurement proves neither (ISO 14253-1: conformity is proven only inside the
    guard band, nonconformity only outside it); k is the guard of the specification, u the standard uncertainty. A part
    is rejected where one clause rejects it. A part with a defect whose class no clause covers (`uncovered`) is
    reviewed, but for classes that are `decided` by something else. A part without a number that a clause needs is not
    judged.
    """
    if part.unjudged:
        return Judgement(part.image, None, (), None, spec.hash, part.unjudged)
    try:
        results = [one for limit in spec.limits for one in _results(limit, part, spec.guard)]
    except _CannotJudgeError as error:
        return Judgement(part.image, None, (), None, spec.hash, str(error))
    results += _uncovered(spec, part, decided)
    broken = [one for one in results if one.outcome != "accept"]
    broken.sort(key=lambda f: (f.outcome != "reject", f.line or inf, _relative(f), f.defects))
    if broken:
        return Judgement(part.image, broken[0].outcome, tuple(broken), None, spec.hash)
    closest = min(results, key=lambda f: (_relative(f), f.line or inf), default=None)
    return Judgement(part.image, "accept", (), closest, spec.hash)


def _uncovered(spec: Spec, part: MeasuredPart, decided: Collection[str]) -> list[ClauseResult]:
    """Make a review of each class of the part that no clause covers."""
    found = []
    for name in uncovered(spec, set(part.classes) - set(decided)):
        own = tuple(k for k, label in enumerate(part.classes) if label == name)
        words, count = f"no clause covers {name!r}", len(own)
        found.append(ClauseResult(words, None, "review", count, 0, "", -count, 0, own))
    return found


def _relative(result: ClauseResult) -> float:
    return result.margin / abs(result.bound) if result.bound else result.margin


def _results(limit: Limit, part: MeasuredPart, guard: float) -> list[ClauseResult]:
    bounds = (limit.least, limit.most, limit.review_least, limit.review_most)
    return [
        _compare(limit, value, bounds, guard)
        for value in _values(limit, part)
        if isfinite(value.value)
    ]


def _compare(
    limit: Limit, value: _Value, bounds: tuple[float | None, ...], guard: float
) -> ClauseResult:
    least, most, review_least, review_most = bounds
    expanded = guard * value.uncertainty
    sides: list[tuple[Verdict, float, float, str]] = []
    for bound, sign in ((least, -1), (most, 1)):
        if bound is None:
            continue
        margin = _margin(sign, bound, value.value, expanded)
        outcome: Verdict = (
            "reject" if margin < -expanded else "review" if margin < expanded else "accept"
        )
        note = "within the uncertainty of the limit" if outcome == "review" else ""
        sides.append((outcome, margin, bound, note))
    for bound, sign in ((review_least, -1), (review_most, 1)):
        if bound is not None:
            margin = _margin(sign, bound, value.value)
            sides.append(("review" if margin < 0 else "accept", margin, bound, ""))
    order = ("reject", "review", "accept")
    outcome, margin, bound, note = min(sides, key=lambda s: (order.index(s[0]), s[1]))
    return ClauseResult(
        limit.text,
        limit.line,
        outcome,
        value.value,
        bound,
        "" if limit.unit == "1" or limit.quantity == "score" else limit.unit,
        margin,
        expanded,
        value.defects,
        note,
    )


def _margin(sign: int, bound: float, value: float, expanded: float = 0.0) -> float:
    """Compute how far a value lies within a bound; what misses it or an edge of the guard band by rounding is on it."""
    margin, off = sign * (bound - value), rounding_of(bound)
    return next((edge for edge in (0.0, expanded, -expanded) if abs(margin - edge) <= off), margin)


def _values(limit: Limit, part: MeasuredPart) -> list[_Value]:
    """List the numbers that a clause limits."""
    if limit.quantity == "p_value":
        if part.p_value is None or isnan(part.p_value):
            raise _CannotJudgeError(
                f'"{limit.text}" needs an anomaly p-value, and the part has none'
            )
        return [_Value(part.p_value)]
    matches = _matches(limit, part)
    numbers = tuple(matches.tolist())
    if limit.quantity == "count":
        return [_Value(len(matches), 0.0, numbers)]
    if limit.quantity == "density":
        return [_Value(len(matches) / _surface(limit, part), 0.0, numbers)]
    if limit.quantity == "spacing":
        return _spacing(limit, part, matches)
    if limit.quantity == "score":
        return [_score(limit, part, matches)]
    if limit.quantity == "total":
        return [_total(limit, part, matches)]
    values, spread = _column(part, limit.column, limit.unit)
    return [_Value(float(values[k]), float(spread[k]), (k,)) for k in numbers]


def _matches(limit: Limit, part: MeasuredPart) -> NDArray[np.int64]:
    matches = np.ones(len(part.classes), dtype=bool)
    if limit.class_name is not None:
        matches &= np.array([name == limit.class_name for name in part.classes], dtype=bool)
    for condition in limit.where:
        matches &= _holds(condition, part)
    if limit.zone is not None and matches.any():
        matches &= _within(limit.zone, part)
    return np.flatnonzero(matches)


def _holds(condition: Condition, part: MeasuredPart) -> NDArray[np.bool_]:
    values, _ = _column(part, condition.column, condition.unit)
    compare = np.less if condition.comparison.startswith("<") else np.greater
    equal = np.abs(values - condition.value) <= rounding_of(condition.value)
    beyond = compare(values, condition.value)
    return np.asarray(beyond | equal if condition.comparison.endswith("=") else beyond & ~equal)


def _within(zone: Zone, part: MeasuredPart) -> NDArray[np.bool_]:
    """Find the defects in a zone: those with the centroid or any point of the contour in it."""
    factor = 1.0
    if zone.unit == "mm":
        factor = _scale(part, f"the zone {zone.name!r}")
    within = inside(zone, part.places * factor)
    if part.outlines is not None:
        for place, outline in enumerate(part.outlines):
            within[place] |= bool(inside(zone, outline * factor).any())
    return within


def _column(part: MeasuredPart, name: str, unit: str) -> tuple[Floats, Floats]:
    """Look up a column in a unit, and its standard uncertainty; both empty without defects."""
    if not part.classes:
        return np.empty(0), np.empty(0)
    full = f"{name}_{unit}" if unit in ("mm", "mm2") else name
    if full not in part.columns:
        if unit in ("mm", "mm2"):
            _scale(part, f"{name} in {unit}")
        raise _CannotJudgeError(f"the column {full!r} was not measured")
    values = np.asarray(part.columns[full], dtype=np.float64)
    infinite = np.isinf(values) & (name != "nearest_distance")  # infinite for a single defect
    if (np.isnan(values) | infinite).any():
        raise _CannotJudgeError(f"the column {full!r} has empty places")
    spread = np.asarray(part.columns.get(f"{full}_u", np.zeros(len(values))), dtype=np.float64)
    return values, np.nan_to_num(spread)


def _scale(part: MeasuredPart, what: str) -> float:
    if part.mm_per_px is None or not part.mm_per_px > 0:
        raise _CannotJudgeError(f"{what} needs a scale in mm/px, and the part has none")
    return part.mm_per_px


def _surface(limit: Limit, part: MeasuredPart) -> float:
    """Compute the area of the zone, or of the picture without a zone, in the unit of the density."""
    unit = limit.unit.removeprefix("/")
    if limit.zone is not None:
        size = area(limit.zone)
        if limit.zone.unit == "px" and unit != "px2":
            size *= _scale(part, "a density") ** 2
        if limit.zone.unit == "mm" and unit == "px2":
            size /= _scale(part, "a density") ** 2
    else:
        size = float(part.size[0] * part.size[1])
        if unit != "px2":
            size *= _scale(part, "a density") ** 2
    return size / 100 if unit == "cm2" else size


def _spacing(limit: Limit, part: MeasuredPart, matches: NDArray[np.int64]) -> list[_Value]:
    """Find the smallest distance between the centroids of two of the defects."""
    if len(matches) < 2:
        return []
    factor = _scale(part, "a spacing in mm") if limit.unit == "mm" else 1.0
    places = part.places[matches]
    best, pair = inf, (0, 0)
    for k in range(len(places) - 1):
        apart = np.hypot(*(places[k + 1 :] - places[k]).T)
        nearest = int(apart.argmin())
        if apart[nearest] < best:
            best, pair = float(apart[nearest]), (int(matches[k]), int(matches[k + 1 + nearest]))
    return [_Value(best * factor, 0.0, pair)]


def _total(limit: Limit, part: MeasuredPart, matches: NDArray[np.int64]) -> _Value:
    """Sum a column; uncertainties from one scale and one edge rule add up, they do not cancel."""
    numbers = tuple(matches.tolist())
    if limit.unit == "%":
        zone = limit.zone
        unit = "mm2" if zone is not None and zone.unit == "mm" else "px2"
        surface = area(zone) if zone is not None else float(part.size[0] * part.size[1])
        values, spread = _column(part, limit.column, unit)
        share = 100 / surface if surface else inf
        return _Value(
            float(values[matches].sum()) * share, float(spread[matches].sum()) * share, numbers
        )
    values, spread = _column(part, limit.column, limit.unit)
    return _Value(float(values[matches].sum()), float(spread[matches].sum()), numbers)


def _score(limit: Limit, part: MeasuredPart, matches: NDArray[np.int64]) -> _Value:
    value = spread = 0.0
    for (name, column), weight in limit.weights.items():
        of_class = np.array(
            [k for k in matches.tolist() if part.classes[k] == name], dtype=np.int64
        )
        if column == "count":
            value += weight * len(of_class)
            continue
        unit = "1"
        if BY_NAME[column].unit in ("px", "px2") and limit.unit == "mm":
            unit = "mm" if BY_NAME[column].unit == "px" else "mm2"
        values, uncertain = _column(part, column, unit)
        value += weight * float(values[of_class].sum())
        spread += abs(weight) * float(uncertain[of_class].sum())
    return _Value(value, spread, tuple(matches.tolist()))
