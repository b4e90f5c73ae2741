"""Split pictures for cross-validation, stratified by class, without splitting groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError

Split = tuple[NDArray[np.intp], NDArray[np.intp]]
_TRIES = 20


def check_folds(
    classes: Sequence[str], truth: NDArray[np.int64], groups: NDArray[np.int64], folds: int
) -> None:
    """Raise UsageError if a class has fewer groups (or pictures, without groups) than folds."""
    unit = "groups" if len(np.unique(groups)) < len(groups) else "pictures"
    for k, name in enumerate(classes):
        count = len(np.unique(groups[truth == k]))
        if count < folds:
            raise UsageError(
                f"{folds} folds need at least {folds} {unit} of every class, {name!r} has {count}",
                hint=f"use `folds={count}`, label more, or leave out the class"
                if count > 2
                else f"label at least {max(3, folds)} {unit} of it, or leave out the class",
            )


def split(
    truth: NDArray[np.int64], groups: NDArray[np.int64], folds: int, seed: int, *, fewest: int = 1
) -> list[Split]:
    """Split rows into (train, test) folds; every training part has at least `fewest` groups of every class.

    Uses StratifiedGroupKFold of scikit-learn if a group has several pictures, else StratifiedKFold.

    Raises:
        UsageError: no such split was found.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    grouped = len(np.unique(groups)) < len(groups)
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    for attempt in range(_TRIES):
        cutter = kind(folds, shuffle=True, random_state=seed + attempt)
        splits = list(cutter.split(truth, truth, groups if grouped else None))
        if all(_enough(truth, groups, train, fewest) for train, _ in splits):
            return splits
    raise UsageError(
        f"the groups cannot be divided into {folds} folds with every class in each training part",
        hint="use fewer folds, or label more groups of the rare classes",
    )


def _enough(
    truth: NDArray[np.int64], groups: NDArray[np.int64], train: NDArray[np.intp], fewest: int
) -> bool:
    return all(len(np.unique(groups[train][truth[train] == k])) >= fewest for k in np.unique(truth))
