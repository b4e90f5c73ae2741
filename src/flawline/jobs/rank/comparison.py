"""Compare every picture with the others, place by place and as a whole, to rank unlabelled pictures.

A backbone gives each picture one map per stride, (C, h, w). Each map has four views:

- level: the mean over places, (C,): the content of the picture.
- detail: the standard deviation over places of the map minus its blurred copy, (C,): the contrast of small details.
- place: the map itself. Every cell is compared with the same cell of the other pictures, in channels whitened by the
  differences between pictures at one place: common differences count little, rare ones much.
- local: the one cell that differs more than is usual at its place, in its picture and around it
  (`flawline.jobs.rank.local_view`).

The anomaly of a view is the mean of the logarithms of the distances to the two nearest other pictures (or more, if
set), standardised over the references by median and 90th percentile: a mean and a standard deviation would be raised by
the very pictures that are sought. At a place, outlying references are not used as neighbours, so that a few parts
with the same defect do not hide each other. The score is the soft maximum of all views and strides, so that one very
anomalous view is not averaged away: log(mean(exp(SHARPNESS * view))) / SHARPNESS. About 0 is typical; the
score is not clamped.

The parts of the method: distance to the k-th nearest neighbour as an outlier score (S. Ramaswamy et al., SIGMOD
2000), on features of a frozen network (L. Bergman et al., "Deep Nearest Neighbor Anomaly Detection", 2020; K. Roth et
al., CVPR 2022), at the same place and whitened (T. Defard et al., "PaDiM", ICPR 2021; one covariance for all places,
as in I. Reed and X. Yu's detector, IEEE TASSP 38(10), 1990), of an unlabelled set against itself (X. Li et al., "MuSc",
ICLR 2024), combined as a standardised ensemble (C. Aggarwal and S. Sathe, SIGKDD Explorations 17(1), 2015).

A reference is compared with the other references only; a new picture with all of them. A score depends on that picture
and the fitted arrays alone, never on other pictures scored with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.jobs.rank.local_view import (
    LocalScale,
    fit_local_scale,
    moving_average,
    strongest_place,
)

Floats = NDArray[np.float32]
Maps = Mapping[str, Floats]
"""Maps by stride name, each (N, C, h, w)."""

VIEWS = ("level", "detail", "place", "local")
NEIGHBOURS = 2
WORST_CELLS = 2
# Between the mean of the views (0) and the largest of them (infinite).
SHARPNESS = 0.6
# Structure that is smooth over this many cells is not detail.
BLUR_CELLS = 5
# Added to the variance of every channel direction before whitening, as a part of their mean.
SHRINKAGE = 0.05
# How much the length of a centred vector counts: 0 is Euclidean distance, 1 is direction only.
LEVEL_POWER = 0.5
DETAIL_POWER = 1.0
# Distances below this part of the median count as equal to it: an exact copy tells no more than a near one.
FLOOR = 0.1
# At most this part of the references may look alike at one place and still be outlying there.
RARE = 0.08
# How many robust standard deviations from the bulk are outlying.
APART = 5.0
# A smaller spread of log distances counts as this: where nearly all are equal, a tiny difference is not outlying.
LEAST_SPREAD = 0.02
TINY = 1e-6
# Ninety of a hundred references are below this many standard deviations, if they scatter as a normal distribution.
USUAL = 0.9
USUAL_DEVIATIONS = 1.2816


@dataclass(frozen=True, slots=True)
class StrideReferences:
    """Maps of the references at one stride: R pictures, P = h * w places, C channels.

    `levels` and `details` are (R, C), centred and scaled; `cells` is (P, R, C) less `level_centre` (C,) and times
    `whitening` (C, C); `apart` (P, R) is True for cells that are outlying at their place and no neighbours there;
    `weights` (P,) makes places comparable; `floors` (3,) is the smallest distance resolved in level, detail and place;
    `local` is what is usual at each place, None where references of an earlier version have no local view.
    """

    grid: tuple[int, int]
    level_centre: Floats
    levels: Floats
    detail_centre: Floats
    details: Floats
    whitening: Floats
    cells: Floats
    apart: NDArray[np.bool_]
    weights: Floats
    floors: Floats
    local: LocalScale | None = None

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views that are compared."""
        return VIEWS if self.local is not None else VIEWS[:-1]


