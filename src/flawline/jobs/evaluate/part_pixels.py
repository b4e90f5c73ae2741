"""Bootstrap the intersection over union by part: intervals, and differences between segmenters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.bootstrap import Difference, Estimate, metric_interval, paired_difference
from flawline.errors import UsageError
from flawline.jobs.evaluate.segmentation import PartPixels

Counts = NDArray[np.int64]
Figure = Callable[[Counts], float]
"""A number from pixels (C, C) by true and predicted class."""


def mean_iou(counts: Counts) -> float:
    """Average over the classes of defects that are true or predicted somewhere; 0 where there are none."""
    right, union = _right_and_union(counts)
    known = union[1:] > 0
    return float((right[1:][known] / union[1:][known]).mean()) if known.any() else 0.0


def iou_of(place: int) -> Figure:
    """Return the figure of one class: its intersection over union, 0 where it is neither true nor predicted."""

    def iou(counts: Counts) -> float:
        right, union = _right_and_union(counts)
        return float(right[place] / union[place]) if union[place] else 0.0

    return iou


def interval_of(figure: Figure, parts: PartPixels, *, draws: int, seed: int) -> Estimate | None:
    """Estimate a figure of all parts with its interval; None where parts are too few to draw from."""
    stack, bad, metric = _ready(figure, [parts])
    rows = np.arange(len(stack), dtype=np.float64)
    try:
        return metric_interval(metric, bad, rows, draws=draws, seed=seed)
    except UsageError as error:
        _only_too_few(error)
        return None


def difference_of(
    figure: Figure, first: PartPixels, second: PartPixels, *, draws: int, seed: int
) -> Difference | None:
    """Estimate the difference of a figure from first to second, on the same draws of parts; None with too few parts.

    Raises:
        ValueError: the parts differ.
    """
    if first.names != second.names:
        raise ValueError("expected the same parts in the same order")
    _, bad, metric = _ready(figure, [first, second])
    rows = np.arange(len(bad), dtype=np.float64)
    try:
        difference = paired_difference(metric, bad, rows, rows + len(bad), draws=draws, seed=seed)
    except UsageError as error:
        _only_too_few(error)
        return None
    return replace(difference, groups=len(first.names))


def _ready(
    figure: Figure, parts: Sequence[PartPixels]
) -> tuple[Counts, NDArray[np.bool_], Callable[[NDArray[np.bool_], NDArray[np.float64]], float]]:
    """Stack pixels of all parts of all recipes, with the bad parts and the figure of rows of the stack."""
    bad = parts[0].counts[:, 1:].sum((1, 2)) > 0
    # Draws need good parts too; without pixels they change nothing.
    none = max(0, 2 - int((~bad).sum()))
    empty = np.zeros((none, *parts[0].counts.shape[1:]), np.int64)
    stack = np.concatenate([counts for one in parts for counts in (one.counts, empty)])

    def metric(_: NDArray[np.bool_], rows: NDArray[np.float64]) -> float:
        return figure(stack[rows.astype(np.intp)].sum(0))

    return stack, np.append(bad, np.zeros(none, bool)), metric


def _right_and_union(counts: Counts) -> tuple[Counts, Counts]:
    right = np.diagonal(counts)
    return right, counts.sum(0) + counts.sum(1) - right


def _only_too_few(error: UsageError) -> None:
    if error.code != "groups-too-few":
        raise error
