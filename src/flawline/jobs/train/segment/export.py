"""Write a trained segmenter as ONNX and compare it with the original."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from flawline.data.whole_file import replacing
from flawline.jobs.train.segment.trained import TrainedSegmenter
from flawline.networks.network import METADATA_KEY
from flawline.networks.segmenter import CLASSES_KEY, FRAMING_KEY, OUTPUT
from flawline.networks.torch_export import FREE, export_onnx


def export_segmenter(trained: TrainedSegmenter, path: Path) -> float:
    """Write the network as an ONNX file of logits (N, C, H, W) with its preparation, classes and windows as metadata.

    The file takes pictures of any size where it agrees with PyTorch in two sizes, else of the trained patch alone. The
    same network gives the same bytes.

    Returns:
        The largest difference of a logit from PyTorch over random pictures, both in float32, relative to the largest
        logit.

    Raises:
        ModelError: that is more than a thousandth, or ONNX cannot express the network. Nothing is written then.
    """
    network = trained.built.network.cpu().to(memory_format=torch.contiguous_format).eval()
    framing = trained.settings.framing
    preparation = replace(trained.built.preparation, size=framing.window)
    metadata = {
        METADATA_KEY: json.dumps(preparation.as_dict()),
        CLASSES_KEY: json.dumps(list(trained.classes)),
        FRAMING_KEY: json.dumps(framing.as_settings()),
        "flawline.name": trained.settings.network.name,
        "flawline.network": json.dumps(dict(trained.built.record)),
    }
    larger = framing.window[0] + 64, framing.window[1] + 128
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        return export_onnx(
            network,
            part,
            outputs=[OUTPUT],
            axes={"image": FREE, OUTPUT: FREE},
            sizes=(framing.window, larger),
            metadata=metadata,
        )
