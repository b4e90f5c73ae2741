"""Write HOW-TO-RUN.md of an exported segmenter, with code that runs."""

from __future__ import annotations

from flawline.jobs.export.model_file import FORMATS
from flawline.networks.network import Preparation
from flawline.recipe import Recipe, SegmenterSettings, segmenter_settings

_CODE = {
    "onnx": (
        "import onnxruntime",
        'model = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])',
        'logits = model.run(None, {"image": pixels})[0][0]',
    ),
    "openvino": (
        "import openvino",
        'model = openvino.Core().compile_model("model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})',
        "logits = model(pixels)[0][0]",
    ),
}


def _left_out(settings: SegmenterSettings) -> str:
    """Say which regions do not count."""
    areas = settings.smallest
    least = f"{areas} px" if isinstance(areas, int) else f"{list(areas)} px, by class,"
    return f"Regions of fewer than {least} are left out."


def segmenter_page(recipe: Recipe, preparation: Preparation, name: str) -> str:
    """Write the page of one export, in Markdown."""
    picture, settings = recipe.settings.picture, segmenter_settings(recipe)
    window = f"{picture.window[0]} x {picture.window[1]}"
    classes = ", ".join(f"{n} {c}" for n, c in enumerate(settings.classes, start=1))
    imported, opened, run = _CODE[name]
    lines = [
        f"# Run the segmenter of {recipe.settings.part or 'a part'}",
        "",
        f"`{FORMATS[name][0]}` takes windows of {window} pixels (height x width), prepared as below, and gives a logit "
        f"for each class at each pixel: 0 background, {classes}. `export.json` holds all figures.",
        "",
        "- Decode to 8-bit RGB, upright. Larger pictures are cut into windows that overlap by "
        f"{picture.overlap} px or more; probabilities are joined by weighted means, the outer three eighths of an "
        "overlap weighing nothing.",
        "- A pixel belongs to a class where its probability reaches the threshold of the class, "
        f"{list(settings.thresholds)} in order; where several do, to the one that exceeds it by the largest factor. "
        f"{_left_out(settings)}",
        "- Flawline measures and judges by a specification: `Inspector.open(RECIPE).inspect(picture)`.",
        "",
        "```python",
        "import numpy as np",
        imported,
        "",
        opened,
        f"window = np.zeros(({picture.window[0]}, {picture.window[1]}, 3), np.uint8)  # one window, RGB",
        f"mean, std = np.float32({list(preparation.mean)}), np.float32({list(preparation.std)})",
        "pixels = ((window - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)",
        run,
        "powers = np.exp(logits - logits.max(0))",
        "probabilities = powers / powers.sum(0)",
        "print(probabilities.reshape(len(probabilities), -1).max(1))",
        "```",
        "",
    ]
    return "\n".join(lines)
