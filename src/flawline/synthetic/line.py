"""A line with known causes of defects: parts through steps, tools, lots and shifts, inspected after each step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError

SIDE = 320
"""Side of a part and of its pictures, px."""
STEPS = ("casting", "machining", "plating", "packing")
CLASSES = ("pit", "scratch", "stain", "dent")
CAUSES = {
    "gripper": "gripper G2 of the packing scratches 6 of 10 of its parts at one place, 232 by 88 px",
    "bath": "the plating bath stains more each day: 0.35 a part after it is changed on Monday, 0.3 more each day",
    "tool": "tool M2 of the machining makes four times as many dents as M1, and runs on Mondays alone",
    "camera": "the camera fades from the middle of the run on, to 70 % of its brightness and half of its sharpness",
}
"""The causes that can be planted, each in words."""
TOOLS = {
    "casting": ("C1", "C2"),
    "machining": ("M1", "M2"),
    "plating": ("P1",),
    "packing": ("G1", "G2"),
}
GRIPPER = (232.0, 88.0)
_SHIFTS = ("early", "late", "night")
_OPERATORS = ("Ada", "Bo", "Cem", "Dot")
_START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
_MOST = 1_000_000
# Defects a part of each class that each step adds without any cause.
_RATES = {
    "casting": {"pit": 0.5},
    "machining": {"scratch": 0.25, "dent": 0.2},
    "plating": {"stain": 0.35},
    "packing": {"scratch": 0.2},
}
# Medians of areas, px.
_AREAS = {"pit": 30.0, "scratch": 90.0, "stain": 160.0, "dent": 60.0}
_MISSED, _MOVED, _PARTS_PER_LOT = 0.02, 0.8, 20


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Settings of a line: how many parts, on how many days, which causes, and the seed.

    Raises:
        UsageError: a number out of range, or an unknown cause.
    """

    parts: int = 400
    days: int = 10
    causes: tuple[str, ...] = tuple(CAUSES)
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no line."""
        if not (1 <= self.parts <= _MOST and 1 <= self.days <= 365 and self.seed >= 0):
            raise UsageError(
                f"expected 1 to {_MOST} parts, 1 to 365 days and a seed of 0 or more, got {self.parts}, "
                f"{self.days} and "
                f"{self.seed}"
            )
        for name in self.causes:
            if name not in CAUSES:
                raise UsageError(
                    f"expected causes of {', '.join(CAUSES)}, got {name!r}",
                    hint="`causes` takes names separated by commas, or none",
                )


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The inspections of a line, (N,) = parts times steps in the order of time of each part, and what each shows.

    `part`, `step` (places in `STEPS`), `tool`, `lot`, `shift`, `operator` and `captured` are of each inspection;
    `light`
    and `sharpness` are those of the camera, 1 for a new one. Defects: `owner` (D,) is the inspection, `kind` the
    place in
    `CLASSES`, `places` (D, 2) px, `areas` px, `born` the number of the defect itself, by which its pictures match.
    """

    settings: LineSettings
    part: NDArray[np.int64]
    step: NDArray[np.int64]
    tool: tuple[str, ...]
    lot: tuple[str, ...]
    shift: tuple[str, ...]
    operator: tuple[str, ...]
    captured: tuple[datetime, ...]
    light: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    owner: NDArray[np.int64]
    kind: NDArray[np.int64]
    places: NDArray[np.float64]
    areas: NDArray[np.float64]
    born: NDArray[np.int64]


