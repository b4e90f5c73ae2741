"""embedding: one vector from a network for the whole picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.view.tiling import resize
from flawline.features.feature_set import Column, Extractor
from flawline.networks.network import Network
from flawline.types import Picture

OUTPUT = "embedding"


def network_embedding(network: Network) -> Extractor:
    """Make the extractor of the network's `embedding` output, or without one of the spatial means of its maps."""
    names = [OUTPUT] if OUTPUT in network.outputs else list(network.outputs)
    width = sum(network.outputs[name] for name in names)
    columns = tuple(
        Column(f"embedding_{index:04d}", f"embedding field {index} of {width} ({network.name})")
        for index in range(width)
    )

    def compute(picture: Picture) -> NDArray[np.float32]:
        maps = network(resize(picture.pixels, network.preparation.size))
        parts = [maps[name] for name in names]
        vectors = [part if part.ndim == 1 else part.mean(axis=(1, 2)) for part in parts]
        return np.concatenate(vectors).astype(np.float32)

    return Extractor(OUTPUT, columns, compute)
