"""Values of a capability study: specification, indices, parts per million outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from flawline.core.spc.transforms import Transform
from flawline.errors import UsageError


@dataclass(frozen=True, slots=True)
class SpecLimits:
    """Specification limits and target in units of the measure; one of the limits may be missing.

    Raises:
        UsageError: no limit, limits the wrong way round or not finite, or a target outside them.
    """

    lower: float | None = None
    upper: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        """Refuse a specification without limits, or with limits that contradict each other."""
        given = [edge for edge in (self.lower, self.upper, self.target) if edge is not None]
        if self.lower is None and self.upper is None:
            raise UsageError(
                "capability needs a specification limit, got none", hint="give `lsl`, `usl` or both"
            )
        if not all(np.isfinite(given)):
            raise UsageError(f"specification limits must be finite, got {given}")
        low = -np.inf if self.lower is None else self.lower
        high = np.inf if self.upper is None else self.upper
        if low >= high:
            raise UsageError(
                f"the lower specification limit {low:g} must be below the upper one {high:g}"
            )
        if self.target is not None and not low <= self.target <= high:
            raise UsageError(f"the target {self.target:g} lies outside the specification")


@dataclass(frozen=True, slots=True)
class Index:
    """A capability index and its two-sided interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outside:
    """Parts per million below the lower and above the upper specification limit; None where there is no limit."""

    below: float | None
    above: float | None

    @property
    def total(self) -> float:
        """Parts per million outside."""
        return (self.below or 0.0) + (self.above or 0.0)


@dataclass(frozen=True, slots=True)
class Capability:
    """A capability study.

    `indices` are by name: "Cp", "Cpk", "Cpl", "Cpu" from sigma within subgroups, "Pp", "Ppk", "Ppl", "Ppu" from the
    standard deviation of all values, "Cpm" where a target was given. What does not exist for a one-sided specification
    is left out. Under a transform only the overall indices are given and `expected_within` is None; `centre` and
    `scale` are mean and deviation of the transformed values. `within` names the estimator of sigma within, "none" under
    a transform.
    """

    count: int
    mean: float
    sigma_within: float | None
    within: str
    sigma_overall: float
    centre: float
    scale: float
    spec: SpecLimits
    transform: Transform
    confidence: float
    indices: Mapping[str, Index]
    observed: Outside
    expected_overall: Outside
    expected_within: Outside | None
    notes: tuple[str, ...]


def expected_outside(spec: SpecLimits, score: Callable[[float], float]) -> Outside:
    below = None if spec.lower is None else 1e6 * float(ndtr(score(spec.lower)))
    above = None if spec.upper is None else 1e6 * float(ndtr(-score(spec.upper)))
    return Outside(below, above)


def observed_outside(x: NDArray[np.float64], spec: SpecLimits) -> Outside:
    below = None if spec.lower is None else 1e6 * float((x < spec.lower).mean())
    above = None if spec.upper is None else 1e6 * float((x > spec.upper).mean())
    return Outside(below, above)


def study_notes(count: int, spec: SpecLimits) -> tuple[str, ...]:
    notes = []
    if spec.lower is None or spec.upper is None:
        notes.append(
            "the specification is one-sided: Cp and Pp, which need both limits, do not exist"
        )
    if count < 30:
        notes.append(f"{count} values are few: the intervals are approximate and wide")
    return tuple(notes)
