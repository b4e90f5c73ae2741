"""Flatten the mid-level maps of a network to one row per picture, and restore them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.view.tiling import resize
from flawline.features.feature_set import finite
from flawline.networks.network import Network
from flawline.types import Picture


@dataclass(frozen=True, slots=True)
class MapRows:
    """Layout of the maps of `network` in a row: (C, h, w) by name, one after the other."""

    network: Network
    shapes: Mapping[str, tuple[int, int, int]]

    @property
    def width(self) -> int:
        """Length of a row."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def compute(self, picture: Picture) -> NDArray[np.float32]:
        """Compute the row of one picture, float32 (width,)."""
        maps = self.network(resize(picture.pixels, self.network.preparation.size))
        return finite(np.concatenate([maps[name].ravel() for name in self.shapes]))

    def maps(self, rows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Restore maps (N, C, h, w) by name from rows (N, width), as views."""
        restored = {}
        start = 0
        for name, shape in self.shapes.items():
            stop = start + int(np.prod(shape))
            restored[name] = rows[:, start:stop].reshape(len(rows), *shape)
            start = stop
        return restored


def map_rows(network: Network) -> MapRows:
    """Make the layout from one blank picture; vectors among the network's outputs are left out."""
    outputs = network(np.zeros((*network.preparation.size, 3), dtype=np.uint8))
    maps = {name: output.shape for name, output in outputs.items() if output.ndim == 3}
    return MapRows(network, {name: (int(c), int(h), int(w)) for name, (c, h, w) in maps.items()})
