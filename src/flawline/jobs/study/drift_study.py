"""Study what drifts: the process, the camera, the light or the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.change import (
    FEWEST,
    Change,
    energy_test,
    find_change,
    holm,
    mmd_test,
)
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.inspected_parts import InspectedParts
from flawline.jobs.study.picture_signals import PictureSignals

Floats = NDArray[np.float64]
Group = Literal["light", "camera", "look", "process", "model"]
Distance = Literal["energy", "mmd"]
DISTANCES = {"energy": energy_test, "mmd": mmd_test}
"""How far the looks of two periods are apart: energy distance, or maximum mean discrepancy."""
SURE = 0.05
GROUPS: dict[str, Group] = {
    "brightness": "light",
    "warmth": "light",
    "colour": "light",
    "sharpness": "camera",
    "focus": "camera",
    "noise": "camera",
    "framing": "camera",
    "shift x": "camera",
    "shift y": "camera",
    "look": "look",
    "defects": "process",
    "score": "model",
}
"""What each signal tells of; the score is also moved by all others."""
_LOOKS = 150
_TOGETHER = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """A signal in the order of time: `values` (N,), where they are known, the change, and p allowing for all "
    "signals."""

    name: str
    group: Group
    rows: NDArray[np.int64]
    values: Floats
    change: Change
    adjusted: float

    @property
    def sure(self) -> bool:
        """Whether it moved beyond chance."""
        return self.adjusted < SURE

    @property
    def onset(self) -> tuple[int, int, int]:
        """Return the inspection at which it moved, and its interval, from 0 in the order of time."""
        at = (self.change.place, self.change.low, self.change.high)
        first, low, high = (int(self.rows[min(place, len(self.rows) - 1)]) for place in at)
        return first, low, high


@dataclass(frozen=True, slots=True, eq=False)
class DriftStudy:
    """Signals, those that moved first in front. `labels` (N,) name the inspections in the order of time.

    `cause` is what moved first: "light", "camera", "look", "process", "model", or "" where nothing did. `apart` is the
    `distance` of the features of the first and the last third, and its p; None without pictures.
    """

    inspections: int
    labels: tuple[str, ...]
    timed: bool
    signals: tuple[Signal, ...]
    apart: tuple[float, float] | None
    distance: Distance
    recipes: tuple[str, ...]
    cause: str
    notes: tuple[str, ...]

    @property
    def moved(self) -> tuple[Signal, ...]:
        """Select the signals that surely moved, in the order in which they did."""
        return tuple(
            sorted((s for s in self.signals if s.sure), key=lambda s: (s.onset[0], s.name))
        )


def study_drift(
    found: InspectedParts,
    pictures: Mapping[str, PictureSignals] | None = None,
    *,
    distance: Distance = "energy",
    seed: int = 0,
) -> DriftStudy:
    """Chart what the pictures, the scores and the defects tell apart, and say which of them moved first.

    Args:
        found: inspections; columns such as brightness, sharpness and score are signals, and the number of defects.
        pictures: signals measured of the pictures, by name.
        distance: of the looks of the first and the last third of `pictures`.
        seed: of the permutations.

    Raises:
        UsageError: an unknown distance.
        FlawlineError: fewer than 12 inspections, or nothing but their number.
    """
    if distance not in DISTANCES:
        raise UsageError(f"expected {' or '.join(DISTANCES)} for `distance`, got {distance!r}")
    times = found.times()
    timed = times is not None and bool(np.isfinite(times).any())
    order = (
        np.arange(found.count)
        if times is None
        else np.argsort(np.nan_to_num(times, nan=np.inf), kind="stable")
    )
    if found.count < FEWEST:
        raise FlawlineError(
            f"expected at least {FEWEST} inspections to see a drift in, got {found.count}",
            hint="give more of them",
            code="study-empty",
        )
    notes = list(found.notes)
    if not timed:
        notes.append("no times: the order of the rows is taken for that of time")
    raw = _signals(found, order, pictures, notes)
    changes = {name: find_change(values, seed=seed) for name, (_, values) in raw.items()}
    usable = {name: change for name, change in changes.items() if change is not None}
    if not usable:
        raise FlawlineError(
            "nothing is known of the inspections but their number",
            hint="give `pictures`, or a table with brightness, sharpness, score or defects",
            code="study-empty",
        )
    adjusted = holm(np.array([change.p for change in usable.values()]))
    signals = [
        Signal(name, GROUPS.get(name, "look"), *raw[name], change, float(p))
        for (name, change), p in zip(usable.items(), adjusted, strict=True)
    ]
    labels = _labels(found, order)
    apart = _apart(found, order, pictures, distance, seed)
    recipes = tuple(dict.fromkeys(r for r in found.columns.get("recipe", ()) if r))
    ordered = tuple(
        sorted(signals, key=lambda s: (not s.sure, s.onset[0] if s.sure else 0, s.name))
    )
    study = DriftStudy(
        found.count, labels, timed, ordered, apart, distance, recipes, "", tuple(notes)
    )
    return replace(study, cause=cause_of(study.moved, found.count))


