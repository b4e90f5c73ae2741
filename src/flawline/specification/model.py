"""Specifications as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal

Unit = Literal["mm", "mm2", "px", "px2", "deg", "%", "/mm2", "/cm2", "/px2", "1"]
Quantity = Literal["each", "count", "total", "spacing", "density", "score", "p_value"]
Comparison = Literal["<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of the part, in part coordinates in `unit` ("mm" or "px").

    Either `polygon`, three or more corners (x, y), or `ring`: centre x, centre y, inner and outer radius.
    """

    name: str
    unit: Literal["mm", "px"]
    polygon: tuple[tuple[float, float], ...] = ()
    ring: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on defects: `column` compared with `value`, in `unit`."""

    column: str
    comparison: Comparison
    value: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Limit:
    """One clause.

    `text` is the clause as a sentence and `line` its line in the file. Beyond `least` or `most` a part is rejected,
    beyond `review_least` or `review_most` reviewed. `weights` are for a score: (class, column or "count") to factor.
    """

    text: str
    line: int
    quantity: Quantity
    column: str
    unit: Unit
    class_name: str | None = None
    zone: Zone | None = None
    where: tuple[Condition, ...] = ()
    least: float | None = None
    most: float | None = None
    review_least: float | None = None
    review_most: float | None = None
    weights: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec:
    """A checked specification. `guard` is the coverage factor k of the guard bands, `hash` that of the content."""

    name: str
    version: str
    guard: float
    limits: tuple[Limit, ...]
    zones: Mapping[str, Zone]
    hash: str

    @property
    def guard_probability(self) -> float:
        """Probability with which a value accepted at the edge of the guard band conforms, for one limit at risk."""
        return NormalDist().cdf(self.guard)

    @property
    def guard_text(self) -> str:
        """Describe the guard bands."""
        if self.guard == 0:
            return "no guard bands"
        return f"guard bands of k = {self.guard:.4g} ({100 * self.guard_probability:.4g} % on one side)"

    @property
    def needs_scale(self) -> bool:
        """Whether a clause or zone is in millimetres."""
        return any("mm" in unit or "cm" in unit for unit in self.units())

    def units(self) -> set[str]:
        """Collect all units in use."""
        used: set[str] = {zone.unit for zone in self.zones.values()}
        for limit in self.limits:
            used |= {limit.unit, *(condition.unit for condition in limit.where)}
        return used
