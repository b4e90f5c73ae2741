"""Compute what a recipe finds from defects of known size and contrast that were drawn into good pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flawline.core.metrics import Share
from flawline.core.pod import Pod, fit_pod

USUAL = 0.2
"""The contrast of which the sentence speaks, a share of the full range of grey levels."""
WANTED = 0.9


@dataclass(frozen=True, slots=True)
class DrawnTrial:
    """One defect drawn into a good picture, and what became of it.

    `contrast` is signed, a share of the full range; `width` and `length` are in px of the picture; `row` and `column`,
    0 to 1, are where its middle lies in the frame of the part. `noticed`: the picture was not accepted. `found`: it was
    not accepted, and a marked place lies on the defect. `number` is its number in the plan.
    """

    number: int
    kind: str
    contrast: float
    width: float
    length: float
    picture: str
    row: float
    column: float
    noticed: bool
    found: bool


@dataclass(frozen=True, slots=True)
class SizeRate:
    """Defects of one size that were found."""

    width: float
    length: float
    found: Share


@dataclass(frozen=True, slots=True, eq=False)
class DetectionLimit:
    """The detection of defects of one kind and contrast by their width in px.

    `pod` is the fit; `reach` the width from which 90 % are found: a90 of the fit where it lies among the sizes tried,
    else the smallest size from which on all were found, None where there is none. `noticed` counts all defects whose
    pictures were not accepted, found in their place or not.
    """

    kind: str
    contrast: float
    pod: Pod
    sizes: tuple[SizeRate, ...]
    noticed: int
    reach: float | None

    @property
    def aspect(self) -> float:
        """Length over width of the largest."""
        return self.sizes[-1].length / self.sizes[-1].width

    @property
    def at_smallest(self) -> bool:
        """Whether the smallest size tried is already found."""
        return self.reach is not None and self.reach <= self.sizes[0].width


def detection_limits(trials: Sequence[DrawnTrial]) -> tuple[DetectionLimit, ...]:
    """Fit the detection of each kind and contrast, in the order in which they were first drawn."""
    groups: dict[tuple[str, float], list[DrawnTrial]] = {}
    for trial in trials:
        groups.setdefault((trial.kind, trial.contrast), []).append(trial)
    return tuple(_limit(kind, contrast, own) for (kind, contrast), own in groups.items())


def expected_rates(trials: Sequence[DrawnTrial]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Estimate for each trial how often its kind, contrast and size is found anywhere, (f + 1/2) / (n + 1)."""
    counts: dict[tuple[str, float, float], list[int]] = {}
    for trial in trials:
        of = counts.setdefault(stratum(trial), [0, 0])
        of[0] += trial.found
        of[1] += 1
    rates = {key: (found + 0.5) / (of + 1) for key, (found, of) in counts.items()}
    return np.array([rates[stratum(trial)] for trial in trials], np.float64)


def stratum(trial: DrawnTrial) -> tuple[str, float, float]:
    """Name what trials share that differ in place and picture only."""
    return trial.kind, trial.contrast, trial.width


def _limit(kind: str, contrast: float, trials: Sequence[DrawnTrial]) -> DetectionLimit:
    by_size: dict[float, list[DrawnTrial]] = {}
    for trial in trials:
        by_size.setdefault(trial.width, []).append(trial)
    sizes = tuple(
        SizeRate(width, own[0].length, Share(sum(one.found for one in own), len(own)))
        for width, own in sorted(by_size.items())
    )
    pod = fit_pod([one.width for one in trials], [one.found for one in trials])
    noticed = sum(trial.noticed for trial in trials)
    return DetectionLimit(kind, contrast, pod, sizes, noticed, _reach(pod, sizes))


def _reach(pod: Pod, sizes: Sequence[SizeRate]) -> float | None:
    if pod.a90 is not None:
        return max(pod.a90, pod.smallest) if pod.a90 <= pod.largest else None
    found = None
    for one in reversed(sizes):
        if one.found.hits < one.found.of:
            break
        found = one.width
    return found


@dataclass(frozen=True, slots=True)
class SizeAnswer:
    """Whether defects of a wanted size are found: the share of the kind found best, of those drawn at that size."""

    width: float
    contrast: float
    best: str
    found: Share

    @property
    def refuted(self) -> bool:
        """Whether the defects drawn exclude that 90 % are found, with 95 % confidence on each side."""
        return self.found.interval[1] < WANTED


def answer_for(
    limits: Sequence[DetectionLimit], width: float, names: Mapping[tuple[str, bool], str]
) -> SizeAnswer | None:
    """Answer whether defects of a width are found at the strongest contrast, by the kind found best.

    Args:
        limits: of all kinds.
        width: px of the picture, one of the sizes drawn.
        names: what kinds are called, by kind and whether they are light.

    Returns:
        The answer; None where no defect of that width was drawn.
    """
    strongest = max((abs(limit.contrast) for limit in limits), default=0.0)
    rates = [
        (size.found, limit)
        for limit in limits
        for size in limit.sizes
        if abs(limit.contrast) == strongest and size.width == width
    ]
    if not rates:
        return None
    found, limit = max(rates, key=lambda pair: pair[0].value)
    return SizeAnswer(width, strongest, names[limit.kind, limit.contrast > 0], found)
