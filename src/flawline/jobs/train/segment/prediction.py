"""Whole pictures through a network that is being trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE, ConfusionMatrix
from flawline.core.view.framing import Framing
from flawline.core.view.tiling import cut
from flawline.jobs.train.segment.pairs import Pairs
from flawline.jobs.train.segment.torch_settings import Machine
from flawline.networks.network import Preparation
from flawline.networks.segmenter import whole_picture

_AT_ONCE = 8


def prepared(pixels: NDArray[np.uint8], preparation: Preparation, machine: Machine) -> Any:
    """Pixels uint8 (N, H, W, 3) as input (N, 3, H, W), channels last."""
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=machine.device)
        for values in (preparation.mean, preparation.std)
    )
    values = torch.from_numpy(pixels).to(machine.device, torch.float32)
    return values.sub_(mean).div_(std).permute(0, 3, 1, 2)


def class_shares(
    network: Any,
    pixels: NDArray[np.uint8],
    preparation: Preparation,
    framing: Framing,
    machine: Machine,
) -> NDArray[np.float32]:
    """Probabilities float32 (C, H, W) of each class for a picture uint8 (H, W, 3), through windows that overlap."""
    windows = list(cut(pixels, framing))
    found: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(windows), _AT_ONCE):
            some = np.stack([window.pixels for window in windows[start : start + _AT_ONCE]])
            with machine.autocast():
                logits = network(prepared(some, preparation, machine))
            found += list(torch.softmax(logits.float(), 1).cpu().numpy())
    places = [window.place for window in windows]
    return whole_picture(places, found, framing, (pixels.shape[0], pixels.shape[1]))


def validate(
    network: Any, pairs: Pairs, preparation: Preparation, framing: Framing, machine: Machine
) -> tuple[ConfusionMatrix, float | None]:
    """The confusion matrix over whole pictures, and the mean of -log p of the true class over their known pixels."""
    matrix = ConfusionMatrix(len(pairs.source.classes))
    total, known = 0.0, 0
    training = network.training
    network.eval()
    try:
        for number in range(len(pairs)):
            pixels, mask = pairs[number]
            shares = class_shares(network, pixels, preparation, framing, machine)
            matrix.add(mask, shares.argmax(0))
            seen = mask != IGNORE
            of_truth = np.take_along_axis(
                shares, np.where(seen, mask, 0)[None].astype(np.int64), 0
            )[0][seen]
            total -= float(np.log(np.maximum(of_truth, 1e-12), dtype=np.float64).sum())
            known += int(seen.sum())
    finally:
        network.train(training)
    return matrix, total / known if known else None
