"""Predict whole pictures by a network in training."""

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
    """Prepare pixels uint8 (N, H, W, 3) as input (N, 3, H, W), channels last."""
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=machine.device)
        for values in (preparation.mean, preparation.std)
    )
    values = torch.from_numpy(pixels).to(machine.device, torch.float32)
    return values.sub_(mean).div_(std).permute(0, 3, 1, 2)


def class_probabilities(
    network: Any,
    pixels: NDArray[np.uint8],
    preparation: Preparation,
    framing: Framing,
    machine: Machine,
) -> NDArray[np.float32]:
    """Predict probabilities float32 (C, H, W) of the classes of a picture uint8 (H, W, 3), by overlapping windows."""
    windows = list(cut(pixels, framing))
    of_windows: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(windows), _AT_ONCE):
            some = np.stack([window.pixels for window in windows[start : start + _AT_ONCE]])
            with machine.autocast():
                logits = network(prepared(some, preparation, machine))
            of_windows += list(torch.softmax(logits.float(), 1).cpu().numpy())
    places = [window.place for window in windows]
    return whole_picture(places, of_windows, framing, (pixels.shape[0], pixels.shape[1]))


def validate(
    network: Any, pairs: Pairs, preparation: Preparation, framing: Framing, machine: Machine
) -> tuple[ConfusionMatrix, float | None]:
    """Count the confusion matrix of whole pictures, and average -log p of the true class over their known pixels."""
    matrix = ConfusionMatrix(len(pairs.source.classes))
    total, count = 0.0, 0
    training = network.training
    network.eval()
    try:
        for number in range(len(pairs)):
            pixels, mask = pairs[number]
            probabilities = class_probabilities(network, pixels, preparation, framing, machine)
            matrix.add(mask, probabilities.argmax(0))
            known = mask != IGNORE
            of_truth = np.take_along_axis(
                probabilities, np.where(known, mask, 0)[None].astype(np.int64), 0
            )[0][known]
            total -= float(np.log(np.maximum(of_truth, 1e-12), dtype=np.float64).sum())
            count += int(known.sum())
    finally:
        network.train(training)
    return matrix, total / count if count else None
