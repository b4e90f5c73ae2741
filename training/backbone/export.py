"""Write the student as one ONNX file: ``python -m training.backbone.export --run DIR --out F``."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino as ov
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from .progress import load
from .student import PLANS, Student, parameter_count
from .teacher import CHANNELS, MEAN, STD

NAME = "flawline-small-1"
HARDWARE = "2 cores of an Intel Xeon with AMX, bfloat16, shared with other work"
DATA = (
    "generated textures, parts and flaws; crops of the sample pictures inside scikit-image, "
    "scikit-learn and matplotlib; no picture of any inspection data set"
)


class Exported(nn.Module):
    """The maps at strides 8 and 16, and a descriptor: mean and deviation of every channel."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3, H, W) -> (N, C8, H/8, W/8), (N, C16, H/16, W/16), (N, 2 * (C8 + C16))."""
        maps = self.student(image)
        return maps[8], maps[16], torch.cat([*_moments(maps[8]), *_moments(maps[16])], dim=1)


def _moments(channels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of every channel of (N, C, h, w), each (N, C)."""
    mean = channels.mean(dim=(2, 3), keepdim=True)
    spread = ((channels - mean) ** 2).mean(dim=(2, 3)).add(1e-6).sqrt()
    return mean.flatten(1), spread


def network_of(content: dict[str, Any]) -> Exported:
    """The averaged network of a checkpoint, ready for inference."""
    student = Student(PLANS[content["settings"]["plan"]], CHANNELS)
    student.load_state_dict(content["average"])
    return Exported(student).eval()


def halved(model: onnx.ModelProto, smallest: int = 256) -> onnx.ModelProto:
    """The model with its large weights kept as float16 behind a Cast, for half the bytes."""
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < smallest:
            continue
        name = weight.name
        half = numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16))
        half.name = f"{name}.half"
        weight.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def with_own_padding(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every Pad (one row below, one column right) moved into its convolution.

    The exporter writes eight nodes for such a Pad, and runtimes copy the whole map for it.
    """
    pads = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Pad"}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] in pads:
            node.input[0] = pads[node.input[0]]
            next(a for a in node.attribute if a.name == "pads").ints[:] = [0, 0, 1, 1]
    wanted, kept = {output.name for output in model.graph.output}, []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted.update(node.input)
    del model.graph.node[:]
    model.graph.node.extend(reversed(kept))
    return model


def written(network: Exported, half: bool) -> onnx.ModelProto:
    """The network as an ONNX model with free batch, height and width."""
    example = torch.zeros(2, 3, 64, 96)
    free = {0: "n", 2: "h", 3: "w"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "student.onnx"
        # The tracing exporter folds batch norm into the convolutions and gives the same bytes
        # for the same weights.
        torch.onnx.export(
            network, (example,), str(path), opset_version=17, dynamo=False,
            input_names=["image"], output_names=["stride8", "stride16", "embedding"],
            dynamic_axes={
                "image": free, "embedding": {0: "n"},
                "stride8": {0: "n", 2: "h8", 3: "w8"}, "stride16": {0: "n", 2: "h16", 3: "w16"},
            },
        )  # fmt: skip
        model = with_own_padding(onnx.load(path))
    return halved(model) if half else model


def described(model: onnx.ModelProto, content: dict[str, Any], teacher: str) -> onnx.ModelProto:
    """The model with the facts a reader needs, under ``flawline.`` keys."""
    last = content["progress"]["curve"][-1]
    preparation = {
        "colour": "rgb", "layout": "NCHW", "mean": [MEAN] * 3, "std": [STD] * 3,
        "scale": "0-255", "size": [224, 224],
    }  # fmt: skip
    training = {
        "crops": last["crops"], "hours": round(last["wall"] / 60, 2), "hardware": HARDWARE,
        "seed": content["settings"]["seed"], "settings": content["settings"], "data": DATA,
        "versions": {name: version(name) for name in ("torch", "onnx", "openvino", "numpy")}
        | {"python": platform.python_version()},
        "r2": {k: v for k, v in last.items() if k.startswith(("generated", "photographed"))},
    }  # fmt: skip
    facts = {
        "flawline.name": NAME,
        "flawline.licence": "Apache-2.0",
        "flawline.preparation": json.dumps(preparation, sort_keys=True),
        "flawline.teacher": json.dumps({"name": teacher, "sha256": content["teacher"]}),
        "flawline.jobs.train": json.dumps(training, sort_keys=True),
    }
    helper.set_model_props(model, facts)
    model.producer_name, model.doc_string = "flawline", NAME
    onnx.checker.check_model(model, full_check=True)
    return model


def differences(network: Exported, path: Path) -> dict[str, dict[str, float]]:
    """Largest difference of every output of the file from torch, by OpenVINO precision."""
    picture = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (2, 3, 224, 224)))
    with torch.no_grad():
        wanted = network(picture.float())
    found: dict[str, dict[str, float]] = {}
    for precision in ("f32", "bf16"):
        compiled = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        outputs = compiled(picture.float().numpy())
        found[precision] = {
            name: float(np.abs(outputs[name] - value.numpy()).max())
            for name, value in zip(("stride8", "stride16", "embedding"), wanted, strict=True)
        }
    return found


def main() -> None:
    """Export the averaged weights of a run's checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoint.pt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="keep weights as float32")
    parser.add_argument("--teacher-name", default="MobileNetV2 1.0 224, ImageNet")
    given = parser.parse_args()
    torch.set_num_threads(1)
    content = load(given.run / "checkpoint.pt")
    network = network_of(content)
    model = described(written(network, not given.full), content, given.teacher_name)
    part = given.out.with_suffix(".part")
    part.write_bytes(model.SerializeToString(deterministic=True))
    part.rename(given.out)
    print(
        f"{given.out}: {given.out.stat().st_size:,} bytes, "
        f"{parameter_count(network):,} parameters, differences {differences(network, given.out)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
