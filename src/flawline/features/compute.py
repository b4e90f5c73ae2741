"""From a source to its feature table in one call: open the backbone, compute every row."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.data.source import Source, open_source
from flawline.errors import SourceError
from flawline.features.catalog import feature_set
from flawline.features.table import FeatureTable, extract_features
from flawline.models.backbone import EMBEDDED, open_backbone
from flawline.models.network import Network, Preparation
from flawline.types import Track, no_track

DEFAULT_FEATURES = ("histogram_of_gradients", "embedding")


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """What decides a feature row beside the picture.

    `features` are names of `flawline.features.catalog`; `backbone`, `preparation`, `size` (pixels), `precision` and
    `weights` are those of `open_backbone` and count only where an embedding is computed; `value_range` is that of
    `read_image`.
    """

    features: tuple[str, ...] = DEFAULT_FEATURES
    backbone: str = EMBEDDED
    preparation: str | Preparation | None = None
    size: int | None = None
    precision: str = "auto"
    value_range: tuple[float, float] | None = None
    weights: str | None = None


DEFAULT = FeatureSettings()


@dataclass(frozen=True, slots=True)
class ComputedFeatures:
    """A feature table in the source's order, and the network of its embedding, if there is one."""

    table: FeatureTable
    settings: FeatureSettings
    network: Network | None

    def described(self) -> dict[str, Any]:
        """What a result says of its features: plain values, in a fixed order."""
        value_range = self.settings.value_range
        return {
            "features": ", ".join(self.settings.features),
            "fields": len(self.table.columns),
            **(describe_network(self.network) if self.network else {}),
            **({"value_range": "{:g} to {:g}".format(*value_range)} if value_range else {}),
        }


def compute_features(
    source: Source,
    settings: FeatureSettings = DEFAULT,
    *,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> ComputedFeatures:
    """Compute the features of every picture of an open source.

    Args:
        source: what to read.
        settings: what to compute.
        unfinished: a file that keeps the rows while they are computed, so that an interrupted run can go on.
        track: shows progress.

    Raises:
        SourceError: not one picture could be judged.
        ModelError: the backbone cannot be used.
        UsageError: a feature's name is unknown.
    """
    networks: list[Network] = []

    def open_network() -> Network:
        networks.append(
            open_backbone(
                settings.backbone,
                preparation=settings.preparation,
                size=settings.size,
                precision=settings.precision,
                weights=settings.weights,
            )
        )
        return networks[0]

    chosen = feature_set(settings.features, open_network)
    network = networks[0] if networks else None
    table = extract_features(
        source,
        list(source.samples()),
        chosen,
        computation=repr(describe_network(network) if network else {}),
        value_range=settings.value_range,
        unfinished=unfinished,
        track=track,
    )
    if not table.samples:
        raise SourceError(
            f"none of the {len(table.unjudged)} pictures could be judged",
            hint=f"the first: {table.unjudged[0].image}: {table.unjudged[0].reason}"
            if table.unjudged
            else "give a source with pictures",
        )
    return ComputedFeatures(table, settings, network)


def by_name(table: FeatureTable) -> FeatureTable:
    """The same rows in the order of their names, so that nothing fitted to them depends on the container's order."""
    order = sorted(range(len(table.samples)), key=lambda i: table.samples[i].name)
    return FeatureTable(
        tuple(table.samples[i] for i in order), table.columns, table.values[order], table.unjudged
    )


def opened(
    source: str | Path | Source, good: Sequence[str] = (), bad: Sequence[str] = ()
) -> AbstractContextManager[Source]:
    """An open source as it is, which stays open, or a location opened for the length of a `with`."""
    if isinstance(source, Source):
        return nullcontext(source)
    return open_source(source, good=good, bad=bad)


def describe_network(network: Network) -> dict[str, Any]:
    """What a result says of the network that made it."""
    height, width = network.preparation.size
    return {
        "backbone": network.name,
        "backbone_sha256": network.sha256,
        "backbone_input": f"{width}x{height}",
        "precision": network.precision,
    }
