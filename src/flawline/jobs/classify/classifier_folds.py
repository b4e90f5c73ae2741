"""Split pictures for cross-validation: shares of classes kept, groups never torn."""

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
    """Raise UsageError where a class has fewer groups (pictures, where every picture is its own) than folds."""
    unit = "groups" if len(np.unique(groups)) < len(groups) else "pictures"
    for k, name in enumerate(classes):
        found = len(np.unique(groups[truth == k]))
        if found < folds:
            raise UsageError(
                f"{folds} folds need at least {folds} {unit} of every class, {name!r} has {found}",
                hint=f"use `folds={found}`, label more, or leave out the class"
                if found > 2
                else f"label at least {max(3, folds)} {unit} of it, or leave out the class",
            )


def split(
    truth: NDArray[np.int64], groups: NDArray[np.int64], folds: int, seed: int, *, fewest: int = 1
) -> list[Split]:
    """Rows (train, test) of each fold; every training part holds at least `fewest` groups of every class.

    StratifiedGroupKFold of scikit-learn where a group holds several pictures, else StratifiedKFold.

    Raises:
        UsageError: no such split was found.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    grouped = len(np.unique(groups)) < len(groups)
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    for attempt in range(_TRIES):
        cutter = kind(folds, shuffle=True, random_state=seed + attempt)
        found = list(cutter.split(truth, truth, groups if grouped else None))
        if all(_enough(truth, groups, train, fewest) for train, _ in found):
            return found
    raise UsageError(
        f"the groups cannot be dealt to {folds} folds so that every class is always learned",
        hint="use fewer folds, or label more groups of the rare classes",
    )


def _enough(
    truth: NDArray[np.int64], groups: NDArray[np.int64], train: NDArray[np.intp], fewest: int
) -> bool:
    return all(len(np.unique(groups[train][truth[train] == k])) >= fewest for k in np.unique(truth))
