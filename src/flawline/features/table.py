"""The feature table of a source: one row per picture, next to its samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.source import Source
from flawline.data.stored_rows import StoredRows
from flawline.data.stream import map_pictures
from flawline.features.feature_set import Column, FeatureSet
from flawline.types import EMPTY, Sample, Track, Unjudged, no_track


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Feature table: `values` float32 (len(samples), len(columns)); `unjudged` lists the pictures without a row.

    `notes` list by name what decoding a picture lost or chose; rows stored by an interrupted run have none.
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
        source: the source of the samples.
        samples: the pictures.
        features: the features to compute.
        computation: all that decides a row except the features' names, such as a network's hash and precision.
        value_range: as in `read_image`.
        unfinished: a file that stores the rows while they are computed; a rerun with the same computation reuses them.
        track: shows progress.
        workers: threads, one more than cores by default.
    """
    width = len(features.columns)
    identity = f"{','.join(c.name for c in features.columns)} {computation} {value_range}"
    digest = hashlib.sha256(identity.encode()).hexdigest()
    keeper = StoredRows(unfinished, digest, width) if unfinished else nullcontext()
    values = np.empty((len(samples), width), dtype=np.float32)
    judged: list[Sample] = []
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
            values[len(judged)] = row
            judged.append(sample)
    return FeatureTable(
        tuple(judged),
        features.columns,
        values[: len(judged)],
        (*unjudged, *source.unlisted()),
        notes,
    )
