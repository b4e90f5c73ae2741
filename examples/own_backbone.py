"""Build a feature table with a network of your own, and look at its shape.

    python examples/own_backbone.py [NETWORK.onnx] [PREPARATION]

The preparation ("imagenet", or "mean=128,std=64,size=224") is needed where the file does not carry it.
Without a network, the embedded backbone is used. The pictures are sample castings.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import flawline


def main(backbone: str = "flawline-small", preparation: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        parts = Path(scratch) / "parts"
        flawline.synth_castings(parts, good=20, bad=2, size=128)
        computed = flawline.compute_features(
            parts, features="embedding", backbone=backbone, preparation=preparation
        )
    table, network = computed.table, computed.network
    assert network is not None
    print(f"{network.name}: input {network.preparation.size}, outputs {dict(network.outputs)}")
    print(f"{table.values.shape[0]} pictures, {table.values.shape[1]} fields each")
    middle = np.median(table.values, axis=0)
    distance = np.linalg.norm(table.values - middle, axis=1)
    farthest = int(distance.argmax())
    print(f"farthest from the middle: {table.samples[farthest].name}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
