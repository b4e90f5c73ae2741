"""Losses for classes with few pixels; unknown pixels count nothing in any of them.

Every loss takes logits float (N, C, H, W) and classes int64 (N, H, W), `IGNORE` where unknown, and gives one number.
p is the softmax of the logits, g is 1 for the true class of a pixel and 0 for the others. Where nothing counts, a loss
is 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from flawline.core.segmentation_metrics import IGNORE
from flawline.errors import UsageError

Loss = Callable[[Any, Any], Any]
_TERM = re.compile(r"(?:([\d.]+)\*)?([a-z-]+)")


def cross_entropy(logits: Any, truth: Any) -> Any:
    """Average -log p of the true class over the known pixels."""
    total = functional.cross_entropy(logits, truth, ignore_index=IGNORE, reduction="sum")
    return total / _known(truth).sum().clamp(min=1)


def balanced(logits: Any, truth: Any) -> Any:
    """Average -log p of the true class, the n known pixels of a class in the batch weighted by n^(-1/4) each.

    A class thus counts as its area to the power of 3/4, as words do in T. Mikolov et al., "Distributed Representations
    of Words and Phrases and their Compositionality", NIPS 2013, section 2.2. Unweighted, the background drives the
    other classes to where their gradients vanish, before anything of them is learnt; weighted by the root or more, too
    many pixels are predicted as defects.
    """
    every = torch.bincount(truth.flatten(), minlength=IGNORE + 1)
    counts = every[: logits.shape[1]].to(logits.dtype)
    weights = counts.clamp(min=1) ** -0.25
    total = functional.cross_entropy(
        logits, truth, weight=weights, ignore_index=IGNORE, reduction="sum"
    )
    return total / (weights * counts).sum().clamp(min=1)


def focal(logits: Any, truth: Any, gamma: float = 2.0) -> Any:
    """Average -(1 - p)^gamma log p of the true class over the known pixels.

    T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal Loss for Dense Object Detection", ICCV 2017, eq. 4.
    """
    plain = functional.cross_entropy(logits, truth, ignore_index=IGNORE, reduction="none")
    faded = (1 - torch.exp(-plain)) ** gamma * plain
    return faded.sum() / _known(truth).sum().clamp(min=1)


def dice(logits: Any, truth: Any) -> Any:
    """Compute 1 - mean of (2 sum p g + 1) / (sum p + sum g + 1) over the classes of defects in the batch.

    F. Milletari, N. Navab and S.-A. Ahmadi, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
    Segmentation", 3DV 2016, section 3, without the squares, and smoothed by 1; sums run over the batch.
    """
    return tversky(logits, truth, wrong=0.5, missed=0.5)


def tversky(logits: Any, truth: Any, wrong: float = 0.3, missed: float = 0.7) -> Any:
    """Compute 1 - mean of (TP + s) / (TP + wrong FP + missed FN + s), s = 0.5, over the defect classes in the batch.

    TP = sum p g, FP = sum p (1 - g), FN = sum (1 - p) g. S. S. M. Salehi, D. Erdogmus and A. Gholipour, "Tversky loss
    function for image segmentation using 3D fully convolutional deep networks", MLMI 2017, eq. 3 and 4, smoothed. At
    wrong = missed = 0.5 it is the Dice loss.
    """
    p, true = _p_and_g(logits, truth)
    hit = (p * true).sum((0, 2, 3))
    extra, lost = p.sum((0, 2, 3)) - hit, true.sum((0, 2, 3)) - hit
    index = (hit + 0.5) / (hit + wrong * extra + missed * lost + 0.5)
    present = true.sum((0, 2, 3)) > 0
    present[0] = False
    return ((1 - index) * present).sum() / present.sum().clamp(min=1)


def lovasz(logits: Any, truth: Any) -> Any:
    """Average the Lovász extension of the Jaccard loss over the classes in the batch, on the batch as a whole.

    The errors |g - p| of a class, sorted downwards, times the increments of 1 - intersection / union as each pixel in
    turn is taken to be wrong. M. Berman, A. Rannen Triki and M. B. Blaschko, "The Lovász-Softmax loss", CVPR 2018,
    eq. 8, 9 and 11, algorithm 1. It sorts all pixels once for each class, which on a CPU costs about as much as a small
    network.
    """
    known = _known(truth)
    p = torch.softmax(logits, 1).movedim(1, -1)[known]
    labels = truth[known]
    losses = []
    for number in range(logits.shape[1]):
        true = (labels == number).to(p.dtype)
        count = true.sum()
        if count == 0:
            continue
        errors, order = (true - p[:, number]).abs().sort(descending=True, stable=True)
        sorted_true = true[order]
        left = count - sorted_true.cumsum(0)
        union = count + (1 - sorted_true).cumsum(0)
        jaccard = 1 - left / union
        steps = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
        losses.append((errors * steps).sum())
    return torch.stack(losses).mean() if losses else logits.sum() * 0


def boundary(logits: Any, truth: Any) -> Any:
    """Average the sum over classes of p times the signed distance to the border of the class over the known pixels.

    The distance is negative inside the class, 0 where a patch does not show it, and divided by the longer side of the
    patch. H. Kervadec et al., "Boundary loss for highly unbalanced segmentation", MIDL 2019, eq. 5. Add it to a loss of
    regions: alone it is lowest where everything is far from the border.
    """
    p, _ = _p_and_g(logits, truth)
    classes = logits.shape[1]
    distances = np.stack([signed_distances(one, classes) for one in truth.cpu().numpy()])
    weights = torch.from_numpy(distances).to(logits.device)
    return (p * weights).sum() / _known(truth).sum().clamp(min=1)


LOSSES: Mapping[str, Loss] = {
    "cross-entropy": cross_entropy,
    "balanced": balanced,
    "focal": focal,
    "dice": dice,
    "tversky": tversky,
    "lovasz": lovasz,
    "boundary": boundary,
}


@dataclass(frozen=True, slots=True)
class Sum:
    """A weighted sum of losses: (name, weight) each."""

    terms: tuple[tuple[str, float], ...]

    def __call__(self, logits: Any, truth: Any) -> tuple[Any, dict[str, Any]]:
        """Compute the sum, and the value of each loss before its weight."""
        values = {name: LOSSES[name](logits, truth) for name, _ in self.terms}
        return sum(weight * values[name] for name, weight in self.terms), values


def parse_loss(text: str) -> Sum:
    """Read a sum of losses such as "focal+dice" or "cross-entropy+0.5*lovasz".

    Raises:
        UsageError: an unknown loss, one that is named twice, or a weight of 0.
    """
    terms: list[tuple[str, float]] = []
    for part in text.replace(" ", "").split("+"):
        match = _TERM.fullmatch(part)
        weight = _number(match[1]) if match else 0
        if match is None or match[2] not in LOSSES or not weight:
            raise UsageError(
                f"loss {text!r} is not understood at {part!r}",
                hint=f'expected a sum such as "cross-entropy+0.5*dice" of {", ".join(LOSSES)}',
            )
        terms.append((match[2], weight))
    if len({name for name, _ in terms}) < len(terms):
        raise UsageError(f"loss {text!r} names one twice")
    return Sum(tuple(terms))


def signed_distances(truth: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Measure distances of pixels to the border of each class, negative inside, in patch sides: float32 (C, H, W).

    0 for a class that fills none or all of the patch, as in the authors' code where there is none.
    """
    distances = np.zeros((classes, *truth.shape), np.float32)
    for number in range(classes):
        inside = truth == number
        if inside.any() and not inside.all():
            outer = cv2.distanceTransform((~inside).view(np.uint8), cv2.DIST_L2, 5)
            inner = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 5)
            distances[number] = np.where(inside, 1 - inner, outer) / max(truth.shape)
    return distances


def _p_and_g(logits: Any, truth: Any) -> tuple[Any, Any]:
    """Return p and g, both 0 where unknown: (N, C, H, W)."""
    classes = torch.arange(logits.shape[1], device=logits.device)[:, None, None]
    true = (truth[:, None] == classes).to(logits.dtype)
    return torch.softmax(logits, 1) * _known(truth)[:, None], true


def _known(truth: Any) -> Any:
    return truth != IGNORE


def _number(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0
