"""Compare two partitions of the same items pair by pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from math import comb


def compare_partitions(
    first: Sequence[Hashable], second: Sequence[Hashable]
) -> tuple[int, int, int, float]:
    """Count pairs together in both, in the first only, in the second only, and compute the adjusted Rand index.

    The index is 1 for equal partitions and 0 on average for unrelated ones (L. Hubert and P. Arabie, "Comparing
    partitions", Journal of Classification 2, 1985, p. 198); two partitions without any pair, or with nothing but
    pairs, count as 1.

    Raises:
        ValueError: the lengths differ.
    """
    both = _pairs(zip(first, second, strict=True))
    one, other = _pairs(first), _pairs(second)
    chance = one * other / max(comb(len(first), 2), 1)
    spread = (one + other) / 2 - chance
    index = (both - chance) / spread if spread else 1.0
    return both, one - both, other - both, index


def _pairs(names: Iterable[Hashable]) -> int:
    return sum(comb(count, 2) for count in Counter(names).values())
