"""Compare pairs of pictures, and choose the pairs worth comparing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np

from flawline.data.cores import cpu_count
from flawline.jobs.groups.near_search import dihedral_variants, nearest, whitened
from flawline.jobs.groups.signature import Signature
from flawline.jobs.groups.similarity import MapShift, align, chance_corrected

Places = tuple[int, int]

_SAMPLED = 200
_FEWEST = 20
_ALL_PAIRS = 64
_MOST_ALIKE = 0.9
_SAME_SCALE = 0.01
_LARGEST_SCALE = 1.5
_IDENTICAL = MapShift(1.0, 0.0, False)
_NOTHING_TO_COMPARE = MapShift(0.0, 0.0, False)


class Comparisons:
    """Comparisons by the indices (smaller, larger) of the two pictures; none is made twice."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self._signatures = signatures
        self.made: dict[Places, MapShift] = {}
        self.likeness = 0.0

    def compare(self, pairs: Iterable[Places]) -> None:
        """Compare pairs on all cores."""
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self.made]
        with ThreadPoolExecutor(cpu_count()) as pool:
            self.made.update(zip(new, pool.map(self._one, new), strict=True))

    def similarity(self, pair: Places) -> float:
        """Return the similarity of a compared pair beyond the likeness of different parts, 0 to 1."""
        return chance_corrected(self.made[pair].correlation, self.likeness)

    def measure_likeness(self) -> None:
        """Set `likeness`: the median correlation of pairs drawn at random, which are nearly always different parts.

        It stays 0 below 20 pictures, which are too few, and is at most 0.9, so that a source of mostly copies still
        has groups.
        """
        count = len(self._signatures)
        if count < _FEWEST:
            return
        rng = np.random.default_rng(0)
        drawn = [
            sorted(rng.choice(count, 2, replace=False).tolist())
            for _ in range(min(_SAMPLED, 4 * count))
        ]
        pairs = [(one, other) for one, other in drawn]
        self.compare(pairs)
        middle = float(np.median([self.made[pair].correlation for pair in pairs]))
        self.likeness = min(max(middle, 0.0), _MOST_ALIKE)

    def _one(self, pair: Places) -> MapShift:
        first, second = (self._signatures[place] for place in pair)
        if first.digest == second.digest:
            return _IDENTICAL
        if first.flat or second.flat:
            return _NOTHING_TO_COMPARE
        return align(first.texture, second.texture, _scales(first, second))


def _scales(first: Signature, second: Signature) -> tuple[float, ...]:
    """List scales to try: the same picture at another size, and for other crops the same pixels per millimetre."""
    ratio = (max(first.steps.shape) / first.longer_side) / (
        max(second.steps.shape) / second.longer_side
    )
    if abs(ratio - 1) < _SAME_SCALE or not 1 / _LARGEST_SCALE < ratio < _LARGEST_SCALE:
        return (1.0,)
    return (1.0, ratio)


def candidates(signatures: Sequence[Signature], neighbours: int) -> list[Places]:
    """List the pairs worth comparing, the likeliest first: equal pixels, then nearest neighbours by either descriptor.

    Each picture adds `neighbours` pairs by the turn-free descriptor and half as many by layout.
    """
    count = len(signatures)
    same: dict[bytes, int] = {}
    pairs = [
        (first, place)
        for place, one in enumerate(signatures)
        if (first := same.setdefault(one.digest, place)) != place
    ]
    if count <= max(_ALL_PAIRS, 2 * neighbours):
        return list(dict.fromkeys([*pairs, *combinations(range(count), 2)]))
    turn_free = whitened(np.stack([one.turn_free for one in signatures]))
    grids = np.stack([one.grid for one in signatures])
    by_turn = nearest([turn_free], turn_free, neighbours)
    by_layout = nearest(dihedral_variants(grids), grids, neighbours // 2)
    for rank in range(neighbours):
        columns = [by_layout[:, rank]] if rank < neighbours // 2 else []
        for column in (*columns, by_turn[:, rank]):
            pairs += [
                (min(one, int(other)), max(one, int(other))) for one, other in enumerate(column)
            ]
    return list(dict.fromkeys(pairs))
