"""Load a network in a process of its own first, with limits of memory and time.

For networks that compute numbers from constants alone: OpenVINO does so while it loads them, and only then shows how
many there are.
"""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

from flawline.errors import ModelError
from flawline.networks.openvino_import import openvino

MOST_SECONDS = 20
MOST_BYTES = 1_500_000_000


def try_apart(data: bytes, name: str) -> None:
    """Load an ONNX file in a child process; raises ModelError ("model-size") where it needs too much."""
    command = [sys.executable, "-m", "flawline.networks.network_trial"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=3 * MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode != 0:
        raise ModelError(
            f"{name} computes too much from its constants: expected at most {MOST_BYTES / 1e9:.2g} GB and "
            f"{MOST_SECONDS} s of one core to load it",
            hint="export it with its constants in place; a network of unknown origin may be hostile",
            code="model-size",
        )


def _limit() -> None:
    """Limit this process where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


def main() -> None:
    """Load the network on standard input; a network that is refused for another reason is left to the caller."""
    data = sys.stdin.buffer.read()
    _limit()
    kinds = openvino().frontend
    try:
        frontend = kinds.FrontEndManager().load_by_framework("onnx")
        model = frontend.convert(frontend.load(BytesIO(data)))
    except (
        kinds.GeneralFailure,
        kinds.NotImplementedFailure,
        kinds.OpConversionFailure,
        kinds.OpValidationFailure,
    ):
        return
    openvino().Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})


if __name__ == "__main__":
    main()
