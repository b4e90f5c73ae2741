"""Rank the pictures of a source without labels: the odd ones first, with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline import __version__
from flawline.data.source import Source, open_source
from flawline.errors import SourceError, UsageError
from flawline.features.catalog import feature_set
from flawline.features.feature_set import Column, FeatureSet
from flawline.features.table import FeatureTable, extract_features
from flawline.models.backbone import EMBEDDED, open_backbone
from flawline.models.forest import fit_forest, forest_importance, forest_scores
from flawline.models.network import Network, Preparation
from flawline.ranking.result import Ranking, Reason, in_order
from flawline.types import Track, no_track

BIGML_FEATURES = ("histogram_of_gradients", "embedding")
REASONS = 3


def rank(
    source: str | Path | Source,
    *,
    features: Sequence[str] = BIGML_FEATURES,
    backbone: str = EMBEDDED,
    preparation: str | Preparation | None = None,
    size: int | None = None,
    precision: str = "auto",
    forest_size: int = 128,
    top_n: int = 10,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: tuple[float, float] | None = None,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Ranking:
    """Rank the pictures of a source by how odd they are among the others.

    Args:
        source: anything that `open_source` takes, or an open source.
        features: what the forest sees, by name (see `flawline.features.catalog`).
        backbone: "flawline-small" or the path of an ONNX file, for the embedding.
        preparation: for an ONNX file that does not say how pixels are prepared.
        size: side of the network's input in pixels.
        precision: "auto", "f32" or "bf16".
        forest_size: trees of the isolation forest, at least 1.
        top_n: how many places get reasons.
        seed: seed of the forest.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        value_range: values that become black and white in 16-bit and float pictures.
        unfinished: a file that keeps work done, so that an interrupted run can go on.
        track: shows progress.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument makes no sense.
    """
    if forest_size < 1 or top_n < 1 or seed < 0:
        raise UsageError(
            f"forest_size and top_n must be at least 1 and seed at least 0, got {forest_size}, {top_n}, {seed}"
        )
    if not isinstance(source, Source):
        with open_source(source, good=good, bad=bad) as opened:
            return rank(
                opened,
                features=features,
                backbone=backbone,
                preparation=preparation,
                size=size,
                precision=precision,
                forest_size=forest_size,
                top_n=top_n,
                seed=seed,
                value_range=value_range,
                unfinished=unfinished,
                track=track,
            )
    networks: list[Network] = []

    def open_network() -> Network:
        networks.append(
            open_backbone(backbone, preparation=preparation, size=size, precision=precision)
        )
        return networks[0]

    chosen = feature_set(features, open_network)
    described = describe_network(networks[0]) if networks else {}
    table = extract_features(
        source,
        list(source.samples()),
        chosen,
        computation=repr(described),
        value_range=value_range,
        unfinished=unfinished,
        track=track,
    )
    return _by_forest(source, table, chosen, described, forest_size, top_n, seed)


def describe_network(network: Network) -> dict[str, Any]:
    """What a result says of the network that made it."""
    height, width = network.preparation.size
    return {
        "backbone": network.name,
        "backbone_sha256": network.sha256,
        "backbone_input": f"{width}x{height}",
        "precision": network.precision,
    }


def _by_forest(
    source: Source,
    table: FeatureTable,
    features: FeatureSet,
    network: Mapping[str, Any],
    forest_size: int,
    top_n: int,
    seed: int,
) -> Ranking:
    if len(table.samples) < 2:
        raise SourceError(
            f"ranking compares pictures, and only {len(table.samples)} of "
            f"{len(table.samples) + len(table.unjudged)} could be judged",
            hint=table.unjudged[0].reason if table.unjudged else "give at least two pictures",
        )
    # The forest draws rows by position, so an order that depends on the container would change the scores.
    order = sorted(range(len(table.samples)), key=lambda i: table.samples[i].name)
    samples = [table.samples[i] for i in order]
    values = table.values[order]
    forest = fit_forest(values, trees=forest_size, seed=seed)
    scores = forest_scores(forest, values)
    top = np.argsort(-scores, kind="stable")[:top_n]
    shares = forest_importance(forest, values[top], len(table.columns))
    reasons = {int(i): _reasons(share, table.columns) for i, share in zip(top, shares, strict=True)}
    return Ranking(
        source=Path(source.location).name,
        pictures=in_order(samples, scores, reasons),
        unjudged=table.unjudged,
        settings={
            "method": "forest",
            "features": ", ".join(extractor.name for extractor in features.extractors),
            "fields": len(table.columns),
            **network,
            "forest_size": forest_size,
            "top_n": top_n,
            "seed": seed,
            "flawline": __version__,
        },
        labels={label: bad for label, (_, bad) in source.summary().labels.items()},
    )


def _reasons(share: NDArray[np.float64], columns: Sequence[Column]) -> tuple[Reason, ...]:
    strongest = np.argsort(-share, kind="stable")[:REASONS]
    return tuple(
        Reason(columns[i].text, columns[i].name, float(share[i])) for i in strongest if share[i] > 0
    )
