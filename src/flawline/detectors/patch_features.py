"""Patch features: the mid-level maps of a backbone on one grid, in a few uncorrelated dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.cores import cpu_count
from flawline.detectors.nodes import Nodes, OpenVINONodes
from flawline.networks.network import Network
from flawline.networks.openvino_import import openvino

DIMENSIONS = 64
_SAMPLED = 128

Windows = Callable[[], Iterable[NDArray[np.uint8]]]
"""Windows uint8 (H, W, 3), the same each time it is called."""


def grid_of(network: Network, window: tuple[int, int]) -> tuple[int, int]:
    """Cells of the patch grid, (h, w): those of the finest map of the network."""
    blank = network(np.zeros((*window, 3), np.uint8))
    maps = [output.shape[1:] for output in blank.values() if output.ndim == 3]
    height, width = max(maps)
    return height, width


def patch_node(maps: Mapping[str, Any], grid: tuple[int, int]) -> Any:
    """Make an OpenVINO node of patches (1, C, h, w): each map smoothed, brought to the grid, joined."""
    ops = OpenVINONodes()
    parts = [on_grid(ops, smoothed(ops, node), ops.shape(node), grid) for node in maps.values()]
    return parts[0] if len(parts) == 1 else openvino().opset13.concat(parts, 1)


def smoothed(ops: Nodes, feature_map: Any) -> Any:
    """Weight a map (1, C, h, w) by 1 2 1 along rows and columns, the edge continued outwards.

    K. Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022, section 3.1, take the plain mean
    of 3 x 3 places, which blurs the edges of defects more.
    """
    # Twice the mean of 2 x 2, the second time between the first ones; what a mean leaves out continues the edge.
    return ops.average(ops.average(feature_map, 1), 0)


def on_grid(ops: Nodes, feature_map: Any, shape: tuple[int, ...], grid: tuple[int, int]) -> Any:
    """Resize a map of a shape (1, C, ...) to the size of the grid."""
    if shape[2:] == grid:
        return feature_map
    return ops.resize(feature_map, (*shape[:2], *grid))


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Principal directions of patches: `mean` float32 (C,), `directions` float32 (k, C), `variances` float32 (k,)."""

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    variances: NDArray[np.float32]

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The inverse of `of`."""
        return {"mean": self.mean, "directions": self.directions, "variances": self.variances}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Basis:
        """The basis among the arrays of a detector."""
        return cls(arrays["mean"], arrays["directions"], arrays["variances"])

    def project(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Patches (n, C) in the basis, float32 (n, k)."""
        return np.asarray((patches - self.mean) @ self.directions.T, np.float32)


def each_patches(
    function: Callable[[NDArray[np.uint8]], NDArray[np.float32]], windows: Windows
) -> Iterator[NDArray[np.float32]]:
    """`function` of every window, in order, on all cores, with a few windows in flight."""
    workers = cpu_count()
    source = iter(windows())
    with ThreadPoolExecutor(workers, thread_name_prefix="flawline") as pool:
        ahead = [pool.submit(function, window) for window in islice(source, 2 * workers)]
        while ahead:
            first = ahead.pop(0)
            yield first.result()
            for window in islice(source, 1):
                ahead.append(pool.submit(function, window))


def fit_basis(windows: Iterable[NDArray[np.float32]], seed: int) -> tuple[Basis, int]:
    """Principal directions of the patches of all windows, each float32 (n, C), and how many windows there are.

    Sums over up to 128 places drawn from each window, so memory does not grow with their number.
    """
    count, total, scatter, seen = 0, np.zeros(0), np.zeros((0, 0)), 0
    for patches in windows:
        rng = np.random.default_rng((seed, count))
        drawn = rng.choice(len(patches), min(_SAMPLED, len(patches)), replace=False)
        rows = patches[np.sort(drawn)].astype(np.float64)
        if not count:
            total, scatter = np.zeros(rows.shape[1]), np.zeros((rows.shape[1],) * 2)
        total += rows.sum(axis=0)
        scatter += rows.T @ rows
        seen += len(rows)
        count += 1
    if not count:
        nothing = np.zeros(0, np.float32)
        return Basis(nothing, np.zeros((0, 0), np.float32), nothing), 0
    mean = total / seen
    values, vectors = np.linalg.eigh(scatter / seen - np.outer(mean, mean))
    kept = min(DIMENSIONS, len(values))
    directions = vectors[:, ::-1][:, :kept].T
    # The sign of an eigenvector is arbitrary; a rule for it makes the same pictures give the same bytes.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(kept), largest])[:, None]
    variances = np.maximum(values[::-1][:kept], 0)
    parts = (array.astype(np.float32) for array in (mean, directions, variances))
    return Basis(*parts), count
