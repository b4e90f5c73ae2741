"""Compute the feature table of a source in one call: open the backbone, compute every row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from flawline.data.source import Source
from flawline.errors import ModelError, SourceError
from flawline.features.catalog import feature_set
from flawline.features.feature_set import FeatureSet
from flawline.features.table import FeatureTable, extract_features
from flawline.networks.backbone import EMBEDDED, open_backbone
from flawline.networks.network import Network, Preparation, preparation_from_json
from flawline.types import Track, no_track
from flawline.version import __version__

DEFAULT_FEATURES = ("histogram_of_gradients", "embedding")


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Settings of the computation of feature rows.

    `features` are names of `flawline.features.catalog`; `backbone`, `preparation`, `size` (pixels), `precision` and
    `weights` are those of `open_backbone` and used only for an embedding; `value_range` is that of `read_image`.
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
        """Describe the features for a result: plain values, in a fixed order."""
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
    expected: str | None = None,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> ComputedFeatures:
    """Compute the features of every picture of an open source.

    Args:
        source: the source to read.
        settings: the features to compute.
        expected: the SHA-256 that the backbone must have, for a saved model (`expected_network`).
        unfinished: a file that stores the rows while they are computed, so that an interrupted run can resume.
        track: shows progress.

    Raises:
        SourceError: no picture could be judged.
        ModelError: the backbone cannot be used.
        UsageError: a feature's name is unknown.
    """
    chosen, network = open_features(settings, expected)
    table = extract_features(
        source,
        list(source.samples()),
        chosen,
        computation=computation(network, settings),
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


def open_features(
    settings: FeatureSettings, expected: str | None = None
) -> tuple[FeatureSet, Network | None]:
    """Choose the features of `settings`, and open the network that they need, if any; errors as `compute_features`."""
    networks: list[Network] = []

    def open_network() -> Network:
        networks.append(
            open_backbone(
                settings.backbone,
                preparation=settings.preparation,
                size=settings.size,
                precision=settings.precision,
                weights=settings.weights,
                expected=expected,
            )
        )
        return networks[0]

    chosen = feature_set(settings.features, open_network)
    return chosen, networks[0] if networks else None


def by_name(table: FeatureTable) -> FeatureTable:
    """Sort the rows by name, so that models fitted to them do not depend on the container's order."""
    order = sorted(range(len(table.samples)), key=lambda i: table.samples[i].name)
    return replace(
        table, samples=tuple(table.samples[i] for i in order), values=table.values[order]
    )


def computation(network: Network | None, settings: FeatureSettings) -> str:
    """Identify all that decides a row except the picture and the columns; rows are reused only if it is equal."""
    facts: list[Any] = [__version__, settings.value_range]
    if network:
        facts += [describe_network(network), network.preparation.as_dict(), list(network.outputs)]
    return repr(facts)


def settings_as_dict(settings: FeatureSettings, network: Network | None) -> dict[str, Any]:
    """Convert settings to a document for a saved model, so that rows of new pictures are computed in the same way.

    bf16 is stored as "auto": a processor without it computes in float32 instead of not at all.
    """
    document = {**asdict(settings), "features": list(settings.features)}
    if network:
        document["preparation"] = network.preparation.as_dict()
        document["precision"] = "f32" if network.precision == "f32" else "auto"
    return document


def settings_from_dict(value: Mapping[str, Any]) -> FeatureSettings:
    """Read settings from the document of `settings_as_dict`.

    Raises:
        ModelError: a setting is missing or of the wrong kind.
    """
    try:
        preparation, limits = value["preparation"], value["value_range"]
        return FeatureSettings(
            features=tuple(str(name) for name in value["features"]),
            backbone=str(value["backbone"]),
            preparation=preparation_from_json(json.dumps(preparation)) if preparation else None,
            size=None if value["size"] is None else int(value["size"]),
            precision=str(value["precision"]),
            value_range=(float(limits[0]), float(limits[1])) if limits else None,
            weights=None if value["weights"] is None else str(value["weights"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"the model does not say how its features are computed: {error!r}",
            hint="copy it again from where it was made, or make it again",
            code="model-damaged",
        ) from error


def moved(settings: FeatureSettings, backbone: str | None, weights: str | None) -> FeatureSettings:
    """Replace the paths of the backbone's files; a new backbone comes with its own weights."""
    if backbone is None and weights is None:
        return settings
    return replace(settings, backbone=backbone or settings.backbone, weights=weights)


def expected_network(described: Mapping[str, Any]) -> str:
    """Return the hash of the backbone that a saved model describes; one that states none fits no file."""
    return str(described.get("backbone_sha256") or "")


def check_same_network(expected: Mapping[str, Any], network: Network | None) -> tuple[str, ...]:
    """Check `network` against the one described by a saved model; returns warnings.

    Raises:
        ModelError: it is another network, or its input has another size.
    """
    came = describe_network(network) if network else {}
    for key in ("backbone_sha256", "backbone_input"):
        if expected.get(key) != came.get(key):
            raise ModelError(
                f"the model was made with {key} {expected.get(key)}, "
                f"{came.get('backbone', 'no backbone')} has {came.get(key)}",
                hint="name the file that it was made with by `backbone`",
                code="model-backbone",
            )
    if expected.get("precision") != came.get("precision"):
        return (
            f"the model was made in {expected.get('precision')} and is used in {came.get('precision')}: "
            "scores differ a little",
        )
    return ()


def describe_network(network: Network) -> dict[str, Any]:
    """Describe a network for the results made with it."""
    height, width = network.preparation.size
    return {
        "backbone": network.name,
        "backbone_sha256": network.sha256,
        "backbone_input": f"{width}x{height}",
        "precision": network.precision,
    }
