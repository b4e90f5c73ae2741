"""What a ranking says: the pictures in order, why, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import auroc, found_within
from flawline.types import EMPTY, Sample, Unjudged


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a picture is odd: words, the column or place it speaks of, and its share of the score, 0 to 1."""

    text: str
    about: str
    share: float


@dataclass(frozen=True, slots=True)
class RankedPicture:
    """One place of the ranking; rank 1 is the oddest.

    `reasons` of the top places are in falling order; those of a forest name every field that played a part, and their
    shares sum to 1.
    """

    rank: int
    sample: Sample
    score: float
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The outcome of ranking one source.

    `pictures` are in order of rank. `heat_maps` holds, for the top pictures, float32 (h, w) maps of where they are odd
    in the unit of the score, by sample name; empty for methods without a place. `settings` is all that decides
    the result: method, seed, backbone and its hash, features, versions. `warnings` is what must be known to read
    it, `notes` what was lost or chosen when a picture was decoded, by name.
    """

    source: str
    pictures: tuple[RankedPicture, ...]
    unjudged: tuple[Unjudged, ...]
    settings: Mapping[str, Any]
    labels: Mapping[str, bool | None] = field(default_factory=lambda: EMPTY)
    heat_maps: Mapping[str, NDArray[np.float32]] = field(default_factory=lambda: EMPTY)
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMPTY)


def in_order(
    samples: Sequence[Sample],
    scores: NDArray[np.float64],
    reasons: Mapping[int, tuple[Reason, ...]],
) -> tuple[RankedPicture, ...]:
    """Samples by falling score; equal scores by name, so that the order never depends on the source's order."""
    order = sorted(range(len(samples)), key=lambda i: (-scores[i], samples[i].name))
    return tuple(
        RankedPicture(place + 1, samples[i], float(scores[i]), reasons.get(i, ()))
        for place, i in enumerate(order)
    )


@dataclass(frozen=True, slots=True)
class RankingRecall:
    """How early a ranking finds the parts that are known to be bad.

    `found[k]` bad parts lie within the first k + 1 places, among the `judged` pictures whose label says good or bad.
    """

    defective: int
    judged: int
    found: tuple[int, ...]
    auroc: float

    @property
    def all_within(self) -> int:
        """The number of places that hold every bad part."""
        return self.found.index(self.defective) + 1

    @property
    def sentence(self) -> str:
        """As a person would say it: "6 of 6 defective within the top 7"."""
        text = f"{self.defective} of {self.defective} defective within the top {self.all_within}"
        near = self.defective + 1
        if self.all_within > near:
            text += f"; {self.found[near - 1]} of {self.defective} within the top {near}"
        return text


def recall(ranking: Ranking) -> RankingRecall | None:
    """The recall of a ranking whose labels say good and bad; None where they do not.

    Pictures without a meaning take their places in the ranking and count as not bad.
    """
    flags = [picture.sample.defective for picture in ranking.pictures]
    known = [flag for flag in flags if flag is not None]
    if not any(known) or all(known):
        return None
    scores = [p.score for p in ranking.pictures if p.sample.defective is not None]
    return RankingRecall(
        defective=sum(known),
        judged=len(known),
        found=tuple(int(n) for n in found_within([bool(flag) for flag in flags])),
        auroc=auroc(known, scores),
    )