@dataclass(frozen=True, slots=True)
class References:
    """References for scoring pictures, as plain arrays.

    `centre` and `spread` (V,) standardise the anomaly of each of the V = 4 * strides views; a view in which the
    references do not differ has infinite spread and so counts as 0. `neighbours` is how many nearest references
    each distance is averaged over, `sharpness` that of the soft maximum.
    """

    strides: Mapping[str, StrideReferences]
    centre: Floats
    spread: Floats
    neighbours: int = NEIGHBOURS
    sharpness: float = SHARPNESS

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the V views: "stride8 level", "stride8 detail", ..."""
        return tuple(
            f"{name} {view}" for name, stride in self.strides.items() for view in stride.views
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """Scores (N,), standardised views (N, V), and heat maps (N, h, w) on the finest grid, where 1 is typical."""

    scores: Floats
    views: Floats
    heat: Floats


@dataclass(frozen=True, slots=True)
class _Near:
    """Ascending distances to the K nearest references: (K, N), (K, N) and (K, P, N)."""

    levels: Floats
    details: Floats
    cells: Floats


def fit_references(
    maps: Maps, excluded: NDArray[np.bool_] | None = None, neighbours: int = NEIGHBOURS
) -> tuple[References, Compared]:
    """Fit references on their own maps.

    Args:
        maps: maps of N >= 2 pictures by stride.
        excluded: (N, N), True where two pictures must not be compared because they show the same part; a picture
            is never compared with itself.
        neighbours: how many nearest others count. Pictures that differ from the bulk as a whole, in the same way, hide
            each other if there are as many as this; more neighbours find them, and find single ones a little later.

    Returns:
        The references, and their comparison with each other.
    """
    count = len(next(iter(maps.values())))
    hidden = np.eye(count, dtype=bool) if excluded is None else excluded | np.eye(count, dtype=bool)
    fitted = {name: _fit_stride(stack, hidden, neighbours) for name, stack in maps.items()}
    anomaly = np.concatenate(
        [_view_anomaly(stride, near) for stride, near in fitted.values()], axis=1
    )
    centre = np.median(anomaly, axis=0)
    spread = (np.quantile(anomaly, USUAL, axis=0) - centre) / USUAL_DEVIATIONS
    references = References(
        {name: stride for name, (stride, _) in fitted.items()},
        centre,
        np.where(spread > TINY, spread, np.inf).astype(np.float32),
        neighbours,
    )
    return references, _compared(references, anomaly, [_heat(*pair) for pair in fitted.values()])


def compare(
    references: References, maps: Maps, excluded: NDArray[np.bool_] | None = None
) -> Compared:
    """Score the maps of N pictures against references; `excluded` (N, R) as in `fit_references`."""
    neighbours = [
        (stride, _near(stride, maps[name], excluded, references.neighbours))
        for name, stride in references.strides.items()
    ]
    anomaly = np.concatenate([_view_anomaly(stride, near) for stride, near in neighbours], axis=1)
    return _compared(references, anomaly, [_heat(*pair) for pair in neighbours])


def _compared(references: References, anomaly: Floats, heats: list[Floats]) -> Compared:
    views = ((anomaly - references.centre) / references.spread).astype(np.float32)
    largest = views.max(axis=1, keepdims=True)
    # The largest view is taken out of the exponentials, which could overflow.
    excess = np.exp(references.sharpness * (views - largest)).mean(axis=1)
    scores = largest[:, 0] + np.log(excess) / np.float32(references.sharpness)
    return Compared(scores.astype(np.float32), views, _on_finest_grid(heats))


def _fit_stride(
    stack: Floats, hidden: NDArray[np.bool_], neighbours: int
) -> tuple[StrideReferences, _Near]:
    levels, details = _pooled(stack)
    level_centre, detail_centre = levels.mean(axis=0), details.mean(axis=0)
    cells = _cells(stack, level_centre)
    whitening = _whitening(cells)
    places = stack.shape[2] * stack.shape[3]
    plain = StrideReferences(
        grid=(stack.shape[2], stack.shape[3]),
        level_centre=level_centre,
        levels=_shrunk(levels - level_centre, LEVEL_POWER),
        detail_centre=detail_centre,
        details=_shrunk(details - detail_centre, DETAIL_POWER),
        whitening=whitening,
        cells=cells @ whitening,
        apart=np.zeros((places, len(stack)), dtype=bool),
        weights=np.ones(places, dtype=np.float32),
        floors=np.zeros(3, dtype=np.float32),
    )
    beyond = max(neighbours, math.ceil(RARE * len(stack)))
    distances = _near(plain, stack, hidden, beyond).cells
    typical = np.median(distances[0], axis=1)
    # A place that always differs (an edge that shifts) must differ more to be anomalous.
    weights = 1 / np.sqrt(typical + 0.05 * np.median(distances[0]) + TINY)
    weighted = replace(
        plain, apart=_apart(distances[-1], hidden), weights=weights.astype(np.float32)
    )
    near = _near(weighted, stack, hidden, neighbours)
    views = (near.levels, near.details, _worst(weighted, near.cells))
    floors = np.array([FLOOR * np.median(view[0]) for view in views], dtype=np.float32)
    return replace(weighted, floors=floors, local=fit_local_scale(near.cells)), near


def _apart(distances: Floats, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find references (P, R) far from the bulk at a place, by `distances` (P, R) to a neighbour beyond the rare ones.

    A picture that is far everywhere (other lighting) is outlying only where it is farther than its own median.
    """
    logs = np.log(distances + TINY)
    logs -= np.median(logs, axis=1, keepdims=True)
    logs -= np.median(logs, axis=0, keepdims=True)
    spread = max(1.4826 * float(np.median(np.abs(logs))), LEAST_SPREAD)
    apart = logs > APART * spread
    # No reference may be left without any other to be compared with.
    left = (~apart).astype(np.float32) @ (~hidden).T.astype(np.float32)
    return np.asarray(apart & (left > 0).all(axis=1, keepdims=True))


