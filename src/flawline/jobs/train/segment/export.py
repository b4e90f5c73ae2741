"""Write a trained segmenter as ONNX and compare it with the original."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from flawline.core.view.framing import Framing, Size
from flawline.data.whole_file import replacing
from flawline.errors import ModelError
from flawline.jobs.train.segment.fit import TrainedSegmenter
from flawline.jobs.train.segment.prediction import prepared
from flawline.jobs.train.segment.torch_settings import Machine
from flawline.networks.network import METADATA_KEY, Preparation
from flawline.networks.segmenter import CLASSES_KEY, FRAMING_KEY, OUTPUT, open_segmenter

TOLERANCE = 1e-3
_OPSET = 17


def export_segmenter(trained: TrainedSegmenter, path: Path) -> float:
    """Write the network as an ONNX file of logits (N, C, H, W) with its preparation, classes and windows as metadata.

    The file takes pictures of any size where it agrees with PyTorch in two sizes, else of the trained patch alone. The
    same network gives the same bytes.

    Returns:
        The largest difference of a logit from PyTorch over random pictures, both in float32, relative to the largest
        logit.

    Raises:
        ModelError: that is more than `TOLERANCE`, or ONNX cannot express the network. Nothing is written then.
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
        for free, sizes in ((True, (framing.window, larger)), (False, (framing.window,))):
            _write(network, framing.window, free, metadata, part)
            worst = max(_difference(network, preparation, part, size) for size in sizes)
            if worst <= TOLERANCE:
                return worst
        raise ModelError(
            f"the exported network differs from the trained one by {worst:.1g} of its largest logit, "
            f"more than {TOLERANCE:g}",
            hint="choose another network",
            code="model-export",
        )


def _write(network: Any, window: Size, free: bool, metadata: Mapping[str, str], path: Path) -> None:
    import onnx

    axes = {0: "batch", 2: "height", 3: "width"}
    try:
        with warnings.catch_warnings():
            # The tracer warns that every check of a size becomes a constant; two sizes are compared afterwards.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (torch.zeros(1, 3, *window),),
                str(path),
                input_names=["image"],
                output_names=[OUTPUT],
                opset_version=_OPSET,
                dynamic_axes={"image": axes, OUTPUT: axes} if free else None,
                # The exporter on torch.export takes minutes where sizes are free, and needs onnxscript.
                dynamo=False,
            )
    except OSError:
        raise
    except Exception as error:  # whatever an operator without ONNX counterpart raises
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"the network cannot be exported to ONNX: {lines[0]}",
            hint="choose another network",
            code="model-export",
        ) from error
    model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)


def _difference(network: Any, preparation: Preparation, path: Path, size: Size) -> float:
    """Measure the largest difference on a random picture, relative to the largest logit; infinite on failure."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    try:
        with torch.inference_mode():
            image = prepared(pixels[None], preparation, Machine("cpu", "f32"))
            expected = network(image)[0].numpy()
        exported = open_segmenter(path, framing=Framing(size, cell=1), precision="f32")
        found = exported.network(pixels)[OUTPUT]
    except (ModelError, RuntimeError):  # a network of fixed size fails at another
        return float("inf")
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-12))
