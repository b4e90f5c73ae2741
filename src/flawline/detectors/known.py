"""Known defects in a detector: patches that look like them score higher than they would."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.known_defects import Evidence
from flawline.detectors.method import Arrays
from flawline.detectors.nodes import Nodes

DIRECTION, BIAS = "known_direction", "known_bias"


def known_arrays(evidence: Evidence) -> dict[str, NDArray[Any]]:
    """Name the arrays of a detector that hold evidence of known defects."""
    return {DIRECTION: evidence.direction, BIAS: np.array([evidence.bias], np.float32)}


def known_of(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Select the arrays that hold evidence of known defects; none where nothing was learnt of them."""
    return {name: arrays[name] for name in (DIRECTION, BIAS) if name in arrays}


def raised_node(ops: Nodes, scores: Any, patches: Any, arrays: Arrays) -> Any:
    """Add to scores, any shape of h * w numbers, what is positive of the evidence of their patches (h * w, k).

    Scores stay as they are in a detector that learnt from no bad part.
    """
    if DIRECTION not in arrays:
        return scores
    direction = arrays[DIRECTION].astype(np.float32)
    rows = ops.reshape(scores, (-1, 1))
    by_score = ops.multiply(rows, ops.constant(direction[-1:][None]))
    by_patch = ops.matmul(patches, ops.constant(direction[:-1, None]))
    bias = ops.constant(arrays[BIAS].astype(np.float32)[None])
    evidence = ops.add(ops.add(by_patch, by_score), bias)
    return ops.add(rows, ops.maximum(evidence, ops.constant(np.float32(0))))
