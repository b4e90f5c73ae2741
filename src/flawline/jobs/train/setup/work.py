"""Count the work of trials, so that a search ends after the same trials on every machine.

A unit is what one window of 256 x 256 px takes in the embedded backbone, about 10 ms of one core. The other figures
were measured beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from flawline.core.view.framing import Framing, window_count
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.judged_pictures import FOLDS

WINDOW = 256 * 256
_DECODED, _WARPED, _LIT, _FOREGROUND = 0.4, 1.6, 0.6, 0.5
"""Units for a million pixels of a picture."""
_REFERENCE, _POSE, _FRAMED = 300.0, 2.7, 1.0
"""Units to learn an alignment, and for each picture to find its pose and its foreground."""
_AVERAGED, _REMEMBERED = 0.3, 4.0
"""Units to fit and score a window of that size: averages, and a memory that is chosen among all patches."""


def seeing_work(
    candidate: Candidate, framing: Framing, sizes: Sequence[tuple[int, int]], *, aligned: bool
) -> float:
    """Count the work of reading, preparing and embedding pictures of sizes (height, width).

    `aligned` tells that their poses are known already.
    """
    new = candidate.alignment != "none" and not aligned
    million = (
        _DECODED
        + _WARPED * (candidate.alignment != "none")
        + _LIT * (candidate.light != "none")
        + _FOREGROUND * candidate.foreground
    )
    each = _POSE * new + _FRAMED * candidate.foreground
    return _REFERENCE * new + sum(
        each + million * size[0] * size[1] / 1e6 + _windows(size, framing) for size in sizes
    )


def fitting_work(averages: bool, framing: Framing, sizes: Sequence[tuple[int, int]]) -> float:
    """Count the work of fitting the folds to pictures of sizes (height, width)."""
    each = _AVERAGED if averages else _REMEMBERED
    return each * (FOLDS - 1) * sum(_windows(size, framing) for size in sizes)


def _windows(size: tuple[int, int], framing: Framing) -> float:
    return window_count(size, framing) * framing.window[0] * framing.window[1] / WINDOW
