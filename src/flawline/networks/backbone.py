"""Find a backbone: the embedded one, any ONNX file by path, or a network of timm by name."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from flawline.errors import UsageError
from flawline.networks.network import Network, Preparation, parse_preparation
from flawline.networks.openvino_runtime import OutputChoice, load_network
from flawline.networks.timm_backbone import timm_backbone
from flawline.networks.timm_name import PREFIX

EMBEDDED = "flawline-small"


def embedded_backbone() -> Path:
    """Find the file of the backbone that ships inside the package."""
    return Path(str(files("flawline.networks") / "weights" / f"{EMBEDDED}.onnx"))


def open_backbone(
    name: str = EMBEDDED,
    *,
    preparation: str | Preparation | None = None,
    outputs: Sequence[str] | OutputChoice | None = None,
    size: int | None = None,
    precision: str = "auto",
    weights: str | Path | None = None,
    expected: str | None = None,
) -> Network:
    """Load a backbone by name.

    Args:
        name: "flawline-small" for the embedded one, the path of an ONNX file, or "timm:NAME" (extra [train]).
        preparation: as in `parse_preparation`; read from the file by default.
        outputs: the outputs to compute; all by default.
        size: side of the input in pixels, overriding the preparation's.
        precision: "f32", "bf16" or "auto".
        weights: a .safetensors file for a network of timm.
        expected: the SHA-256 that its ONNX file must have, in hexadecimal, compared before anything reads the network.

    Raises:
        UsageError: weights are given for a file that has its own.
        DependencyError: a network of timm is named and the extra is not installed.
        ModelError: the file is missing, unusable or another than expected, or nobody says how pixels are prepared for
            it.
    """
    path = backbone_file(name, weights)
    if isinstance(preparation, str):
        preparation = parse_preparation(preparation)
    return load_network(
        path,
        outputs=outputs,
        preparation=preparation,
        size=size,
        precision=precision,
        expected=expected,
    )


def backbone_file(name: str, weights: str | Path | None = None) -> Path:
    """Find the file of a backbone; errors as for `open_backbone`."""
    if name.startswith(PREFIX):
        return timm_backbone(name, weights)
    if weights is not None:
        raise UsageError(
            f"`weights` is for timm:NAME, and the backbone is {name!r}",
            hint="leave it out: an ONNX file holds its own weights",
        )
    return embedded_backbone() if name == EMBEDDED else Path(name)
