"""Link pairs to groups, the most similar pair first, without chains of pairs whose ends differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flawline.jobs.groups.matching import Comparisons, Places

# Fraction of the threshold: average similarity of two groups needed before one pair may join them.
COHESION = 0.5
_SAMPLED_MEMBERS = 3


class Groups:
    """Disjoint sets of indices, each named by its smallest."""

    def __init__(self, count: int) -> None:
        self.members: dict[int, list[int]] = {place: [place] for place in range(count)}
        self._group = list(range(count))

    def of(self, place: int) -> int:
        """Return the group of an index."""
        return self._group[place]

    def join(self, one: int, other: int) -> None:
        """Join the groups of two indices."""
        first, second = sorted((self._group[one], self._group[other]))
        if first == second:
            return
        moved = self.members.pop(second)
        self.members[first] = sorted(self.members[first] + moved)
        for place in moved:
            self._group[place] = first


@dataclass(frozen=True, slots=True)
class Linked:
    """Groups, the pairs that join them, and pairs above the threshold that were not joined."""

    groups: Groups
    joined: tuple[Places, ...]
    held_apart: tuple[Places, ...]


def link(count: int, comparisons: Comparisons, threshold: float) -> Linked:
    """Join groups along compared pairs of at least `threshold`, the most alike first.

    Two groups are joined only if up to three members of each, evenly drawn, have on average at least half the
    threshold - average linkage with a sample, so that a chain of doubtful pairs does not join everything.
    """
    groups = Groups(count)
    pairs = [pair for pair in comparisons.made if comparisons.similarity(pair) >= threshold]
    joined: list[Places] = []
    refused: list[Places] = []
    for pair in sorted(pairs, key=lambda pair: (-comparisons.similarity(pair), pair)):
        one, other = map(groups.of, pair)
        if one == other:
            continue
        between = [
            (min(a, b), max(a, b))
            for a in _spread(groups.members[one])
            for b in _spread(groups.members[other])
        ]
        between = list(dict.fromkeys([pair, *between]))
        comparisons.compare(between)
        average = sum(map(comparisons.similarity, between)) / len(between)
        if average >= COHESION * threshold:
            groups.join(*pair)
            joined.append(pair)
        else:
            refused.append(pair)
    apart = tuple(pair for pair in refused if groups.of(pair[0]) != groups.of(pair[1]))
    return Linked(groups, tuple(joined), apart)


def _spread(members: Sequence[int]) -> list[int]:
    if len(members) <= _SAMPLED_MEMBERS:
        return list(members)
    return [
        members[round(step * (len(members) - 1) / (_SAMPLED_MEMBERS - 1))]
        for step in range(_SAMPLED_MEMBERS)
    ]
