"""The feature table of a source: one row per picture, kept beside its samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.kept_rows import KeptRows
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.features.feature_set import Column, FeatureSet
from flawline.types import EMPTY, Sample, Track, Unjudged, no_track


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """`values` is float32 (len(samples), len(columns)); `unjudged` lists the pictures that have no row.

    `notes` says by name what was lost or chosen when a picture was decoded; rows kept from an interrupted
    run have none.
    """

    samples: tuple[Sample, ...]
    columns: tuple[Column, ...]
    values: NDArray[np.float32]
    unjudged: tuple[Unjudged, ...]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMPTY)


def extract_features(
    source: Source,
    samples: Sequence[Sample],
    features: FeatureSet,
    *,
    computation: str = "",
    value_range: tuple[float, float] | None = None,
    unfinished: Path | None = None,
    track: Track = no_track,
    workers: int | None = None,
) -> FeatureTable:
    """Compute the features of every sample.

    Args:
        source: where the samples are read.
        samples: which pictures.
        features: what to compute.
        computation: all that decides a row beside the features' names, such as a network's hash and precision.
        value_range: as in `read_image`.
        unfinished: a file that keeps the rows while they are computed; a rerun with the same computation reuses them.
        track: shows progress.
        workers: threads, one more than cores by default.
    """
    width = len(features.columns)
    identity = f"{','.join(c.name for c in features.columns)} {computation} {value_range}"
    digest = hashlib.sha256(identity.encode()).hexdigest()
    keeper = KeptRows(unfinished, digest, width) if unfinished else nullcontext()
    values = np.empty((len(samples), width), dtype=np.float32)
    kept: list[Sample] = []
    unjudged: list[Unjudged] = []
    notes: dict[str, tuple[str, ...]] = {}
    with keeper as memory:
        results = map_pictures(
            source,
            samples,
            features.compute,
            value_range=value_range,
            workers=workers,
            memory=memory,
            noted=notes.__setitem__,
        )
        tracked: Iterable[tuple[Sample, NDArray[np.float32] | Unjudged]] = track(
            results, title="Features", total=len(samples)
        )
        for sample, row in tracked:
            if isinstance(row, Unjudged):
                unjudged.append(row)
                continue
            values[len(kept)] = row
            kept.append(sample)
    return FeatureTable(
        tuple(kept), features.columns, values[: len(kept)], (*unjudged, *source.unlisted()), notes
    )