def draw_line(settings: LineSettings) -> Line:
    """Draw the parts of a line and their defects; the same settings give the same line."""
    rng = np.random.default_rng([settings.seed, 7])
    parts, steps = settings.parts, len(STEPS)
    at = [_START + timedelta(seconds=int(second)) for second in _seconds(settings)]
    tools = _tools(settings, rng, at)
    born = _born(settings, rng, at, tools)
    part = np.repeat(np.arange(parts), steps)
    step = np.tile(np.arange(steps), parts)
    captured = tuple(at[p] + timedelta(minutes=7 * int(s)) for p, s in zip(part, step, strict=True))
    light, sharpness = _camera(settings, rng, part)
    owner, of = _inspected(rng, born, steps)
    shifts = [_SHIFTS[(time.hour - 6) % 24 // 8] for time in at]
    return Line(
        settings,
        part,
        step,
        tuple(tools[STEPS[s]][p] for p, s in zip(part, step, strict=True)),
        tuple(f"L{p // _PARTS_PER_LOT + 1:03d}" for p in part),
        tuple(shifts[p] for p in part),
        tuple(
            _OPERATORS[int(o)] for o in np.repeat(rng.integers(0, len(_OPERATORS), parts), steps)
        ),
        captured,
        light,
        sharpness,
        owner,
        born.kind[of],
        (born.places[of] + rng.normal(0, _MOVED, (len(of), 2))).clip(0, SIDE - 1),
        np.maximum(born.areas[of] * np.exp(rng.normal(0, 0.08, len(of))), 4.0).round(),
        of,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Born:
    """Defects with their part, the step that makes them, class, place and area."""

    part: NDArray[np.int64]
    step: NDArray[np.int64]
    kind: NDArray[np.int64]
    places: NDArray[np.float64]
    areas: NDArray[np.float64]


def _seconds(settings: LineSettings) -> NDArray[np.float64]:
    """Spread the parts over the days, 24 hours each."""
    return np.asarray(
        np.floor(np.arange(settings.parts) * (settings.days * 86400.0 / settings.parts))
    )


def _tools(
    settings: LineSettings, rng: np.random.Generator, at: list[datetime]
) -> dict[str, list[str]]:
    """Choose the tool of each part at each step: by chance, but for a tool that runs on Mondays alone."""
    tools = {
        step: [names[int(k)] for k in rng.integers(0, len(names), len(at))]
        for step, names in TOOLS.items()
    }
    if "tool" in settings.causes:
        tools["machining"] = ["M2" if time.weekday() == 0 else "M1" for time in at]
    return tools


def _born(
    settings: LineSettings,
    rng: np.random.Generator,
    at: list[datetime],
    tools: dict[str, list[str]],
) -> _Born:
    """Draw the defects that each step makes, with the planted causes."""
    part: list[NDArray[np.int64]] = []
    step: list[NDArray[np.int64]] = []
    kind: list[NDArray[np.int64]] = []
    places: list[NDArray[np.float64]] = []

    def add(at_step: str, name: str, owners: NDArray[np.int64], where: NDArray[np.float64]) -> None:
        part.append(owners)
        step.append(np.full(len(owners), STEPS.index(at_step)))
        kind.append(np.full(len(owners), CLASSES.index(name)))
        places.append(where)

    for at_step, rates in _RATES.items():
        for name, rate in rates.items():
            means = np.full(len(at), rate)
            if name == "stain" and "bath" in settings.causes:
                means += 0.3 * np.array([time.weekday() for time in at])
            if name == "dent" and "tool" in settings.causes:
                means = np.where(np.array(tools[at_step]) == "M2", 4 * rate, means)
            owners = np.repeat(np.arange(len(at)), rng.poisson(means))
            add(at_step, name, owners, rng.uniform(12, SIDE - 12, (len(owners), 2)))
    if "gripper" in settings.causes:
        held = np.array(tools["packing"]) == "G2"
        owners = np.flatnonzero(held & (rng.random(len(at)) < 0.6))
        add("packing", "scratch", owners, rng.normal(GRIPPER, 2.0, (len(owners), 2)))
    kinds = np.concatenate(kind)
    areas = np.array([_AREAS[name] for name in CLASSES])[kinds] * np.exp(
        rng.normal(0, 0.5, len(kinds))
    )
    return _Born(np.concatenate(part), np.concatenate(step), kinds, np.concatenate(places), areas)


def _camera(
    settings: LineSettings, rng: np.random.Generator, part: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw light and sharpness of each picture."""
    late = np.zeros(len(part))
    if "camera" in settings.causes:
        half = settings.parts / 2
        late = np.clip((part - half) / half, 0, 1)
    light = (1 - 0.3 * late) * np.exp(rng.normal(0, 0.01, len(part)))
    return light, (1 - 0.5 * late) * np.exp(rng.normal(0, 0.01, len(part)))


def _inspected(
    rng: np.random.Generator, born: _Born, steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List which inspection sees which defect: all from its step on, but for 2 in 100."""
    owner, of = [], []
    for step in range(steps):
        there = np.flatnonzero((born.step <= step) & (rng.random(len(born.step)) >= _MISSED))
        owner.append(born.part[there] * steps + step)
        of.append(there)
    owners, seen = np.concatenate(owner), np.concatenate(of)
    order = np.lexsort((seen, owners))
    return owners[order], seen[order]
