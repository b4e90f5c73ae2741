"""Write the files of an exported detector, and open and run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.detectors.detector import CELL, detector_model, input_size
from flawline.detectors.graph import INPUT, OUTPUT
from flawline.errors import DependencyError, ModelError, UsageError, install_extra
from flawline.inspector.parts import detector_state
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import core, name_nodes
from flawline.recipe import Recipe, detector_settings

FORMATS: Mapping[str, tuple[str, ...]] = {
    "onnx": ("model.onnx",),
    "openvino": ("model.xml", "model.bin"),
}
"""The files of each format; the first is the one to open."""

_PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino"}

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""uint8 (1, H, W, 3) to float32 (1, 1, h, w); thread-safe."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of an exported model."""

    name: str
    type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExportedModel:
    """An opened export.

    `input_size` (height, width) is what the model takes, `cells` the size of the map of a window.
    """

    run: Run
    input: Port
    output: Port
    input_size: tuple[int, int]
    cells: tuple[int, int]

    def __call__(self, window: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute raw scores float32 (H / 8, W / 8) of a window uint8 (H, W, 3)."""
        if window.shape[:2] != self.input_size:
            halved = cv2.resize(window, self.input_size[::-1], interpolation=cv2.INTER_AREA)
            window = np.asarray(halved, np.uint8)
        scores = self.run(window[None])[0, 0]
        if scores.shape != self.cells:
            scores = cv2.resize(scores, self.cells[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(scores, np.float32)


def check_format(name: str) -> None:
    """Raise UsageError for an unknown format, DependencyError where its runtime is not installed."""
    if name not in FORMATS:
        raise UsageError(
            f"expected a format out of {', '.join(FORMATS)}, got {name!r}", hint="give `to=onnx`"
        )
    if name == "onnx":
        onnx_runtime()


def write_model(recipe: Recipe, name: str, folder: Path) -> Path:
    """Write the detector of a recipe in a format; returns the file to open. The same recipe gives the same bytes.

    Raises:
        DependencyError: the package that writes this format is not installed.
        ModelError: ("export-backbone") the recipe's backbone cannot be written in this format.
    """
    state, window = detector_state(recipe), recipe.settings.picture.window
    path = folder / FORMATS[name][0]
    if name == "onnx":
        metadata = {"flawline.recipe": recipe.sha256}
        path.write_bytes(_detector_onnx()(state, recipe.model, window=window, metadata=metadata))
        return path
    model = detector_model(state, recipe.model, window=window)
    name_nodes(model)
    for port, own in ((model.input(0), INPUT), (model.output(0), OUTPUT)):
        port.get_tensor().set_names({own})
    model.get_parameters()[0].set_friendly_name(INPUT)
    model.set_rt_info(recipe.sha256, ["flawline", "recipe"])
    openvino().save_model(model, path, compress_to_fp16=False)
    return path


def open_model(path: Path, recipe: Recipe, precision: str = "f32") -> ExportedModel:
    """Open an exported file as any program would, and run it once.

    Raises:
        ModelError: ("export-differs") it does not run.
        DependencyError: its runtime is not installed.
    """
    window = recipe.settings.picture.window
    size = input_size(detector_settings(recipe).method, window)
    try:
        if path.suffix == ".onnx":
            run, ports = _open_onnx(path)
        else:
            run, ports = _open_openvino(path, precision)
        run(np.zeros((1, *size, 3), np.uint8))
    except (DependencyError, MemoryError):
        raise
    except Exception as error:  # runtimes have failures of their own
        raise ModelError(
            f"the exported model does not run: {(str(error).splitlines() or [''])[0]}",
            hint="nothing was written; try the other format",
            code="export-differs",
        ) from error
    cells = window[0] // CELL, window[1] // CELL
    return ExportedModel(run, *ports, size, cells)


def runtime_version(name: str) -> str:
    """Name the package that ran the exported file, and its version."""
    return f"{_PACKAGES[name]} {version(_PACKAGES[name])}"


def _open_openvino(path: Path, precision: str) -> tuple[Run, tuple[Port, Port]]:
    compiled = core().compile_model(
        core().read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": precision}
    )
    request, lock = compiled.create_infer_request(), Lock()

    def run(window: NDArray[np.uint8]) -> NDArray[np.float32]:
        with lock:
            request.infer({0: window})
            return np.array(request.get_output_tensor(0).data, np.float32)

    ports = compiled.input(0), compiled.output(0)
    types = {"u8": "uint8", "f32": "float32"}
    given, found = (
        Port(
            port.get_any_name(),
            types[port.get_element_type().get_type_name()],
            tuple(port.get_shape()),
        )
        for port in ports
    )
    return run, (given, found)


def _open_onnx(path: Path) -> tuple[Run, tuple[Port, Port]]:
    runtime = onnx_runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    types = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}
    given, found = (
        Port(port.name, types[port.type], tuple(port.shape))
        for port in (session.get_inputs()[0], session.get_outputs()[0])
    )

    def run(window: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(session.run([found.name], {given.name: window})[0], np.float32)

    return run, (given, found)


def _detector_onnx() -> Callable[..., bytes]:
    """Import what writes a detector as ONNX; raises DependencyError where the package onnx cannot be imported."""
    try:
        from flawline.detectors.onnx_detector import detector_onnx
    except ImportError as error:
        raise _missing("a detector is written as ONNX with the package onnx", error) from error
    return detector_onnx


def _missing(purpose: str, error: ImportError) -> DependencyError:
    return DependencyError(
        f"{purpose}, which cannot be imported: {error}",
        hint=f"{install_extra('onnx')}, or export with `to=openvino`",
    )


def onnx_runtime() -> Any:
    """Import ONNX Runtime; raises DependencyError where it cannot be imported."""
    try:
        import onnxruntime
    except ImportError as error:
        purpose = "an ONNX file is compared with the recipe in ONNX Runtime"
        raise _missing(purpose, error) from error
    # The runtime must not report anything to anybody.
    onnxruntime.disable_telemetry_events()
    return onnxruntime