def _pooled(stack: Floats) -> tuple[Floats, Floats]:
    """Pool (N, C, h, w) to the mean (N, C) over places and the standard deviation (N, C) of what blurring removes."""
    rows = moving_average(stack.shape[2], BLUR_CELLS // 2)
    columns = moving_average(stack.shape[3], BLUR_CELLS // 2)
    detail = stack - rows @ stack @ columns.T
    return stack.mean(axis=(2, 3)), detail.std(axis=(2, 3))


def _whitening(cells: Floats) -> Floats:
    """Estimate the matrix (C, C) that gives differences of references (P, R, C) at one place unit covariance."""
    apart = (cells - cells.mean(axis=1, keepdims=True)).reshape(-1, cells.shape[2])
    variances, directions = np.linalg.eigh((apart.T @ apart / len(apart)).astype(np.float64))
    variances = np.maximum(variances, 0) + SHRINKAGE * variances.mean() + TINY
    return np.asarray((directions / np.sqrt(variances)) @ directions.T, dtype=np.float32)


def _shrunk(rows: Floats, power: float) -> Floats:
    """Divide each row by its length to the `power`."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / (lengths + TINY) ** power, dtype=np.float32)


def _near(
    stride: StrideReferences, stack: Floats, hidden: NDArray[np.bool_] | None, neighbours: int
) -> _Near:
    """Compute the nearest distances of each picture, one picture at a time.

    The rounding of a matrix product may depend on the position of a row, so only products of one shape give the same
    score to the last bit alone and among others.
    """
    lengths = (
        _lengths(stride.levels[None]),
        _lengths(stride.details[None]),
        np.where(stride.apart, np.float32(np.inf), _lengths(stride.cells)),
    )
    parts = [
        _near_of_picture(
            stride,
            stack[index : index + 1],
            lengths,
            None if hidden is None else hidden[index],
            neighbours,
        )
        for index in range(len(stack))
    ]
    return _Near(*(np.stack(part, axis=-1) for part in zip(*parts, strict=True)))


def _near_of_picture(
    stride: StrideReferences,
    picture: Floats,
    lengths: tuple[Floats, Floats, Floats],
    hidden: NDArray[np.bool_] | None,
    neighbours: int,
) -> tuple[Floats, Floats, Floats]:
    """Compute the nearest distances (K,), (K,) and (K, P) of maps (1, C, h, w)."""
    levels, details = _pooled(picture)
    levels = _shrunk(levels - stride.level_centre, LEVEL_POWER)
    details = _shrunk(details - stride.detail_centre, DETAIL_POWER)
    cells = _cells(picture, stride.level_centre)[:, 0] @ stride.whitening
    return (
        _nearest(levels, stride.levels[None], lengths[0], hidden, neighbours)[:, 0],
        _nearest(details, stride.details[None], lengths[1], hidden, neighbours)[:, 0],
        _nearest(cells, stride.cells, lengths[2], hidden, neighbours),
    )


def _lengths(cells: Floats) -> Floats:
    """Compute the squared lengths (P, R) of (P, R, C)."""
    return np.asarray(np.einsum("prc,prc->pr", cells, cells))


def _view_anomaly(stride: StrideReferences, near: _Near) -> Floats:
    """Compute the anomaly of each view, (N, 3) or (N, 4): mean logarithms of distances, and the strongest place."""
    views = (near.levels, near.details, _worst(stride, near.cells))
    logs = [
        np.log(np.maximum(view, floor) + TINY).mean(axis=0)
        for view, floor in zip(views, stride.floors, strict=True)
    ]
    if stride.local is not None:
        logs.append(strongest_place(near.cells, stride.local, stride.grid))
    return np.stack(logs, axis=1)


def _worst(stride: StrideReferences, near: Floats) -> Floats:
    """Average the weighted distances of the worst places: (K, P, N) to (K, N)."""
    weighted = near * stride.weights[:, None]
    count = min(WORST_CELLS, weighted.shape[1])
    top = np.partition(weighted, weighted.shape[1] - count, axis=1)[:, -count:]
    return np.asarray(top.mean(axis=1))


def _heat(stride: StrideReferences, near: _Near) -> Floats:
    """Build heat maps (N, h, w): weighted nearest distance of each cell over the typical one of the references."""
    relative = near.cells[0] * stride.weights[:, None] * (np.median(stride.weights) + TINY)
    return np.asarray(relative.T.reshape(-1, *stride.grid))


def _on_finest_grid(heats: list[Floats]) -> Floats:
    """Average the heat maps of all strides geometrically on the finest grid."""
    height = max(heat.shape[1] for heat in heats)
    width = max(heat.shape[2] for heat in heats)
    logs = [np.log(_resized(heat, height, width) + TINY) for heat in heats]
    return np.asarray(np.exp(np.mean(logs, axis=0)), dtype=np.float32)


def _resized(stack: Floats, height: int, width: int) -> Floats:
    """Resize (N, h, w) to (N, height, width), bilinear between cell centres."""
    rows, columns = _weights(stack.shape[1], height), _weights(stack.shape[2], width)
    return np.asarray(rows @ stack @ columns.T)


def _weights(old: int, new: int) -> Floats:
    """Build the matrix (new, old) of bilinear weights."""
    at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(old)))
    return np.asarray(weights, dtype=np.float32)


def _cells(stack: Floats, centre: Floats) -> Floats:
    """Reshape (N, C, h, w) to (P, N, C) minus `centre`, which changes no distance but keeps float32 exact enough."""
    flat = stack.reshape(*stack.shape[:2], -1) - centre[:, None]
    return np.ascontiguousarray(flat.transpose(2, 0, 1))


def _nearest(
    cells: Floats,
    references: Floats,
    lengths: Floats,
    hidden: NDArray[np.bool_] | None,
    neighbours: int,
) -> Floats:
    """Compute distances of cells (P, C) to the K nearest of (P, R, C) at the same place: (K, P), ascending.

    `lengths` (P, R) are the squared lengths of the references, infinite where one is left out; `hidden` (R,) is True
    for those left out everywhere. With fewer than K references the last distance is repeated; with none it is 0.
    """
    # |x - y|^2 = |x|^2 + |y|^2 - 2xy, where |x|^2 does not change which y is nearest and is added only to the smallest.
    partial = (references @ (-2 * cells)[:, :, None])[:, :, 0]
    partial += lengths
    if hidden is not None:
        partial[:, hidden] = np.inf
    own = np.einsum("pc,pc->p", cells, cells)
    return np.sqrt(np.maximum(_smallest(partial, own, neighbours), 0))


def _smallest(partial: Floats, own: Floats, neighbours: int) -> Floats:
    """Select the K smallest of (P, R) plus `own` (P,): (K, P); overwrites `partial`."""
    smallest = [np.zeros(own.shape, dtype=np.float32)]
    rows = np.arange(len(partial))
    for _ in range(neighbours):
        at = partial.argmin(axis=1)
        least = partial[rows, at]
        smallest.append(np.where(np.isfinite(least), least + own, smallest[-1]))
        partial[rows, at] = np.inf
    return np.stack(smallest[1:])
