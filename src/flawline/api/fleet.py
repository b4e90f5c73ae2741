"""Inspect, rank and compute features on Ray, where one machine is not enough."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.api.inspect import open_station
from flawline.api.recipes import InspectorLike, inspector_of
from flawline.api.settings import FEATURES, ValueRange, feature_settings
from flawline.data.source import SourceLike, opened
from flawline.fleet.features import FleetFeatures, features_on_ray
from flawline.fleet.inspect import FleetInspection, inspect_on_ray
from flawline.fleet.rank import FleetRanking, rank_on_ray
from flawline.jobs.rank.comparison import NEIGHBOURS
from flawline.jobs.rank.saved_ranking import SavedRanking, load_ranking
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.api.records import StoreLike
    from flawline.outputs import Output


def inspect_on(
    on: str,
    recipe: InspectorLike,
    source: SourceLike,
    folder: str | os.PathLike[str],
    *,
    precision: str | None = None,
    store: StoreLike | None = None,
    keep: str | None = None,
    pictures: str | os.PathLike[str] | None = None,
    constant: Mapping[str, str] | None = None,
    again: bool = False,
    output: Sequence[str | Output] = (),
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> FleetInspection:
    """Judge the pictures of a source on Ray: the verdicts of `inspect`, as a Parquet data set.

    A run that ended too soon goes on when it is called again: what `folder` has is not judged again, and records take
    each picture once.

    Args:
        on: "local" for Ray on this machine, "ray://HOST:PORT" for a cluster.
        recipe: with thresholds: a recipe, its path, or an `Inspector`; it is sent to the cluster.
        source: a location that every machine of the cluster can open, such as "s3://bucket/parts", or an open source.
        folder: gets inspections/part-000000.parquet and so on, one row for each picture.
        precision, store, keep, pictures, constant, again, output: as for `inspect`; records are written from here.
        good, bad, track: as for `rank`.

    Returns:
        The counts of verdicts, the first pictures that could not be judged, and the place of the data set.

    Raises:
        UsageError: `on` is neither, the pictures lie in memory, or as for `inspect`.
        DependencyError: the extra [fleet] is missing.
        ModelError: the recipe cannot be used.
        SourceError: the source cannot be opened, or none of its pictures be judged.
        StoreError: the records or pictures cannot be written.
        FlawlineError: ("fleet-unreachable") no cluster answers; ("fleet-failed") it could not finish.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    with (
        opened(source, good, bad) as open_,
        open_station(
            inspector_of(recipe, precision),
            store=store,
            keep=keep,
            pictures=pictures,
            constant=constant,
            again=again,
            output=output,
            spool=None if store is None else place / ".unstored",
            limits=open_.image_limits,
        ) as station,
    ):
        return inspect_on_ray(open_, station, on=on, folder=place, track=track)


def features_on(
    on: str,
    source: SourceLike,
    folder: str | os.PathLike[str],
    *,
    features: str | Sequence[str] = FEATURES,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    size: int | None = None,
    precision: str = "auto",
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    track: Track = no_track,
) -> FleetFeatures:
    """Compute the features of every picture of a source on Ray: those of `compute_features`, as a Parquet data set.

    Args:
        on: "local" for Ray on this machine, "ray://HOST:PORT" for a cluster.
        source: a location that every machine of the cluster can open, such as "s3://bucket/parts", or an open source.
        folder: gets features/part-000000.parquet and so on, one row for each picture.
        features: which ones: names, or a text with commas.
        backbone, weights, preparation, size, precision: the network of the feature "embedding", as for `rank_on`.
        good, bad, value_range, track: as for `rank`.

    Returns:
        The columns, the first pictures that could not be judged, and the place of the data set.

    Raises:
        UsageError: `on` is neither, the pictures lie in memory, or the name of a feature is unknown.
        DependencyError: the extra [fleet] is missing.
        ModelError: the backbone cannot be used.
        SourceError: the source cannot be opened, or none of its pictures be judged.
        FlawlineError: ("fleet-unreachable") no cluster answers; ("fleet-failed") it could not finish.
    """
    settings = feature_settings(
        features, backbone, preparation, size, precision, value_range, weights
    )
    with opened(source, good, bad) as open_:
        return features_on_ray(open_, on=on, folder=Path(folder), settings=settings, track=track)


def rank_on(
    on: str,
    source: SourceLike,
    folder: str | os.PathLike[str],
    *,
    model: SavedRanking | str | os.PathLike[str] | None = None,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    size: int | None = None,
    precision: str = "auto",
    neighbours: int = NEIGHBOURS,
    top_n: int = 10,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    track: Track = no_track,
) -> tuple[FleetRanking, SavedRanking]:
    """Score the pictures of a source on Ray: the scores of `rank`, as a Parquet data set.

    The references are drawn here, once; every picture is compared with them on the cluster.

    Args:
        on: "local" for Ray on this machine, "ray://HOST:PORT" for a cluster.
        source: a location that every machine of the cluster can open, such as "s3://bucket/parts", or an open source.
        folder: gets scores/part-000000.parquet and so on, one row for each picture.
        model: score against this saved ranking instead of drawing references.
        backbone: as for `rank`; a file lies where every machine finds it.
        weights, preparation, size, precision, neighbours, top_n, seed: as for `rank`.
        good, bad, value_range, track: as for `rank`.

    Returns:
        The most anomalous pictures and the place of the data set; and what was fitted, for `rank_with` and
        `save_ranking`.

    Raises:
        UsageError: `on` is neither, the pictures lie in memory, or an argument makes no sense.
        DependencyError: the extra [fleet] is missing.
        ModelError: the backbone cannot be used.
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        FlawlineError: ("fleet-unreachable") no cluster answers; ("fleet-failed") it could not finish.
    """
    saved = load_ranking(Path(model)) if isinstance(model, str | os.PathLike) else model
    settings = feature_settings((), backbone, preparation, size, precision, value_range, weights)
    with opened(source, good, bad) as open_:
        return rank_on_ray(
            open_,
            on=on,
            folder=Path(folder),
            settings=settings,
            saved=saved,
            neighbours=neighbours,
            top_n=top_n,
            seed=seed,
            track=track,
        )
