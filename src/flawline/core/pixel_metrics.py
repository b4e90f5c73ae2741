"""Metrics of anomaly maps: areas under curves over pixels, and the share of defect regions found.

Regions are the 8-connected components of a mask, as in the evaluation code of the MVTec AD dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from flawline.core.metrics import Share
from flawline.errors import UsageError

_EIGHT_CONNECTED = np.ones((3, 3))
_BLOCK = 2**18


@dataclass(frozen=True, slots=True)
class Area:
    """An area under a curve, 0 to 1, which differs from the exact one by at most `error`."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Regions of `smallest` to below `limit` pixels, None for no limit, and the share of them that were found."""

    smallest: float
    limit: float | None
    found: Share


class PixelCurve:
    """Counts of pixels by score, picture by picture, for the areas under their curves.

    Memory does not grow with the number of pictures. Scores are distinguished exactly, as float32, until there are more
    than `bins` different ones; then neighbours that differ in the last bit are counted together, then those that differ
    in the last two, and so on. The width of the bins depends on the scores, not on the order of the pictures.

    Within a bin a curve rises from one corner of a rectangle to the other. The straight line between them is off by
    half the rectangle at most: `Area.error` is a bound that always holds, and 0 while scores are distinguished exactly.
    """

    def __init__(self, bins: int = 2**16) -> None:
        """Start without pictures; `bins`, at least 2, take about 100 bytes each."""
        if bins < 2:
            raise ValueError(f"expected at least 2 bins, got {bins}")
        self._bins = bins
        self._dropped_bits = np.uint32(0)
        self._regions = 0
        self._pending: list[_Histogram] = []
        self._waiting = 0

    @property
    def regions(self) -> int:
        """Defect regions so far."""
        return self._regions

    def add(self, scores: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
        """Count one picture.

        Args:
            scores: float32 (h, w), finite, higher is more anomalous.
            mask: bool (h, w), True where defective; all False for a good picture.

        Raises:
            ValueError: the shapes differ, or a score is not finite.
        """
        values, defective = _checked(scores, mask)
        keys = _sortable(values)
        good = keys[~defective]
        for start in range(0, len(good), _BLOCK):
            block = good[start : start + _BLOCK] >> self._dropped_bits
            kinds, counts = np.unique(block, return_counts=True)
            self._keep(kinds, counts, 0.0, 0.0)
        if defective.any():
            labels, count = ndimage.label(defective, _EIGHT_CONNECTED)
            region = labels[defective]
            shares = 1 / np.bincount(region, minlength=count + 1)[region]
            self._keep(keys[defective] >> self._dropped_bits, 0.0, 1.0, shares)
            self._regions += count

    def auroc(self) -> Area:
        """Compute the area under the ROC curve over all pixels, ties counting half.

        Raises:
            ValueError: no defective or no good pixel was added.
        """
        good, defective, _ = self._curves()
        return _area(good, defective, 1.0, exact=not self._dropped_bits)

    def aupro(self, limit: float = 0.3) -> Area:
        """Compute the area under the curve of per-region overlap up to a false-positive rate, divided by that rate.

        Over falling thresholds: the share of each region's pixels that lie above, averaged over regions, against the
        share of all defect-free pixels that lie above, those of defective pictures included; straight lines between
        neighbouring scores and up to the limit. P. Bergmann, K. Batzner, M. Fauser, D. Sattlegger and C. Steger, "The
        MVTec Anomaly Detection Dataset", International Journal of Computer Vision 129, 2021, pp. 1038-1059.

        Args:
            limit: false-positive rate to integrate to, above 0, at most 1; 0.3 in the paper, 0.05 is stricter.

        Raises:
            UsageError: a limit outside 0 to 1.
            ValueError: no defective or no good pixel was added.
        """
        if not 0 < limit <= 1:
            raise UsageError(
                f"expected a false-positive rate above 0 and at most 1, got {limit}",
                hint="0.3 and 0.05 are usual",
            )
        good, _, overlap = self._curves()
        return _area(good, overlap, limit, exact=not self._dropped_bits)

    def _keep(self, keys: NDArray[np.uint32], *weights: ArrayLike) -> None:
        columns = np.empty((len(keys), 3))
        for column, weight in enumerate(weights):
            columns[:, column] = weight
        self._pending.append(_Histogram(keys, columns))
        self._waiting += len(keys)
        if self._waiting > 4 * self._bins:
            self._merge()

    def _merge(self) -> _Histogram:
        """Merge all counts to one histogram of at most `bins` bins."""
        keys = np.concatenate([part.keys for part in self._pending])
        order = np.argsort(keys, kind="stable")
        weights = np.concatenate([part.weights for part in self._pending])[order]
        merged = _grouped(keys[order], weights)
        while len(merged.keys) > self._bins:
            self._dropped_bits += np.uint32(1)
            merged = _grouped(merged.keys >> np.uint32(1), merged.weights)
        self._pending, self._waiting = [merged], 0
        return merged

    def _curves(self) -> NDArray[np.float64]:
        """Compute rates of good pixels, defective pixels and overlap above falling thresholds: (3, K), from 0 to 1."""
        weights = self._merge().weights if self._pending else np.zeros((0, 3))
        reached = np.cumsum(weights[::-1], axis=0)
        if not self._regions or not reached[-1, 0]:
            raise ValueError("expected good and defective pixels, got only one kind")
        return np.vstack([np.zeros(3), reached / reached[-1]]).T


@dataclass(frozen=True, slots=True, eq=False)
class _Histogram:
    """Weights (K, 3) of bins by key (K,): good pixels, defective pixels, and shares of regions."""

    keys: NDArray[np.uint32]
    weights: NDArray[np.float64]


def region_peaks(
    scores: NDArray[np.float32], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Compute area in pixels and highest score of each region of a mask, int64 and float32 (K,), from top to bottom.

    A region is found at a threshold where its highest score is above it. Arguments and errors as for `PixelCurve.add`.
    """
    values, defective = _checked(scores, mask)
    labels, count = ndimage.label(defective, _EIGHT_CONNECTED)
    region = labels[defective] - 1
    peaks = np.full(count, -np.inf, dtype=np.float32)
    np.maximum.at(peaks, region, values[defective])
    return np.bincount(region, minlength=count), peaks


def recall_by_size(
    areas: ArrayLike,
    found: ArrayLike,
    edges: Sequence[float] | None = None,
    *,
    classes: int = 4,
    confidence: float = 0.95,
) -> tuple[SizeClass, ...]:
    """Compute the share of regions found in each class of sizes, smallest first; empty classes are left out.

    The intervals take regions as independent; regions of one part are not quite, which makes them too narrow.

    Args:
        areas: (K,) in pixels.
        found: (K,) booleans.
        edges: rising sizes that separate the classes; a region of the size of an edge belongs above it. By default
            quantiles, so that classes have about equally many regions.
        classes: how many classes by quantiles, at least 1.
        confidence: of the intervals of Clopper and Pearson.

    Raises:
        UsageError: the edges do not rise.
        ValueError: the lengths differ.
    """
    sizes, is_found = np.asarray(areas, dtype=np.float64), np.asarray(found, dtype=bool)
    if sizes.shape != is_found.shape or sizes.ndim != 1:
        raise ValueError(
            f"expected two lists of equal length, got {sizes.shape} and {is_found.shape}"
        )
    if edges is None:
        levels = np.arange(1, classes) / classes
        cuts = np.unique(np.quantile(sizes, levels, method="higher")) if len(sizes) else sizes
    else:
        cuts = np.asarray(edges, dtype=np.float64)
        if not (np.isfinite(cuts).all() and (np.diff(cuts) > 0).all()):
            raise UsageError(f"expected rising sizes in pixels, got {list(edges)}")
    limits: list[float | None] = [0.0, *cuts.tolist(), None]
    place = np.searchsorted(cuts, sizes, side="right")
    return tuple(
        SizeClass(
            low or 0.0, high, Share(int(is_found[inside].sum()), int(inside.sum()), confidence)
        )
        for k, (low, high) in enumerate(pairwise(limits))
        if (inside := place == k).any()
    )


def recall_by_label(
    labels: Iterable[str], found: ArrayLike, *, confidence: float = 0.95
) -> dict[str, Share]:
    """Compute the share of regions (or parts) found for each label, by name; intervals as for `recall_by_size`.

    Raises:
        ValueError: the lengths differ.
    """
    outcomes: dict[str, list[bool]] = {}
    for label, outcome in zip(labels, np.asarray(found, dtype=bool).tolist(), strict=True):
        outcomes.setdefault(label, []).append(outcome)
    return {label: Share(sum(own), len(own), confidence) for label, own in sorted(outcomes.items())}


def _area(x: NDArray[np.float64], y: NDArray[np.float64], limit: float, *, exact: bool) -> Area:
    """Integrate the rising curve (K,) by trapezoids up to x = limit, divide by limit, and bound the error."""
    last = int(np.searchsorted(x, limit, side="right")) - 1
    x_end, y_end, top = x[: last + 1], y[: last + 1], y[last]
    if last + 1 < len(x):
        along = (limit - x[last]) / (x[last + 1] - x[last])
        top = y[last + 1]
        x_end = np.append(x_end, limit)
        y_end = np.append(y_end, y[last] + along * (top - y[last]))
    widths = np.diff(x_end)
    value = float(widths @ (y_end[1:] + y_end[:-1])) / 2
    low = float(widths @ y_end[:-1])
    # The true curve may reach the top of the limit's bin before the limit.
    high = float(widths[:-1] @ y_end[1:-1]) + float(widths[-1]) * float(top)
    return Area(value / limit, 0.0 if exact else max(high - value, value - low) / limit)


def _grouped(keys: NDArray[np.uint32], weights: NDArray[np.float64]) -> _Histogram:
    """Merge equal neighbours among sorted keys."""
    starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] ^ np.uint32(1)))
    return _Histogram(keys[starts], np.add.reduceat(weights, starts, axis=0))


def _sortable(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Map floats to integers in the same order, neighbours to neighbours; -0 and 0 are one."""
    bits = (values + np.float32(0)).view(np.uint32)
    sign = np.uint32(1 << 31)
    return np.where(bits & sign, ~bits, bits | sign)


def _checked(
    scores: NDArray[np.float32], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    values, defective = np.asarray(scores, dtype=np.float32), np.asarray(mask, dtype=bool)
    if values.shape != defective.shape or values.ndim != 2:
        raise ValueError(
            f"expected a map and a mask of one shape (h, w), got {values.shape} and {defective.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    return values, defective
