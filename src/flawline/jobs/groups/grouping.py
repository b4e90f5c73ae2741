"""What a grouping says: which pictures belong together, how sure that is, and what a person should look at."""

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

    `correlation` is that of their aligned textures, -1 to 1; `similarity` is how much of it is more than different
    parts of this source have in common, 0 to 1. `turned` (degrees counterclockwise) and `mirrored` say how the second
    was laid over the first.
    """

    first: str
    second: str
    similarity: float
    correlation: float
    turned: float
    mirrored: bool


@dataclass(frozen=True, slots=True)
class GroupedPicture:
    """One picture and its group; `similarity` is that to `nearest`, the most alike other member, None when alone."""

    sample: Sample
    group: str
    similarity: float | None = None
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """How the suggestion compares with the groups that the source itself names, pair by pair.

    `both` pairs are together in the two, `suggested_only` and `source_only` in one; `judged` pictures carry a name.
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
    `below` those nearest to the threshold on either side, nearest first. `held_apart` are pairs above the threshold
    whose groups were not joined because the rest of them do not agree. `settings` is all that decides the result.
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
        """The groups of two or more pictures, the largest first, equal ones by name."""
        members: dict[str, list[GroupedPicture]] = {}
        for picture in self.pictures:
            members.setdefault(picture.group, []).append(picture)
        several = [tuple(group) for group in members.values() if len(group) > 1]
        return tuple(sorted(several, key=lambda group: (-len(group), group[0].group)))

    @property
    def parts(self) -> int:
        """The number of different groups, single pictures included."""
        return len({picture.group for picture in self.pictures})

    @property
    def sentence(self) -> str:
        """As a person would say it."""
        inside = sum(map(len, self.groups))
        if not inside:
            return f"No copies found among {len(self.pictures)} pictures"
        return (
            f"{inside} of {len(self.pictures)} pictures lie in {len(self.groups)} groups "
            f"of two or more; {self.parts} different parts"
        )


def agreement(pictures: tuple[GroupedPicture, ...]) -> GroupAgreement | None:
    """Compare the suggestion with the source's own groups; None where it names none.

    The adjusted Rand index after L. Hubert and P. Arabie, Journal of Classification 2, 1985, p. 198.
    """
    named = [(p.group, p.sample.group) for p in pictures if p.sample.group is not None]
    if len(named) < 2:
        return None
    counts = compare_partitions([one for one, _ in named], [str(own) for _, own in named])
    return GroupAgreement(len(named), *counts)
