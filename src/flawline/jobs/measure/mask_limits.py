"""Refuse masks that would take minutes or gigabytes to measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError

MOST_RUNS = 300_000
_BYTES = 40
"""Memory that measuring takes for a pixel of a defect."""
_BLOCK = 2_000_000


def check_runs(mask: NDArray[np.uint8]) -> None:
    """Count the runs of equal pixels in the rows of a mask; raises ImageError for noise, whose defects mean nothing."""
    rows = max(1, _BLOCK // max(1, mask.shape[1]))
    blocks = (mask[top : top + rows] for top in range(0, len(mask), rows))
    runs = sum(np.count_nonzero(block[:, 1:] != block[:, :-1]) for block in blocks) // 2
    if runs > MOST_RUNS:
        raise ImageError(
            f"expected a mask of defects, at most {MOST_RUNS} runs of pixels in all its rows, got {runs}",
            hint="The mask looks like noise: smooth it, or check what its values mean.",
            code="image-mask",
        )


def bytes_needed(mask: NDArray[np.uint8]) -> int:
    """Bound the memory that measuring takes, in bytes."""
    return _BYTES * int(np.count_nonzero(mask))
