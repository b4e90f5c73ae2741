"""The import of OpenVINO."""

from __future__ import annotations

import sys
from typing import Any


def openvino() -> Any:
    """Import OpenVINO.

    Importing it sends usage statistics to its maker where its telemetry package is installed; without that package it
    does not, so the package is hidden first. Flawline opens no connection that its user did not ask for.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as module

    return module
