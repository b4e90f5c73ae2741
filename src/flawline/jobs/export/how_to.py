"""Write HOW-TO-RUN.md: how to run an exported detector in another program."""

from __future__ import annotations

import math

from flawline.core.anomaly_score import SHARE, scored_cells
from flawline.detectors.detector import score_cells
from flawline.jobs.export.document import steps_left_out
from flawline.jobs.export.model_file import FORMATS, ExportedModel
from flawline.recipe import Recipe, thresholds_of

_IMPORTS = {"onnx": "import onnxruntime", "openvino": "import openvino"}
_OPENED = {
    "onnx": 'model = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])',
    "openvino": 'model = openvino.Core().compile_model("{file}", "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})',
}
_RUN = {
    "onnx": 'cells = model.run(None, {{"{input}": window[None]}})[0][0, 0]',
    "openvino": "cells = model(window[None])[0][0, 0]",
}


def how_to_run(recipe: Recipe, model: ExportedModel, name: str) -> str:
    """Write the page of one export, in Markdown, with code that runs."""
    picture = recipe.settings.picture
    fit = picture.resolution == "fit"
    whole = fit and not steps_left_out(recipe)
    title = recipe.settings.part or "a part"
    lines = [
        f"# Run the detector of {title}",
        "",
        f"`{FORMATS[name][0]}` takes a window of {_sides(model.input_size)} pixels (height x width), uint8 RGB "
        f"{list(model.input.shape)}, and gives raw scores of cells, float32 {list(model.output.shape)}; higher is "
        "more anomalous. The preparation of the network is inside. `export.json` holds all figures.",
        "",
        "## Before the model",
        "",
        *_before(recipe, model, fit),
        "",
        "## After the model",
        "",
        *_after(recipe, model, fit),
        *_note(name),
        "",
        "## In Python" if whole else "## One window in Python",
        "",
        "```python",
        *_code(recipe, model, name, whole),
        "```",
        "",
    ]
    return "\n".join(lines)


def _before(recipe: Recipe, model: ExportedModel, fit: bool) -> list[str]:
    picture = recipe.settings.picture
    lines = ["- Decode to 8-bit RGB, upright."]
    values = recipe.manifest.value_range
    if values:
        lines[0] += f" In files of more than 8 bits {values[0]:g} becomes 0 and {values[1]:g} 255."
    if left := steps_left_out(recipe):
        lines.append(
            f"- **Not in the model**: {'; '.join(left)}. Flawline does it: "
            "`Inspector.open(RECIPE).view.look(picture)` gives the `windows()`, the cells that count (`inside`) and "
            "the joining (`join`)."
        )
    how = "bilinear; area averaging where a side shrinks to half or less"
    if fit:
        lines.append(f"- Squeeze the whole picture into {_sides(picture.window)} ({how}).")
    else:
        lines += [
            f"- Scale the picture by {picture.resolution:g} ({how}).",
            f"- Cut windows of {_sides(picture.window)}: along each axis the fewest that overlap by "
            f"{picture.overlap} px or more, spread evenly, beginning at multiples of 16 px; beyond its edge the "
            "picture is reflected (the edge itself not repeated).",
        ]
    if model.input_size != tuple(picture.window):
        lines.append(f"- Shrink each window to {_sides(model.input_size)} by area averaging.")
    return lines


def _after(recipe: Recipe, model: ExportedModel, fit: bool) -> list[str]:
    lines, most = [], score_cells(recipe.manifest.detector)
    if model.output.shape[2:] != model.cells:
        lines.append(f"- Enlarge each map to {_sides(model.cells)} cells, bilinear.")
    if not fit:
        lines.append(
            "- Join the maps (a cell is 8 x 8 scaled pixels) by weighted means: within an overlap the outer three "
            "eighths of a window weigh nothing, and its weight rises evenly to 1 over the next quarter."
        )
    count = (
        f"{_scored(recipe, model)}"
        if fit
        else f"{100 * SHARE * most:.1f} % of the cells, at least one and at most {most}, rounded"
    )
    review, reject = thresholds_of(recipe)
    return [
        *lines,
        f"- Score: the mean of the highest {count}{' cells' if fit else ''}.",
        f"- Verdict: reject above {reject!r}, review above {review!r}, else accept.",
        *_inside(recipe),
        "- p-value: one more than how many of `calibration_scores` in `export.json` are as high or higher, divided by "
        "one more than there are.",
    ]


def _inside(recipe: Recipe) -> list[str]:
    """List the steps for recipes in which not every cell counts."""
    lines = []
    if steps_left_out(recipe):
        lines.append(
            "- Where `inside` is given, only its cells count for the score: `image_score` of "
            "`flawline.core.anomaly_score`."
        )
    if recipe.settings.alignment.method != "none":
        lines.append(
            "- A part that cannot be aligned (`look.pose.found` is false) is never accepted."
        )
    return lines


def _note(name: str) -> list[str]:
    if name != "openvino":
        return []
    return [
        "- Ask for float32 as below. By itself OpenVINO computes in bfloat16 where the processor can; the "
        "differences are in `export.json` under `coarser_arithmetic`."
    ]


def _code(recipe: Recipe, model: ExportedModel, name: str, whole: bool) -> list[str]:
    height, width = recipe.settings.picture.window
    lines = ["import cv2", "import numpy as np", _IMPORTS[name], ""]
    lines.append(_OPENED[name].format(file=FORMATS[name][0]))
    if whole:
        lines += [
            'picture = cv2.cvtColor(cv2.imread("part.png"), cv2.COLOR_BGR2RGB)',
            f"shrinks = max(picture.shape[0] / {height}, picture.shape[1] / {width}) >= 2",
            "how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR",
            f"window = cv2.resize(picture, ({width}, {height}), interpolation=how)",
        ]
    else:
        lines.append(f"window = np.zeros(({height}, {width}, 3), np.uint8)  # one window, RGB")
    if model.input_size != (height, width):
        small = f"({model.input_size[1]}, {model.input_size[0]})"
        lines.append(f"window = cv2.resize(window, {small}, interpolation=cv2.INTER_AREA)")
    lines.append(_RUN[name].format(input=model.input.name))
    if model.output.shape[2:] != model.cells:
        large = f"({model.cells[1]}, {model.cells[0]})"
        lines.append(f"cells = cv2.resize(cells, {large}, interpolation=cv2.INTER_LINEAR)")
    if not whole:
        return lines
    review, reject = thresholds_of(recipe)
    return [
        *lines,
        f"score = np.sort(cells.ravel())[-{_scored(recipe, model)}:].mean()",
        f'verdict = "reject" if score > {reject!r} else "review" if score > {review!r} else "accept"',
        "print(score, verdict)",
    ]


def _scored(recipe: Recipe, model: ExportedModel) -> int:
    """Count the cells that a score averages where all count."""
    return scored_cells(math.prod(model.cells), score_cells(recipe.manifest.detector))


def _sides(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
