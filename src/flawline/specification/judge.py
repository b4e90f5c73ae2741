"""Judge one part by a specification: accept, review or reject, with every clause that is broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, isnan

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import BY_NAME
from flawline.specification.model import Condition, Limit, Spec, Zone
from flawline.specification.zones import area, inside
from flawline.types import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPart:
    """What was measured on one part.

    `columns` holds (N,) numbers by name for its N defects: lengths and areas in pixels under the name of
    `measure.columns`, in millimetres with "_mm" or "_mm2" behind it, and the standard uncertainty of those with "_u"
    behind that. `places` (N, 2) are the centroids in part coordinates in px, `outlines` the contours likewise, where
    kept. `size` is (height, width) of the picture in px. `unjudged` says why the part could not be measured.
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
    uncertainty that guarded the bound. `defects` are the places of the defects that it is about.
    """

    clause: str
    line: int
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
    """A number to hold against a bound."""

    value: float
    uncertainty: float = 0.0
    defects: tuple[int, ...] = field(default=())


def judge(spec: Spec, part: MeasuredPart) -> Judgement:
    """Hold a part against every clause.

    A value is rejected where it lies beyond its limit by more than k u, accepted where it keeps within the limit by
    k u, and reviewed in between, where the measurement proves neither (ISO 14253-1: conformity is proven only inside
    the guard band, nonconformity only outside it); k is the guard of the specification, u the standard uncertainty. A
    part is rejected where one clause rejects it, and a part of which a needed number is missing is not judged.
    """
    if part.unjudged:
        return Judgement(part.image, None, (), None, spec.hash, part.unjudged)
    try:
        found = [finding for limit in spec.limits for finding in _findings(limit, part, spec.guard)]
    except _CannotJudgeError as error:
        return Judgement(part.image, None, (), None, spec.hash, str(error))
    broken = [finding for finding in found if finding.outcome != "accept"]
    broken.sort(key=lambda f: (f.outcome != "reject", f.line, _relative(f), f.defects))
    if broken:
        return Judgement(part.image, broken[0].outcome, tuple(broken), None, spec.hash)
    closest = min(found, key=lambda f: (_relative(f), f.line), default=None)
    return Judgement(part.image, "accept", (), closest, spec.hash)


def _relative(finding: ClauseResult) -> float:
    return finding.margin / abs(finding.bound) if finding.bound else finding.margin


def _findings(limit: Limit, part: MeasuredPart, guard: float) -> list[ClauseResult]:
    bounds = (limit.least, limit.most, limit.review_least, limit.review_most)
    return [
        _held_against(limit, value, bounds, guard)
        for value in _values(limit, part)
        if isfinite(value.value)
    ]


def _held_against(
    limit: Limit, value: _Value, bounds: tuple[float | None, ...], guard: float
) -> ClauseResult:
    least, most, review_least, review_most = bounds
    expanded = guard * value.uncertainty
    sides: list[tuple[Verdict, float, float, str]] = []
    for bound, sign in ((least, -1), (most, 1)):
        if bound is None:
            continue
        margin = sign * (bound - value.value)
        outcome: Verdict = (
            "reject" if margin < -expanded else "review" if margin < expanded else "accept"
        )
        note = "within the uncertainty of the limit" if outcome == "review" else ""
        sides.append((outcome, margin, bound, note))
    for bound, sign in ((review_least, -1), (review_most, 1)):
        if bound is not None:
            margin = sign * (bound - value.value)
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


def _values(limit: Limit, part: MeasuredPart) -> list[_Value]:
    """The numbers that a clause is about."""
    if limit.quantity == "p_value":
        if part.p_value is None or isnan(part.p_value):
            raise _CannotJudgeError(
                f'"{limit.text}" needs an anomaly p-value, and the part has none'
            )
        return [_Value(part.p_value)]
    mine = _chosen(limit, part)
    numbers = tuple(mine.tolist())
    if limit.quantity == "count":
        return [_Value(len(mine), 0.0, numbers)]
    if limit.quantity == "density":
        return [_Value(len(mine) / _surface(limit, part), 0.0, numbers)]
    if limit.quantity == "spacing":
        return _spacing(limit, part, mine)
    if limit.quantity == "score":
        return [_score(limit, part, mine)]
    if limit.quantity == "total":
        return [_total(limit, part, mine)]
    values, spread = _column(part, limit.column, limit.unit)
    return [_Value(float(values[k]), float(spread[k]), (k,)) for k in numbers]


def _chosen(limit: Limit, part: MeasuredPart) -> NDArray[np.int64]:
    kept = np.ones(len(part.classes), dtype=bool)
    if limit.class_name is not None:
        kept &= np.array([name == limit.class_name for name in part.classes], dtype=bool)
    for condition in limit.where:
        kept &= _holds(condition, part)
    if limit.zone is not None and kept.any():
        kept &= _within(limit.zone, part)
    return np.flatnonzero(kept)


def _holds(condition: Condition, part: MeasuredPart) -> NDArray[np.bool_]:
    values, _ = _column(part, condition.column, condition.unit)
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    return np.asarray(compare[condition.comparison](values, condition.value), dtype=bool)


def _within(zone: Zone, part: MeasuredPart) -> NDArray[np.bool_]:
    """A defect is in a zone where its centroid or any point of its contour is."""
    factor = 1.0
    if zone.unit == "mm":
        factor = _scale(part, f"the zone {zone.name!r}")
    kept = inside(zone, part.places * factor)
    if part.outlines is not None:
        for place, outline in enumerate(part.outlines):
            kept[place] |= bool(inside(zone, outline * factor).any())
    return kept


def _column(part: MeasuredPart, name: str, unit: str) -> tuple[Floats, Floats]:
    """A column in a unit, and its standard uncertainty; without defects an empty one does."""
    if not part.classes:
        return np.empty(0), np.empty(0)
    full = f"{name}_{unit}" if unit in ("mm", "mm2") else name
    if full not in part.columns:
        if unit in ("mm", "mm2"):
            _scale(part, f"{name} in {unit}")
        raise _CannotJudgeError(f"the column {full!r} was not measured")
    values = np.asarray(part.columns[full], dtype=np.float64)
    endless = np.isinf(values) & (name != "nearest_distance")  # which is so for a lonely defect
    if (np.isnan(values) | endless).any():
        raise _CannotJudgeError(f"the column {full!r} has empty places")
    spread = np.asarray(part.columns.get(f"{full}_u", np.zeros(len(values))), dtype=np.float64)
    return values, np.nan_to_num(spread)


def _scale(part: MeasuredPart, what: str) -> float:
    if part.mm_per_px is None or not part.mm_per_px > 0:
        raise _CannotJudgeError(f"{what} needs a scale in mm/px, and the part has none")
    return part.mm_per_px


def _surface(limit: Limit, part: MeasuredPart) -> float:
    """Area of the zone or else of the picture, in the unit of the density."""
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


def _spacing(limit: Limit, part: MeasuredPart, mine: NDArray[np.int64]) -> list[_Value]:
    """The smallest distance between the centroids of two of the defects."""
    if len(mine) < 2:
        return []
    factor = _scale(part, "a spacing in mm") if limit.unit == "mm" else 1.0
    places = part.places[mine]
    best, pair = inf, (0, 0)
    for k in range(len(places) - 1):
        apart = np.hypot(*(places[k + 1 :] - places[k]).T)
        nearest = int(apart.argmin())
        if apart[nearest] < best:
            best, pair = float(apart[nearest]), (int(mine[k]), int(mine[k + 1 + nearest]))
    return [_Value(best * factor, 0.0, pair)]


def _total(limit: Limit, part: MeasuredPart, mine: NDArray[np.int64]) -> _Value:
    """The sum of a column; uncertainties of one scale and one edge rule add up, they do not cancel."""
    numbers = tuple(mine.tolist())
    if limit.unit == "%":
        zone = limit.zone
        unit = "mm2" if zone is not None and zone.unit == "mm" else "px2"
        surface = area(zone) if zone is not None else float(part.size[0] * part.size[1])
        values, spread = _column(part, limit.column, unit)
        share = 100 / surface if surface else inf
        return _Value(float(values[mine].sum()) * share, float(spread[mine].sum()) * share, numbers)
    values, spread = _column(part, limit.column, limit.unit)
    return _Value(float(values[mine].sum()), float(spread[mine].sum()), numbers)


def _score(limit: Limit, part: MeasuredPart, mine: NDArray[np.int64]) -> _Value:
    value = spread = 0.0
    for (name, column), weight in limit.weights.items():
        of_class = np.array([k for k in mine.tolist() if part.classes[k] == name], dtype=np.int64)
        if column == "count":
            value += weight * len(of_class)
            continue
        unit = "1"
        if BY_NAME[column].unit in ("px", "px2") and limit.unit == "mm":
            unit = "mm" if BY_NAME[column].unit == "px" else "mm2"
        values, uncertain = _column(part, column, unit)
        value += weight * float(values[of_class].sum())
        spread += abs(weight) * float(uncertain[of_class].sum())
    return _Value(value, spread, tuple(mine.tolist()))
