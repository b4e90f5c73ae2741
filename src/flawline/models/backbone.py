"""Find a backbone: the embedded one, or any ONNX file by path."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from flawline.models.network import Network, Preparation, parse_preparation
from flawline.models.openvino_runtime import OutputChoice, load_network

EMBEDDED = "flawline-small"


def embedded_backbone() -> Path:
    """The file of the backbone that ships inside the package."""
    return Path(str(files("flawline.models") / "weights" / f"{EMBEDDED}.onnx"))


def open_backbone(
    name: str = EMBEDDED,
    *,
    preparation: str | Preparation | None = None,
    outputs: Sequence[str] | OutputChoice | None = None,
    size: int | None = None,
    precision: str = "auto",
) -> Network:
    """Load a backbone by name.

    Args:
        name: "flawline-small" for the embedded one, or the path of an ONNX file.
        preparation: as in `parse_preparation`; read from the file by default.
        outputs: the outputs to compute; all by default.
        size: side of the input in pixels, overriding the preparation's.
        precision: "f32", "bf16" or "auto".

    Raises:
        ModelError: the file is missing or unusable, or nobody says how pixels are prepared for it.
    """
    path = embedded_backbone() if name == EMBEDDED else Path(name)
    if isinstance(preparation, str):
        preparation = parse_preparation(preparation)
    return load_network(
        path, outputs=outputs, preparation=preparation, size=size, precision=precision
    )
