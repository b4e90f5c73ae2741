"""Keep the patches of pictures, so that detectors are fitted to them and score them without reading pictures again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.view.framing import window_count
from flawline.data.stream import in_order
from flawline.detectors.detector import DetectorState, score_cells
from flawline.detectors.fitting import PatchNetwork, fit_state
from flawline.detectors.method import Learning, no_window
from flawline.detectors.patch_features import Basis, fit_basis
from flawline.detectors.patch_scores import PatchScorer
from flawline.inspector.map_score import ScoredMap, check_inside, score_maps
from flawline.inspector.view import PreparedPicture, View
from flawline.jobs.train.patch_store import PatchStore
from flawline.types import Picture, Sample

Read = Callable[[Sequence[Sample], Callable[[Picture], Any]], Iterable[tuple[Sample, Any]]]
"""Applies a function to the pictures of samples, in order."""
Look = Callable[[Picture], PreparedPicture]


@dataclass(frozen=True, slots=True, eq=False)
class KeptPatches:
    """Patches of every picture, for one view and one network.

    `looks` are the prepared pictures by name, without their pixels; `look` prepares one. Scores
    and states equal those from the pictures themselves up to the rounding of patches to half precision. Pictures whose
    patches found no room are read again each time.
    """

    view: View
    network: PatchNetwork
    looks: Mapping[str, PreparedPicture]
    _samples: Mapping[str, Sample]
    look: Look
    _read: Read
    _store: PatchStore
    _scale: _Scale

    def patches(self, name: str) -> NDArray[np.float32]:
        """Patches of a picture as the network gives them, float32 (windows, h * w, C)."""
        if name in self._store:
            return self._scale.restored(self._store[name])
        return next(found for _, found in self._again([name], partial(_features, self.network)))

    def windows(self, names: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        """Patches of each window of pictures as the network gives them, float32 (h * w, C)."""
        for stored, group in groupby(names, self._store.__contains__):
            if stored:
                for name in group:
                    yield from self.patches(name)
            else:
                for _, found in self._again(group, partial(_features, self.network)):
                    yield from found

    def basis(self, names: Sequence[str], *, seed: int = 0) -> Basis:
        """Fit the basis of the features of pictures; raises SourceError where there are none."""
        basis, count = fit_basis(self.windows(names), seed)
        if not count:
            raise no_window()
        return basis

    def fit(
        self, method: str, names: Sequence[str], *, basis: Basis | None = None, seed: int = 0
    ) -> DetectorState:
        """Fit a detector to pictures, in their own basis if none is given.

        The method must see windows as the network of these patches does.

        Raises:
            UsageError: an unknown method.
            SourceError: no pictures.
        """
        return self.fit_learning(
            method, names, self.learning(names, basis=basis, seed=seed), seed=seed
        )

    def learning(
        self, names: Sequence[str], *, basis: Basis | None = None, seed: int = 0
    ) -> Learning:
        """Give what methods learn from pictures, in their own basis if none is given; errors as for `fit`."""
        own = self.basis(names, seed=seed) if basis is None else basis
        return Learning(
            self.network.grid, own, lambda: (own.project(rows) for rows in self.windows(names))
        )

    def fit_learning(
        self, method: str, names: Sequence[str], learning: Learning, *, seed: int = 0
    ) -> DetectorState:
        """Fit a detector to what `learning` gave for these pictures."""
        framing = self.view.framing
        count = sum(window_count(self.looks[name].aligned, framing) for name in names)
        return fit_state(method, learning, count, framing.scale == "fit", seed)

    def scored(self, state: DetectorState, names: Sequence[str]) -> Iterator[tuple[str, ScoredMap]]:
        """Score pictures on all cores, in order.

        Raises:
            ImageError: nothing of a picture is to be looked at, or its score is not a finite number.
        """
        basis, cells = Basis.of(state.arrays), score_cells(state.settings)
        scorer = PatchScorer(state, self.network.grid, window=self.view.framing.window)

        def score(look: PreparedPicture, patches: NDArray[np.float32]) -> ScoredMap:
            check_inside(look)
            maps = {place: scorer(basis.project(rows)) for place, rows in enumerate(patches)}
            return score_maps(look, maps, cells)

        def score_again(look: PreparedPicture) -> ScoredMap:
            return score(look, _features(self.network, look))

        for stored, group in groupby(names, self._store.__contains__):
            own = list(group)
            if stored:
                yield from in_order(own, lambda name: score(self.looks[name], self.patches(name)))
            else:
                yield from self._again(own, score_again)

    def _again(
        self, names: Iterable[str], function: Callable[[PreparedPicture], Any]
    ) -> Iterator[tuple[str, Any]]:
        """Apply a function to pictures that are read and prepared again."""
        samples = [self._samples[name] for name in names]
        for sample, result in self._read(samples, lambda p: function(self.look(p))):
            yield sample.name, result


def keep_patches(
    read: Read,
    samples: Sequence[Sample],
    view: View,
    network: PatchNetwork,
    *,
    again: Read | None = None,
    look: Look | None = None,
    store: PatchStore | None = None,
) -> KeptPatches:
    """Read pictures once and keep their patches.

    Args:
        read: applies a function to the pictures of samples, in order.
        samples: the pictures.
        view: how they are seen.
        network: gives the patches of windows.
        again: as `read`, for those whose patches find no room; `read` itself if not given.
        look: prepares a picture for the view; the view itself if not given.
        store: where patches go; by default up to 512 MB in memory and 4 GB in a scratch file.
    """
    store, prepare = PatchStore() if store is None else store, look or view.look
    looks: dict[str, PreparedPicture] = {}

    def seen(picture: Picture) -> tuple[PreparedPicture, NDArray[np.float32]]:
        prepared = prepare(picture)
        return prepared.without_pixels(), _features(network, prepared)

    scale = None
    for sample, (prepared, found) in read(samples, seen) if samples else ():
        scale = scale or _Scale.of(found)
        looks[sample.name] = prepared
        store.add(sample.name, scale.stored(found))
    known = {sample.name: sample for sample in samples}
    scale = scale or _Scale.none()
    return KeptPatches(view, network, looks, known, prepare, again or read, store, scale)


def _features(network: PatchNetwork, look: PreparedPicture) -> NDArray[np.float32]:
    return np.stack([network(window.pixels) for window in look.windows()])


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Middle and power of two near the deviation of each feature in one picture: half precision is finest there."""

    middle: NDArray[np.float32]
    factor: NDArray[np.float32]

    @classmethod
    def of(cls, found: NDArray[np.float32]) -> _Scale:
        """Take them from the patches of a picture."""
        rows = found.reshape(-1, found.shape[-1])
        deviations = rows.std(axis=0, dtype=np.float64)
        known = np.where(np.isfinite(deviations) & (deviations > 0), deviations, 1.0)
        factor = 2.0 ** np.clip(np.round(np.log2(known)), -100, 100)
        return cls(np.nan_to_num(rows.mean(axis=0)), factor.astype(np.float32))

    @classmethod
    def none(cls) -> _Scale:
        """Take none, where there is no picture."""
        return cls(np.zeros(0, np.float32), np.zeros(0, np.float32))

    def stored(self, found: NDArray[np.float32]) -> NDArray[np.float16]:
        """Round to half precision; what is too large becomes infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((found - self.middle) / self.factor, np.float16)

    def restored(self, kept: NDArray[np.float16]) -> NDArray[np.float32]:
        """Give the inverse of `stored`, but for rounding."""
        return np.asarray(kept * self.factor + self.middle, np.float32)
