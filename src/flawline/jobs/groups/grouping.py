"""A grouping: pictures by group, their similarity, and the pairs that a person should check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flawline.jobs.groups.partitions import compare_partitions
from flawline.types import Sample, Unjudged


@dataclass(frozen=True, slots=True)
class Pair:
    """Two compared pictures, by name.

    `correlation` is that of their aligned textures, -1 to 1; `similarity` is its excess over the likeness of different
    parts of this source, 0 to 1. `turned` (degrees counterclockwise) and `mirrored` are how the second was laid over
    the first.
    """

    first: str
    second: str
    similarity: float
    correlation: float
    turned: float
    mirrored: bool


@dataclass(frozen=True, slots=True)
class GroupedPicture:
    """One picture and its group; `similarity` to `nearest`, the most similar other member, is None when alone."""

    sample: Sample
    group: str
    similarity: float | None = None
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """Agreement of the suggestion with the groups of the source, pair by pair.

    `both` counts pairs together in the two, `suggested_only` and `source_only` in one; `judged` pictures have a group.
    """

    judged: int
    both: int
    suggested_only: int
    source_only: int
    adjusted_rand: float


@dataclass(frozen=True)
class Grouping:
    """The outcome of grouping one source.

    `pictures` are in the order of their names. `joined` are the pairs that hold groups together; `above` and
    `below` are those nearest to the threshold on either side, nearest first. `held_apart` are pairs above the threshold
    whose groups were not joined because their other members differ. `settings` determine the result.
    """

    source: str
    pictures: tuple[GroupedPicture, ...]
    joined: tuple[Pair, ...]
    above: tuple[Pair, ...]
    below: tuple[Pair, ...]
    held_apart: tuple[Pair, ...]
    unjudged: tuple[Unjudged, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    agreement: GroupAgreement | None = None

    @cached_property
    def groups(self) -> tuple[tuple[GroupedPicture, ...], ...]:
        """Groups of two or more pictures, the largest first, equal sizes by name."""
        members: dict[str, list[GroupedPicture]] = {}
        for picture in self.pictures:
            members.setdefault(picture.group, []).append(picture)
        several = [tuple(group) for group in members.values() if len(group) > 1]
        return tuple(sorted(several, key=lambda group: (-len(group), group[0].group)))

    @property
    def parts(self) -> int:
        """Number of groups, including single pictures."""
        return len({picture.group for picture in self.pictures})

    @property
    def sentence(self) -> str:
        """Summary in one sentence."""
        inside = sum(map(len, self.groups))
        if not inside:
            return f"No copies found among {len(self.pictures)} pictures"
        return (
            f"{inside} of {len(self.pictures)} pictures lie in {len(self.groups)} groups "
            f"of two or more; {self.parts} different parts"
        )


def agreement(pictures: tuple[GroupedPicture, ...]) -> GroupAgreement | None:
    """Compare the suggestion with the source's own groups; None if it has none.

    The adjusted Rand index after L. Hubert and P. Arabie, Journal of Classification 2, 1985, p. 198.
    """
    named = [(p.group, p.sample.group) for p in pictures if p.sample.group is not None]
    if len(named) < 2:
        return None
    counts = compare_partitions([one for one, _ in named], [str(own) for _, own in named])
    return GroupAgreement(len(named), *counts)
