"""The teacher as a function from prepared pictures to its maps, run by OpenVINO."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

Maps = dict[int, NDArray[np.float32]]
MEAN = STD = 128.0
CHANNELS = {4: 24, 8: 32, 16: 96}


def prepare(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """RGB pictures (N, H, W, 3), 0..255 -> network input (N, 3, H, W), about -1..1."""
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    return (planes.astype(np.float32) - np.float32(MEAN)) / np.float32(STD)


@dataclass(frozen=True)
class Statistics:
    """Mean and deviation of every channel, each (C,), by stride."""

    mean: dict[int, NDArray[np.float32]]
    deviation: dict[int, NDArray[np.float32]]


class Teacher:
    """The maps of an ONNX backbone whose outputs are called stride4, stride8 and stride16."""

    def __init__(
        self, path: Path, strides: tuple[int, ...] = (4, 8, 16), precision: str = "bf16",
        threads: int = 2,
    ) -> None:  # fmt: skip
        core = ov.Core()
        model = core.read_model(path)
        # Only the wanted outputs are kept, so that OpenVINO drops the layers behind them.
        ends = [model.output(f"stride{stride}").get_node().input_value(0) for stride in strides]
        cut = ov.Model([ov.opset13.result(end) for end in ends], model.get_parameters())
        self.strides = strides
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self._compiled = core.compile_model(
            cut, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        )

    def __call__(self, prepared: NDArray[np.float32]) -> Maps:
        """Prepared pictures (N, 3, H, W) -> stride: map (N, C, H/stride, W/stride)."""
        answers = self._compiled(prepared, share_inputs=True)
        return {stride: np.asarray(answers[i]) for i, stride in enumerate(self.strides)}


def measure(maps: list[Maps]) -> Statistics:
    """Channel statistics over all pictures and places of some batches."""
    joined = {
        stride: np.concatenate([batch[stride] for batch in maps], dtype=np.float64)
        for stride in maps[0]
    }
    return Statistics(
        {s: m.mean(axis=(0, 2, 3)).astype(np.float32) for s, m in joined.items()},
        {s: m.std(axis=(0, 2, 3)).astype(np.float32) + np.float32(1e-6) for s, m in joined.items()},
    )


def standardised(maps: Maps, statistics: Statistics) -> Maps:
    """Maps with every channel at mean 0 and deviation 1 on the pictures that were measured."""
    return {
        s: (m - statistics.mean[s][:, None, None]) / statistics.deviation[s][:, None, None]
        for s, m in maps.items()
    }
