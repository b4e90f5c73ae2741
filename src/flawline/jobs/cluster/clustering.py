"""A clustering: the pictures by cluster, and the agreement with labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flawline.types import EMPTY, Sample, Unjudged

NO_CLUSTER = 0


@dataclass(frozen=True, slots=True)
class ClusteredPicture:
    """One picture in its `cluster`, counted from 1 (0: in none).

    `distance` is Euclidean, to the cluster's centre among the standardised principal components; for a picture in no
    cluster it is the distance to the nearest centre. `rank` 1 is the most typical picture of its cluster.
    """

    sample: Sample
    cluster: int
    distance: float
    rank: int


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Agreement of clusters and labels over the `labelled` pictures; pictures in no cluster count as one cluster.

    `adjusted_rand` (L. Hubert and P. Arabie, "Comparing partitions", J. Classification 2, 1985) is 1 if they are the
    same and 0 if they agree by chance only. `mutual_information` is normalised by the mean entropy (N. X. Vinh
    et al., JMLR 11, 2010), 0 to 1, and not corrected for chance.
    """

    labelled: int
    adjusted_rand: float
    mutual_information: float


@dataclass(frozen=True, slots=True)
class Clustering:
    """The outcome of clustering one source.

    `pictures` are in order of cluster, then rank; cluster 1 is the largest, pictures in no cluster come last.
    `agreement` is None with fewer than two known labels. `settings` determine the result.
    """

    source: str
    pictures: tuple[ClusteredPicture, ...]
    unjudged: tuple[Unjudged, ...]
    settings: Mapping[str, Any]
    labels: Mapping[str, bool | None] = field(default_factory=lambda: EMPTY)
    agreement: LabelAgreement | None = None

    def members(self) -> dict[int, list[ClusteredPicture]]:
        """Group the pictures by cluster number, nearest first."""
        members: dict[int, list[ClusteredPicture]] = {}
        for picture in self.pictures:
            members.setdefault(picture.cluster, []).append(picture)
        return members

    def label_counts(self) -> dict[int, Counter[str | None]]:
        """Count the pictures of each label in each cluster."""
        return {
            number: Counter(picture.sample.label for picture in pictures)
            for number, pictures in self.members().items()
        }


def cluster_name(number: int) -> str:
    """Name a cluster for tables: "3", or "no cluster"."""
    return str(number) if number != NO_CLUSTER else "no cluster"


def agreement(labels: Sequence[str | None], clusters: Sequence[int]) -> LabelAgreement | None:
    """Compare the clusters of N pictures with their labels; None with fewer than two known labels."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    pairs = [pair for pair in zip(labels, clusters, strict=True) if pair[0] is not None]
    if len({label for label, _ in pairs}) < 2:
        return None
    names, numbers = [str(label) for label, _ in pairs], [number for _, number in pairs]
    return LabelAgreement(
        len(pairs),
        float(adjusted_rand_score(names, numbers)),
        float(normalized_mutual_info_score(names, numbers)),
    )