def cause_of(moved: tuple[Signal, ...], inspections: int = 0) -> str:
    """Name what moved first; of what may have moved at the same time, the nearest to the picture's origin.

    Light and camera come before the process, which comes before the look and the model: a dim lamp makes other
    scores and
    other defects, and not the other way round.
    """
    if not moved:
        return ""
    # What begins within a twentieth of the run of each other is taken as one.
    earliest = min(signal.onset[2] for signal in moved) + _TOGETHER * inspections
    together = [signal for signal in moved if signal.onset[1] <= earliest]
    groups = {signal.group for signal in together}
    return next(name for name in ("camera", "light", "process", "look", "model") if name in groups)


def _signals(
    found: InspectedParts,
    order: NDArray[np.int64],
    pictures: Mapping[str, PictureSignals] | None,
    notes: list[str],
) -> dict[str, tuple[NDArray[np.int64], Floats]]:
    """Gather the signals in the order of time, each with the places in that order where it is known."""
    gathered: dict[str, Floats] = {}
    for name in GROUPS:
        cells = found.columns.get(name)
        if cells is not None:
            gathered[name] = np.array([_number(cell) for cell in cells])
    if found.complete:
        gathered["defects"] = np.bincount(found.owner, minlength=found.count).astype(np.float64)
    if pictures is not None:
        seen = [
            pictures.get(name or "") or pictures.get((name or "").rpartition("/")[2])
            for name in found.columns["image"]
        ]
        lost = sum(one is None for one in seen)
        if lost:
            notes.append(f"{lost} inspections have no picture among those given")
        names = next((list(one.values) for one in seen if one is not None), [])
        for name in names:
            gathered[name] = np.array([np.nan if one is None else one.values[name] for one in seen])
        gathered["look"] = _looks(seen, order)
    signals = {}
    for name, values in gathered.items():
        known = np.flatnonzero(np.isfinite(values[order]))
        if len(known) and np.ptp(values[order][known]) > 0:
            signals[name] = known, values[order][known]
    return signals


def _looks(seen: list[PictureSignals | None], order: NDArray[np.int64]) -> Floats:
    """Return how far each picture looks from the mean of the first third."""
    known = [k for k in order if seen[k] is not None]
    distance = np.full(len(seen), np.nan)
    if len(known) < FEWEST:
        return distance
    looks = np.stack([one.look for k in known if (one := seen[k]) is not None])
    usual = looks[: len(looks) // 3].mean(axis=0)
    distance[known] = np.linalg.norm(looks - usual, axis=1)
    return distance


def _apart(
    found: InspectedParts,
    order: NDArray[np.int64],
    pictures: Mapping[str, PictureSignals] | None,
    distance: Distance,
    seed: int,
) -> tuple[float, float] | None:
    if pictures is None:
        return None
    names = found.columns["image"]
    looks = [
        pictures.get(names[k] or "") or pictures.get((names[k] or "").rpartition("/")[2])
        for k in order
    ]
    known = (
        np.stack([one.look for one in looks if one is not None]) if any(looks) else np.empty((0, 1))
    )
    third = len(known) // 3
    if third < FEWEST // 3:
        return None
    thinned = [
        part[np.linspace(0, third - 1, min(third, _LOOKS)).astype(int)]
        for part in (known[:third], known[-third:])
    ]
    return DISTANCES[distance](*thinned, seed=seed)


def _labels(found: InspectedParts, order: NDArray[np.int64]) -> tuple[str, ...]:
    times = next(
        (
            found.columns[n]
            for n in ("captured", "time", "timestamp")
            if any(found.columns.get(n, ()))
        ),
        None,
    )
    return tuple(
        (times[k] or "")[:16].replace("T", " ") if times else str(place + 1)
        for place, k in enumerate(order)
    )


def _number(cell: str | None) -> float:
    try:
        value = float(cell or "nan")
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan
