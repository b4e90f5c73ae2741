"""A ranking: the pictures in order, the reasons, and what could not be judged."""

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
    """Reason for a score: text, the column or place it refers to, and its share of the score, 0 to 1."""

    text: str
    about: str
    share: float


@dataclass(frozen=True, slots=True)
class RankedPicture:
    """One place of the ranking; rank 1 is the most anomalous.

    `reasons` of the top places are in falling order; those of a forest name every contributing field, and their
    shares sum to 1.
    """

    rank: int
    sample: Sample
    score: float
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The outcome of ranking one source.

    `pictures` are in order of rank. `heat_maps` holds, for the top pictures, float32 (h, w) anomaly maps in the unit of
    the score, by sample name; empty for methods without a place. `settings` determine the result: method, seed,
    backbone and its hash, features, versions. `warnings` limit how the result can be used, `notes` report what was
    lost or chosen when a picture was decoded, by name.
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
    """Sort samples by falling score; equal scores by name, so that the order of the source does not matter."""
    order = sorted(range(len(samples)), key=lambda i: (-scores[i], samples[i].name))
    return tuple(
        RankedPicture(place + 1, samples[i], float(scores[i]), reasons.get(i, ()))
        for place, i in enumerate(order)
    )


@dataclass(frozen=True, slots=True)
class RankingRecall:
    """How early a ranking finds the known bad parts.

    `found[k]` bad parts are within the first k + 1 places; `judged` pictures have a label that means good or bad.
    """

    defective: int
    judged: int
    found: tuple[int, ...]
    auroc: float

    @property
    def all_within(self) -> int:
        """Number of places that include every bad part."""
        return self.found.index(self.defective) + 1

    @property
    def sentence(self) -> str:
        """Summary, such as "6 of 6 defective within the top 7"."""
        text = f"{self.defective} of {self.defective} defective within the top {self.all_within}"
        near = self.defective + 1
        if self.all_within > near:
            text += f"; {self.found[near - 1]} of {self.defective} within the top {near}"
        return text


def recall(ranking: Ranking) -> RankingRecall | None:
    """Evaluate a ranking whose labels mean good and bad; None if they do not.

    Pictures of unknown meaning stay in the ranking and count as not bad.
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
