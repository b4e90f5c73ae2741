"""Follow defects of one part from step to step by their places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Which detections are one defect.

    `track` (N,) is the number of the defect of each detection, `first` (T,) the place of its first detection, and
    `seen` (T, S) whether it was detected after each step.
    """

    track: Numbers
    first: Numbers
    seen: NDArray[np.bool_]


def follow(part: Numbers, step: Numbers, places: Floats, tolerance: float, steps: int) -> Tracks:
    """Match the detections of each part over its steps, nearest first, each with one defect at most.

    A detection within `tolerance` of where a defect of the same part was last seen is that defect, also where it was
    not seen in between; any other one is new.

    Args:
        part: (N,) number of the part of each detection, from 0.
        step: (N,) number of the step after which it was detected, 0 to `steps` - 1.
        places: (N, 2) in the part's coordinates, any unit.
        tolerance: in the same unit, above 0.
        steps: how many there are.

    Raises:
        ValueError: the tolerance is not above 0.
    """
    if not tolerance > 0:
        raise ValueError(f"expected a tolerance above 0, got {tolerance}")
    track = np.full(len(part), -1, np.int64)
    owner, last = np.empty(0, np.int64), np.empty((0, 2))
    first = np.empty(0, np.int64)
    for number in range(steps):
        now = np.flatnonzero(step == number)
        found = match(part[now], places[now], owner, last, tolerance)
        known = found >= 0
        track[now[known]] = found[known]
        last[found[known]] = places[now[known]]
        new = now[~known]
        track[new] = len(owner) + np.arange(len(new))
        owner, last = np.append(owner, part[new]), np.concatenate([last, places[new]])
        first = np.append(first, new)
    seen = np.zeros((len(owner), steps), bool)
    seen[track, step] = True
    return Tracks(track, first, seen)


def match(
    part: Numbers, places: Floats, owner: Numbers, known: Floats, tolerance: float
) -> Numbers:
    """Return for each detection, (N,), the place of its match among the known ones, -1 for none.

    Pairs of one part within `tolerance` are taken from the nearest on; ties go to the first.
    """
    found = np.full(len(part), -1, np.int64)
    mine, theirs, away = _pairs(part, places, owner, known, tolerance)
    order = np.lexsort((theirs, mine, away))
    mine, theirs = mine[order], theirs[order]
    taken = np.zeros(len(owner), bool)
    while len(mine):
        # A pair that comes first for both of its ends is taken: the same as one pair after the other.
        places_of = np.arange(len(mine))
        lead = (_first(mine, len(part))[mine] == places_of) & (
            _first(theirs, len(owner))[theirs] == places_of
        )
        found[mine[lead]] = theirs[lead]
        taken[theirs[lead]] = True
        left = (found[mine] < 0) & ~taken[theirs]
        mine, theirs = mine[left], theirs[left]
    return found


def _first(ends: Numbers, count: int) -> Numbers:
    """Return the place of the first pair of each end."""
    first = np.zeros(count, np.int64)
    first[ends[::-1]] = np.arange(len(ends) - 1, -1, -1)
    return first


def _pairs(
    part: Numbers, places: Floats, owner: Numbers, known: Floats, tolerance: float
) -> tuple[Numbers, Numbers, Floats]:
    """List the pairs of one part within the tolerance, with their distances."""
    none = np.empty(0, np.int64)
    if not len(part) or not len(owner):
        return none, none, np.empty(0)
    # Parts far apart on a third axis: one tree for all.
    apart = 4 * tolerance
    tree = cKDTree(np.column_stack([known, owner * apart]))
    other = cKDTree(np.column_stack([places, part * apart]))
    pairs = other.sparse_distance_matrix(tree, tolerance, output_type="ndarray")
    return pairs["i"].astype(np.int64), pairs["j"].astype(np.int64), pairs["v"]


def seen_again(seen: NDArray[np.bool_]) -> tuple[int, int]:
    """Count how often a defect that was seen before and after a step was seen there too, and the occasions, (T, S)."""
    before = np.maximum.accumulate(seen, axis=1)[:, :-2]
    after = np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1][:, 2:]
    between = before & after
    return int((between & seen[:, 1:-1]).sum()), int(between.sum())
