"""What a method of detectors is made of, and what it learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import CELLS
from flawline.detectors.nodes import Nodes
from flawline.detectors.patch_features import Basis
from flawline.errors import SourceError

Arrays = Mapping[str, NDArray[Any]]
Grid = tuple[int, int]
Learnt = tuple[dict[str, NDArray[Any]], int]
"""Arrays by name, and from how many windows they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """Patches of the windows of good pictures, which a method may go through as often as it needs.

    `patches` gives those of each window in the `basis`, float32 (h * w, k) for the cells of `grid`, (h, w): the same
    each time it is called. `basis` is that of the features of all windows. `learnt` keeps by name and seed what a
    method learnt, for a method that is made of it.
    """

    grid: Grid
    basis: Basis
    patches: Callable[[], Iterator[NDArray[np.float32]]]
    learnt: dict[tuple[str, int], Learnt] = field(default_factory=dict)

    def once(self, name: str, seed: int, learn: Callable[[], Learnt]) -> Learnt:
        """Learn what was not learnt yet from these patches with this seed."""
        if (name, seed) not in self.learnt:
            self.learnt[name, seed] = learn()
        return self.learnt[name, seed]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to tell anomalous patches from those of good parts; a file of its own, listed in the registry.

    `learn` takes what to learn from, the number of windows, whether a window is a whole picture, so that a place in it
    means something, and a seed; it gives arrays by name and the number of windows that it read. `extend` takes what to
    learn from, the present arrays and how many windows they are from, and gives the arrays that change and the number
    of further windows. `score` makes a node of raw scores, any shape of h * w numbers, from operations, a node of
    patches (h * w, k), the arrays, the grid and the nodes of `inputs`. `inputs` are arrays by name that are better
    given to the graph than held in it. The network sees windows shrunk `shrink` times. With `averages`, single pictures
    move a detector little: it can find bad pictures among those it learnt from, and remembers no false alarm. The score
    of a picture is the mean of its `score_cells` highest cells.
    """

    learn: Callable[[Learning, int, bool, int], Learnt]
    extend: Callable[[Learning, Arrays, int], Learnt]
    score: Callable[[Nodes, Any, Arrays, Grid, Mapping[str, Any]], Any]
    inputs: Callable[[Arrays], dict[str, NDArray[np.float32]]]
    averages: bool
    shrink: int = 1
    score_cells: int = CELLS


def drawn(
    patches: NDArray[np.float32], count: int, seed: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Draw at most `count` of the patches, in their order."""
    rng = np.random.default_rng(seed)
    return patches[np.sort(rng.choice(len(patches), min(count, len(patches)), replace=False))]


def joined(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Join all patches; raises SourceError where there is no window."""
    if not parts:
        raise no_window()
    return np.concatenate(parts)


def no_window() -> SourceError:
    """Say that there is nothing to learn from."""
    return SourceError("there is no picture to learn from")
