"""Patches of a picture with their scores, and what further evidence makes of the score of the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import image_score
from flawline.core.known_defects import Evidence
from flawline.core.view.alignment import warp
from flawline.core.view.framing import map_size
from flawline.core.view.tiling import cell_share, window_places
from flawline.detectors.detector import CELL, DetectorState, cells_of, on_cells, score_cells
from flawline.detectors.patch_features import Basis
from flawline.detectors.patch_scores import PatchScorer
from flawline.inspector.map_score import check_inside
from flawline.inspector.view import PreparedPicture
from flawline.jobs.train.kept_patches import KeptPatches

Floats = NDArray[np.float32]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPatches:
    """Patches of a picture of W windows in a basis, float32 (W * h * w, k), and their `scores`, float32 (W, h, w).

    The score of the picture counts at most `cells`.
    """

    look: PreparedPicture
    patches: Floats
    scores: Floats
    cells: int

    @property
    def rows(self) -> Floats:
        """Patches with their score as the last number, (W * h * w, k + 1)."""
        return np.column_stack([self.patches, self.scores.ravel()])

    def picture_score(self, values: Floats) -> tuple[float, float]:
        """Score the picture by values of its patches as by their scores: its score, and the highest cell inside."""
        return self._scored(self._joined(values))

    def raised(self, evidence: Evidence, weights: Sequence[float]) -> NDArray[np.float64]:
        """Score the picture with evidence added by each weight: score and highest cell, (weights, 2)."""
        plain = self._joined(self.scores)
        found = np.maximum(evidence.of(self.patches, self.scores.ravel()), 0)
        added = self._joined(found.reshape(self.scores.shape))
        return np.array([self._scored(plain + np.float32(w) * added) for w in weights])

    def inside(self) -> NDArray[np.bool_] | None:
        """Select the patches that count, bool (W * h * w,); None where all do."""
        if self.look.inside is None:
            return None
        return self._by_patch(self.look.inside.astype(np.float32)) > 0.5

    def covered(self, mask: NDArray[np.bool_]) -> Floats:
        """Compute the share of each patch that a mask of the picture (height, width) covers, (W * h * w,)."""
        size, pose = self.look.size, self.look.pose
        marked = np.asarray(
            cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST), np.uint8
        )
        if pose is not None:
            marked = warp(np.repeat(marked[..., None], 3, axis=2), pose)[0][..., 0]
        return self._by_patch(cell_share(marked > 0, self.look.view.framing))

    def _scored(self, joined: Floats) -> tuple[float, float]:
        inside = self.look.inside
        counting = joined if inside is None else joined[inside]
        return image_score(joined, inside, self.cells), float(counting.max())

    def _joined(self, values: Floats) -> Floats:
        window = cells_of(self.look.view.framing.window)
        maps = {place: on_cells(one[None, None], window) for place, one in enumerate(values)}
        return self.look.join(maps)

    def _by_patch(self, values: Floats) -> Floats:
        """Give a map of the aligned picture by the patches of its windows; 0 beyond its edge."""
        framing, look = self.look.view.framing, self.look
        height, width = cells_of(framing.window)
        size = map_size(look.aligned, framing)
        whole = np.zeros((size[0] + height, size[1] + width), np.float32)
        whole[: size[0], : size[1]] = values
        parts = []
        for place in window_places(look.aligned, framing):
            top, left = place.top // CELL, place.left // CELL
            part = whole[top : top + height, left : left + width]
            grid = self.scores.shape[:0:-1]
            parts.append(cv2.resize(part, grid, interpolation=cv2.INTER_AREA).ravel())
        return np.concatenate(parts)


def scored_patches(
    kept: KeptPatches, state: DetectorState, names: Iterable[str], scores: Iterable[Floats]
) -> Iterator[tuple[str, ScoredPatches]]:
    """Give pictures with their patches in the basis of a detector and their scores (W, h, w)."""
    basis, cells = Basis.of(state.arrays), score_cells(state.settings)
    for name, own in zip(names, scores, strict=True):
        raw = kept.patches(name)
        patches = basis.project(raw.reshape(-1, raw.shape[-1]))
        yield name, ScoredPatches(kept.looks[name], patches, own, cells)


def patch_scores(
    kept: KeptPatches, state: DetectorState, names: Iterable[str]
) -> Iterator[tuple[str, Floats]]:
    """Score the patches of pictures, float32 (W, h, w) each; raises ImageError where nothing of one counts."""
    grid = kept.network.grid
    scorer = PatchScorer(state, grid, window=(CELL * grid[0], CELL * grid[1]))
    basis = Basis.of(state.arrays)
    for name in names:
        check_inside(kept.looks[name])
        yield name, np.stack([scorer(basis.project(rows)) for rows in kept.patches(name)])
