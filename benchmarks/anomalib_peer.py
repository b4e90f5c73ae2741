"""One detector of anomalib on listed pictures; run by anomalib_run.py in an environment of its own.

Files are decoded and resized in the loop, one picture at a time, as Flawline's are. The networks, their layers and the
coreset are anomalib's own code; only its data loaders and trainer are left out, which would cost it more time.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
from anomalib.models.image.padim.torch_model import PadimModel
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from PIL import Image
from safetensors.torch import load_file

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read(path: str, side: int) -> torch.Tensor:
    """A picture as the networks take it, float32 (1, 3, side, side)."""
    pixels = np.asarray(
        Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    )
    values = (pixels / np.float32(255) - np.float32(MEAN)) / np.float32(STD)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None].float()


def load_weights(model: torch.nn.Module, path: str) -> None:
    """Put the ImageNet weights into every timm network of the model; a file without layer4 leaves that out."""
    state = load_file(path)
    network = model.feature_extractor.feature_extractor
    missing, unexpected = network.load_state_dict(state, strict=False)
    layers = [name for name in missing if name.startswith(("conv1", "layer1", "layer2", "layer3"))]
    if layers:
        raise SystemExit(f"the weights lack {layers[:3]}; unexpected: {unexpected[:3]}")


def main() -> None:
    """Fit, score, and write maps, scores and times."""
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(0)
    layers = ["layer2", "layer3"]
    if job["method"] == "padim":
        model = PadimModel(backbone="resnet18", layers=layers, pre_trained=False)
    else:
        model = PatchcoreModel(layers=layers, backbone="resnet18", pre_trained=False)
    load_weights(model, job["weights"])
    began = time.perf_counter()
    model.train()
    with torch.inference_mode():
        for path in job["train"]:
            model(read(path, job["side"]))
        if job["method"] == "padim":
            model.fit()
        else:
            model.subsample_embedding(job["coreset"])
    fitted = time.perf_counter() - began
    model.eval()
    model.feature_extractor.eval()
    maps, scores = [], []
    began = time.perf_counter()
    with torch.inference_mode():
        for path in job["test"]:
            found = model(read(path, job["side"]))
            maps.append(found.anomaly_map.squeeze().numpy().astype(np.float32))
            scores.append(float(found.pred_score))
    took = time.perf_counter() - began
    np.savez(job["out"], maps=np.stack(maps), scores=np.array(scores))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"fit": fitted, "rate": len(job["test"]) / took, "peak": peak}))


if __name__ == "__main__":
    main()
