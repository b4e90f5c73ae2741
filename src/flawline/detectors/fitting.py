"""Fit the detectors of `flawline.detectors.detector` to windows of good pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.detector import (
    METHODS,
    DetectorState,
    Size,
    detector_backbone,
    input_size,
    shrunk,
)
from flawline.detectors.graph import packed, unpacked
from flawline.detectors.map_graph import backbone_and_graph
from flawline.detectors.patch_features import Basis, Windows, each_patches, fit_basis, patch_node
from flawline.detectors.patch_gaussian import (
    Gaussians,
    PatchMoments,
    block_side,
    blocks,
    content_gaussians,
    content_moments,
    find_centres,
    no_moments,
    place_gaussians,
    place_moments,
)
from flawline.detectors.patch_memory import (
    PER_WINDOW,
    POOL,
    SIZE,
    distances,
    scale_of,
    spread_out,
    thinned,
)
from flawline.errors import SourceError, UsageError

CONTENTS = 16
_SAMPLES = 60_000


class _Patches:
    """A backbone and the joining of its maps: windows to patches (cells, C)."""

    def __init__(self, method: str, backbone: bytes, window: Size, precision: str) -> None:
        self._seen = input_size(method, window)
        self._network, self._join, grid = backbone_and_graph(
            detector_backbone(method, backbone, window=window, precision=precision),
            lambda maps, _, grid: patch_node(maps, grid),
        )
        self.grid = grid
        self.cells = grid[0] * grid[1]

    def __call__(self, window: NDArray[np.uint8]) -> NDArray[np.float32]:
        joined = self._join(self._network(shrunk(window, self._seen)))[0]
        return np.ascontiguousarray(joined.reshape(joined.shape[0], -1).T)


def fit_detector(
    method: str,
    backbone: bytes,
    windows: Windows,
    *,
    window: Size,
    one_window: bool = True,
    like: DetectorState | None = None,
    seed: int = 0,
    precision: str = "auto",
) -> DetectorState:
    """Learn what windows of good pictures look like.

    Windows are read twice, for a memory three times, one after the other; what is kept does not grow with their
    number. The same windows in the same order give the same state on the same processor.

    Args:
        method: one of `METHODS`.
        backbone: the content of an ONNX file with its preparation in its metadata.
        windows: gives the windows, uint8 (H, W, 3), each time it is called.
        window: (H, W), multiples of 16.
        one_window: a window is a whole picture, so that a place in it means something.
        like: another state of the same backbone and window, whose basis of features is taken over: windows are then
            read once less.
        seed: of the draws of patches.
        precision: of the backbone.

    Raises:
        UsageError: an unknown method.
        SourceError: no window.
        ModelError: the backbone cannot be used.
    """
    if method not in METHODS:
        raise UsageError(f"method {method!r} is not one of {', '.join(METHODS)}")
    look = _Patches(method, backbone, window, precision)
    if like is None:
        basis, count = fit_basis(look, windows, seed)
        if not count:
            raise _nothing()
    else:
        basis = Basis.of(like.arrays)
        count = int(like.settings["windows"])
    arrays = basis.arrays
    learn = _learn_memory if method == "patch-memory" else _learn_gaussians
    learnt, count = learn(look, windows, basis, count, one_window, seed)
    settings = {"windows": count, "one_window": one_window, "dimensions": len(basis.directions)}
    return DetectorState(method, settings, {**arrays, **learnt})


def extend_detector(
    state: DetectorState,
    backbone: bytes,
    windows: Windows,
    *,
    window: Size,
    precision: str = "auto",
) -> DetectorState:
    """Learn more windows of good pictures, without the earlier ones.

    The basis of the features and the kinds of content stay as they are. Within them, the Gaussians are those that all
    windows together would have given; the memory takes what is new and is thinned to its size.

    Raises:
        SourceError: no window.
        ModelError: the backbone cannot be used.
    """
    look = _Patches(state.method, backbone, window, precision)
    old, seen = state.arrays, int(state.settings["windows"])
    basis = Basis.of(old)
    extend = _extend_memory if "memory" in old else _extend_gaussians
    learnt, count = extend(look, windows, basis, old, seen)
    settings = {**state.settings, "windows": seen + count}
    return DetectorState(state.method, settings, {**old, **learnt})


def _learn_gaussians(
    look: _Patches, windows: Windows, basis: Basis, count: int, one_window: bool, seed: int
) -> tuple[dict[str, NDArray[Any]], int]:
    """By place where a place means something, else by content."""
    if one_window:
        area = block_side(look.grid) ** 2
        nothing = no_moments(look.cells // area, len(basis.directions))
        places = place_moments(_by_block(look, windows, basis), nothing)
        if not places.count[0]:
            raise _nothing()
        return _places_kept(places), int(places.count[0]) // area
    per_window = max(1, -(-_SAMPLES // count))
    sampled = [
        _drawn(patches, per_window, (seed, place, 1))
        for place, patches in enumerate(_projected(look, windows, basis))
    ]
    rows = _joined(sampled)
    centres = find_centres(rows, CONTENTS, seed)
    return _contents_kept(content_moments(rows, centres), centres), len(sampled)


def _extend_gaussians(
    look: _Patches, windows: Windows, basis: Basis, old: Mapping[str, NDArray[Any]], seen: int
) -> tuple[dict[str, NDArray[Any]], int]:
    if "place_scatter" in old:
        places = place_moments(_by_block(look, windows, basis), _moments(old, "place"))
        count = int(places.count[0]) // block_side(look.grid) ** 2 - seen
        if not count:
            raise _nothing()
        return _places_kept(places), count
    centres, contents = old["content_centres"], _moments(old, "content")
    # A window counts for as much as each of those before it.
    per_window = max(1, round(float(contents.count.sum()) / seen))
    count = 0
    for patches in _projected(look, windows, basis):
        drawn = _drawn(patches, per_window, (0, seen + count, 1))
        contents = contents.plus(content_moments(drawn, centres))
        count += 1
    if not count:
        raise _nothing()
    return _contents_kept(contents, centres), count


def _by_block(look: _Patches, windows: Windows, basis: Basis) -> Iterator[NDArray[np.float32]]:
    return (blocks(patches, look.grid) for patches in _projected(look, windows, basis))


def _projected(look: _Patches, windows: Windows, basis: Basis) -> Iterator[NDArray[np.float32]]:
    return (basis.project(raw) for raw in each_patches(look, windows))


def _learn_memory(
    look: _Patches, windows: Windows, basis: Basis, count: int, one_window: bool, seed: int
) -> tuple[dict[str, NDArray[Any]], int]:
    """Two stages: what lies far apart within each window, then among all of that."""
    per_window = int(np.clip(POOL // count, 4, PER_WINDOW))
    pool, count = _pooled(look, windows, basis, per_window)
    memory = thinned(pool, SIZE)
    return {"memory": memory, **_memory_moments(look, windows, basis, memory, None)}, count


def _extend_memory(
    look: _Patches, windows: Windows, basis: Basis, old: Mapping[str, NDArray[Any]], seen: int
) -> tuple[dict[str, NDArray[Any]], int]:
    # A false alarm is to be learnt whole, not only what lies farthest apart in it.
    pool, count = _pooled(look, windows, basis, 4 * PER_WINDOW)
    memory = thinned(np.concatenate([old["memory"], pool]), SIZE)
    if "memory_moments" not in old:
        return {"memory": memory}, count
    return {"memory": memory, **_memory_moments(look, windows, basis, memory, old)}, count


def _memory_moments(
    look: _Patches,
    windows: Windows,
    basis: Basis,
    memory: NDArray[np.float32],
    old: Mapping[str, NDArray[Any]] | None,
) -> dict[str, NDArray[Any]]:
    """Mean of the distance to the memory and of its square at each cell, with what earlier windows gave."""
    count = 0 if old is None else int(old["memory_windows"][0])
    total = np.zeros((2, look.cells)) if old is None else old["memory_moments"] * count
    scale = scale_of(basis.variances)
    for patches in _projected(look, windows, basis):
        found = distances(patches * scale, memory)
        total = total + np.stack([found, found**2])
        count += 1
    return {"memory_moments": total / count, "memory_windows": np.array([count])}


def _pooled(
    look: _Patches, windows: Windows, basis: Basis, per_window: int
) -> tuple[NDArray[np.float32], int]:
    """What lies far apart within each window, never much more than `POOL` of it, and how many windows there are."""
    pool: list[NDArray[np.float32]] = []
    held = count = 0
    scale = scale_of(basis.variances)
    for raw in each_patches(look, windows):
        count += 1
        patches = basis.project(raw) * scale
        pool.append(patches[spread_out(patches, per_window)])
        held += len(pool[-1])
        if held > 2 * POOL:
            pool = [thinned(np.concatenate(pool), POOL // 2)]
            held = len(pool[0])
    return _joined(pool), count


def _drawn(
    patches: NDArray[np.float32], count: int, seed: tuple[int, int, int]
) -> NDArray[np.float32]:
    """At most `count` of the patches, in their order."""
    rng = np.random.default_rng(seed)
    return patches[np.sort(rng.choice(len(patches), min(count, len(patches)), replace=False))]


def _joined(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if not parts:
        raise _nothing()
    return np.concatenate(parts)


def _nothing() -> SourceError:
    return SourceError("there is no picture to learn from")


def _places_kept(moments: PatchMoments) -> dict[str, NDArray[Any]]:
    """Arrays of one Gaussian for each place."""
    return _kept("place", moments, place_gaussians(moments))


def _contents_kept(moments: PatchMoments, centres: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Arrays of one Gaussian for each kind of content; the determinant decides between the kinds."""
    return {"content_centres": centres, **_kept("content", moments, content_gaussians(moments))}


def _kept(name: str, moments: PatchMoments, gaussians: Gaussians) -> dict[str, NDArray[Any]]:
    """What a recipe holds of Gaussians: what scores need, and the sums that a later update adds to."""
    return {
        f"{name}_means": gaussians.means,
        f"{name}_factors": packed(gaussians.factors),
        # Less their mean, which changes no order: a score is then about a squared distance.
        f"{name}_constants": gaussians.constants - gaussians.constants.mean(),
        f"{name}_count": moments.count,
        f"{name}_total": moments.total,
        f"{name}_scatter": packed(moments.scatter.astype(np.float32)),
    }


def _moments(arrays: Mapping[str, NDArray[Any]], name: str) -> PatchMoments:
    total = np.array(arrays[f"{name}_total"], np.float64)
    lower = unpacked(arrays[f"{name}_scatter"], total.shape[1]).astype(np.float64)
    upper = np.tril(lower, -1).transpose(0, 2, 1)
    return PatchMoments(np.array(arrays[f"{name}_count"], np.float64), total, lower + upper)
