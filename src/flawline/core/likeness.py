"""Compare small pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def most_alike(small: NDArray[np.uint8], others: Sequence[NDArray[np.uint8]]) -> int | None:
    """Return the place of the picture that is most like another; None where none has its shape.

    The distance is the mean absolute difference of the pixels, each picture less its own mean, so that the light of the
    moment does not count. Ties go to the first.

    Args:
        small: uint8 of any shape.
        others: pictures to choose from; those of other shapes are passed over.
    """
    wanted = _centred(small)
    distances = [
        (float(np.abs(_centred(other) - wanted).mean()), number)
        for number, other in enumerate(others)
        if other.shape == small.shape
    ]
    return min(distances)[1] if distances else None


def _centred(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = small.astype(np.float32)
    centred: NDArray[np.float32] = values - values.mean()
    return centred
