"""Power of the studies of causes to find a planted cause, and false findings where there is none, with their times.

`python benchmarks/studies.py --curve` prints the table of docs/how-to/find-causes.md: for each study a line per effect
and number of parts, with how often the planted cause was found first, and how often anything was. "none" gives
the share of false findings. Before it come the seconds for 1 million defects by place, and for 100,000 parts followed
over 5 steps. Needs no data.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from flawline.core.intervals import clopper_pearson
from flawline.jobs.study.drift_study import study_drift
from flawline.jobs.study.factors_study import study_factors
from flawline.jobs.study.inspected_parts import InspectedParts
from flawline.jobs.study.location_study import study_location
from flawline.jobs.study.steps_study import study_steps

SIDE = 320.0
STEPS = ("1", "2", "3", "4")
Outcome = tuple[bool, bool]
"""Whether anything was found, and whether the first finding is what was planted."""


def inspected(columns: dict[str, list[str]], owner, places=None) -> InspectedParts:
    owner = np.asarray(owner, np.int64)
    count = len(owner)
    return InspectedParts(
        columns={name: tuple(cells) for name, cells in columns.items()},
        owner=owner,
        classes=("spot",),
        kind=np.zeros(count, np.int64),
        places=np.full((count, 2), np.nan) if places is None else places,
        sizes=np.full(count, np.nan),
        part="part",
        complete=True,
        extent=(0.0, 0.0, SIDE, SIDE),
    )


def line(rng: np.random.Generator, parts: int, rates, missed: float = 0.02) -> InspectedParts:
    """Parts followed over steps that each add Poisson defects, seen 1 px elsewhere each time, 2 in 100 missed."""
    steps = len(rates)
    part, born = np.nonzero(np.ones((parts, steps)))
    counts = rng.poisson(np.asarray(rates)[born])
    part, born = np.repeat(part, counts), np.repeat(born, counts)
    at = rng.uniform(0, SIDE, (len(part), 2))
    owner, places = [], []
    for step in range(steps):
        seen = (born <= step) & (rng.random(len(part)) >= missed)
        owner.append(part[seen] * steps + step)
        places.append(at[seen] + rng.normal(0, 1, (int(seen.sum()), 2)))
    names = [f"p{k}" for k in range(parts) for _ in range(steps)]
    columns = {"part": names, "step": [str(k + 1) for _ in range(parts) for k in range(steps)]}
    return inspected(columns, np.concatenate(owner), np.concatenate(places).clip(0, SIDE))


def steps(rng: np.random.Generator, parts: int, effect: float) -> Outcome:
    """Four steps add 0.5 defects a part each; step 3 `effect` times as many."""
    found = study_steps(
        line(rng, parts, [0.5, 0.5, 0.5 * effect, 0.5]), seed=int(rng.integers(2**31))
    )
    sure = sorted((one.p, one.step) for one in found.effects[0] if one.p < 0.05)
    return bool(sure), bool(sure) and sure[0][1] == 2


def factors(rng: np.random.Generator, parts: int, effect: float) -> Outcome:
    """Negative binomial counts of mean 1 (dispersion 0.5); parts of one of three tools have `effect` times as many."""
    tool, shift, lot = (rng.integers(0, levels, parts) for levels in (3, 3, 6))
    means = np.where(tool == 1, effect, 1.0)
    counts = rng.negative_binomial(2, 2 / (2 + means))
    columns = {
        "part": [f"p{k}" for k in range(parts)],
        **{
            name: [str(v) for v in values]
            for name, values in (("tool", tool), ("shift", shift), ("lot", lot))
        },
    }
    found = study_factors(
        inspected(columns, np.repeat(np.arange(parts), counts)), seed=int(rng.integers(2**31))
    )
    sure = found.sure
    right = bool(sure) and sure[0].factor == "tool" and sure[0].levels[sure[0].effect.worst] == "1"
    return bool(sure), right


def location(rng: np.random.Generator, parts: int, effect: float) -> Outcome:
    """Two defects a part anywhere; a share of `effect` of the parts has one more at one place, 2 px around it."""
    owner = np.repeat(np.arange(parts), rng.poisson(2, parts))
    places = rng.uniform(0, SIDE, (len(owner), 2))
    held = np.flatnonzero(rng.random(parts) < effect)
    spot = rng.uniform(30, SIDE - 30, 2)
    places = np.concatenate([places, rng.normal(spot, 2, (len(held), 2))])
    columns = {"part": [f"p{k}" for k in range(parts)]}
    found = study_location(
        inspected(columns, np.concatenate([owner, held]), places), seed=int(rng.integers(2**31))
    )
    sure = found.sure
    near = bool(sure) and float(np.hypot(sure[0].x - spot[0], sure[0].y - spot[1])) < 15
    return bool(sure), near


def place_in_time(rng: np.random.Generator, parts: int, effect: float) -> Outcome:
    """Two defects a part anywhere, in 10 days; of the last 4, a share of `effect` has one more at one place."""
    day = np.arange(parts) * 10 // parts
    owner = np.repeat(np.arange(parts), rng.poisson(2, parts))
    places = rng.uniform(0, SIDE, (len(owner), 2))
    held = np.flatnonzero((rng.random(parts) < effect) & (day >= 6))
    spot = rng.uniform(30, SIDE - 30, 2)
    places = np.concatenate([places, rng.normal(spot, 2, (len(held), 2))])
    columns = {
        "part": [f"p{k}" for k in range(parts)],
        "captured": [f"2026-03-{one + 1:02d}T08:00:00" for one in day],
    }
    found = study_location(
        inspected(columns, np.concatenate([owner, held]), places),
        split=["time"],
        seed=int(rng.integers(2**31)),
    )
    sure = [one for one in found.splits[0].places if one.p < 0.05]
    near = bool(sure) and float(np.hypot(sure[0].x - spot[0], sure[0].y - spot[1])) < 15
    return bool(sure), near and sure[0].spot.first in (5, 6, 7)


def drift(rng: np.random.Generator, parts: int, effect: float) -> Outcome:
    """Brightness, sharpness, noise, defects; brightness steps by `effect` sigmas after 60 % of the parts."""
    bright = rng.normal(100, 1, parts)
    first = int(0.6 * parts)
    bright[first:] += effect
    columns = {
        "part": [f"p{k}" for k in range(parts)],
        "brightness": [f"{v:.6f}" for v in bright],
        "sharpness": [f"{v:.6f}" for v in rng.normal(1, 0.1, parts)],
        "noise": [f"{v:.6f}" for v in rng.normal(2, 0.2, parts)],
    }
    owner = np.repeat(np.arange(parts), rng.poisson(1.0, parts))
    found = study_drift(inspected(columns, owner), seed=int(rng.integers(2**31)))
    moved = found.moved
    return bool(moved), bool(moved) and moved[0].name == "brightness"


# Study, effects (the first is none, the second the stated one), parts (the first is the stated number).
PLAN: dict[str, tuple[Callable[..., Outcome], tuple[float, ...], tuple[int, ...], str]] = {
    "steps": (steps, (1.0, 2.0, 1.5, 3.0), (60, 30, 120), "times as many"),
    "factors": (factors, (1.0, 2.0, 1.5, 3.0), (200, 100, 400), "times as many"),
    "location": (location, (0.0, 0.1, 0.05, 0.2), (100, 50, 200), "of the parts"),
    "place-in-time": (place_in_time, (0.0, 0.3, 0.2, 0.5), (100, 50, 200), "of the late parts"),
    "drift": (drift, (0.0, 1.0, 0.5, 2.0), (120, 60, 240), "standard deviations"),
}


def simulate(name: str, parts: int, effect: float, count: int, seed: int) -> str:
    function, _, _, unit = PLAN[name]
    rng = np.random.default_rng([seed, len(name), parts, round(100 * effect)])
    began = time.perf_counter()
    outcomes = [function(rng, parts, effect) for _ in range(count)]
    took = (time.perf_counter() - began) / count
    any_, right = (sum(one[k] for one in outcomes) for k in (0, 1))
    none = effect == PLAN[name][1][0]
    what = "none" if none else f"{effect:g} {unit}"
    told = any_ if none else right
    low, high = clopper_pearson(told, count)
    kind = "false" if none else "found first"
    return (
        f"| {name} | {what} | {parts} | {kind} {told}/{count} = {told / count:.3f} ({low:.3f} to {high:.3f}) | "
        f"{any_}/{count} | {took:.2f} s |"
    )


def timings() -> None:
    rng = np.random.default_rng(0)
    count = 1_000_000
    parts = 100_000
    columns = {"part": [f"p{k}" for k in range(parts)], "tool": [str(k % 5) for k in range(parts)]}
    owner = rng.integers(0, parts, count)
    found = inspected(columns, owner, rng.uniform(0, SIDE, (count, 2)))
    began = time.perf_counter(), time.process_time()
    study_location(found)
    print(f"location, 1 million defects of 100,000 parts: {_took(began)}")
    found = line(rng, parts, [0.2, 0.2, 0.4, 0.2, 0.2])
    began = time.perf_counter(), time.process_time()
    study_steps(found)
    print(f"steps, 100,000 parts x 5 steps, {len(found.owner)} defects seen: {_took(began)}")


def _took(began: tuple[float, float]) -> str:
    wall, used = time.perf_counter() - began[0], time.process_time() - began[1]
    return f"{wall:.1f} s, {used:.1f} s of processors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--studies", nargs="+", default=list(PLAN), choices=list(PLAN))
    parser.add_argument(
        "--curve", action="store_true", help="other effects and numbers of parts too"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    timings()
    print("| study | planted | parts | share (95 % interval) | anything found | each |")
    print("|---|---|---|---|---|---|")
    for name in given.studies:
        _, effects, sizes, _ = PLAN[name]
        cases = [(sizes[0], effect) for effect in effects[:2]]
        if given.curve:
            cases += [(sizes[0], effect) for effect in effects[2:]]
            cases += [(size, effects[1]) for size in sizes[1:]]
        for parts, effect in cases:
            print(simulate(name, parts, effect, given.simulations, given.seed), flush=True)


if __name__ == "__main__":
    main()
