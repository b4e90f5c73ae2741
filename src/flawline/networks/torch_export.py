"""PyTorch networks as ONNX files, compared with the original before any use; needs the extra [train]."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from safetensors.torch import load_file

from flawline.errors import ModelError
from flawline.networks.network_file import first_line
from flawline.networks.openvino_runtime import load_network

OPSET = 17
TOLERANCE = 1e-3
FREE = {0: "batch", 2: "height", 3: "width"}
"""Axes whose size the file leaves open."""

Size = tuple[int, int]
Axes = Mapping[str, Mapping[int, str]]


def export_onnx(
    network: Any,
    path: Path,
    *,
    outputs: Sequence[str],
    axes: Axes,
    sizes: tuple[Size, Size],
    metadata: Mapping[str, str],
) -> float:
    """Write a network as an ONNX file and compare it; returns the largest difference.

    The file takes pictures of any size where that gives what PyTorch gives in both sizes, else of the first alone. The
    same network gives the same bytes. A difference is one over a random picture in float32, relative to the largest
    value of an output.

    Args:
        network: from "image", float32 (1, 3, H, W), to a tensor or a tuple of tensors.
        path: the file to write.
        outputs: names of the tensors.
        axes: free ones by name of the input or output.
        sizes: (height, width) of the network's own pictures and of larger ones.
        metadata: of the file, with the preparation.

    Raises:
        ModelError: ("model-export") the difference is more than `TOLERANCE`, or the network has no form in ONNX.
    """
    for free, compared in ((axes, sizes), (None, sizes[:1])):
        _write(network, path, outputs, free, sizes[0], metadata)
        worst = max(_difference(network, path, outputs, size) for size in compared)
        if worst <= TOLERANCE:
            return worst
    raise ModelError(
        f"the exported network differs from the original by {worst:.1g} of its largest value, more than {TOLERANCE:g}",
        hint="choose another network",
        code="model-export",
    )


def read_weights(path: Path) -> dict[str, Any]:
    """Read the tensors of a .safetensors file by name; raises ModelError ("model-weights") where it is damaged."""
    try:
        return dict(load_file(path))
    except Exception as error:  # SafetensorError and, for an empty file, others
        raise ModelError(
            f"{path.name} cannot be read: {first_line(error)}",
            hint="copy it again; expected a .safetensors file",
            code="model-weights",
        ) from error


def _write(
    network: Any,
    path: Path,
    outputs: Sequence[str],
    axes: Axes | None,
    size: Size,
    metadata: Mapping[str, str],
) -> None:
    try:
        with warnings.catch_warnings():
            # The tracer warns of every check of a size that it becomes a constant; the comparison shows what is so.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (torch.zeros(1, 3, *size),),
                str(path),
                input_names=["image"],
                output_names=list(outputs),
                opset_version=OPSET,
                dynamic_axes=axes,
                # The exporter on torch.export takes minutes where sizes are free, and needs onnxscript.
                dynamo=False,
            )
    except OSError:
        raise
    except Exception as error:  # whatever an operator without ONNX counterpart raises
        raise ModelError(
            f"the network cannot be exported to ONNX: {first_line(error)}",
            hint="choose another network",
            code="model-export",
        ) from error
    model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)


def _difference(network: Any, path: Path, outputs: Sequence[str], size: Size) -> float:
    """Compare the file with the network on a random picture; infinite where it does not run or shapes differ."""
    try:
        exported = load_network(path, size=size, precision="f32")
        preparation = exported.preparation
        pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
        image = ((pixels - np.array(preparation.mean)) / np.array(preparation.std)).astype("f4")
        with torch.inference_mode():
            given = network(torch.from_numpy(image).permute(2, 0, 1)[None])
        found = exported(pixels)
    except Exception:  # a network of fixed size fails at another in its own way
        return float("inf")
    differences = []
    for name, tensor in zip(outputs, given if isinstance(given, tuple) else (given,), strict=True):
        expected = tensor[0].numpy()
        if found[name].shape != expected.shape:
            return float("inf")
        largest = max(np.abs(expected).max(), 1e-12)
        differences.append(np.abs(found[name] - expected).max() / largest)
    worst = float(np.max(differences))
    return worst if np.isfinite(worst) else float("inf")
