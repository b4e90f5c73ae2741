"""The extra [train], asked for before anything imports it."""

from __future__ import annotations

import os

from flawline.errors import DependencyError
from flawline.models.cache import offline
from flawline.models.timm_name import INSTALL


def require_extra() -> None:
    """Import what training needs; raises DependencyError where it is not installed."""
    if offline():
        # Read by the hub's library when it is imported.
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import onnx  # noqa: F401
        import safetensors  # noqa: F401
        import segmentation_models_pytorch  # noqa: F401
        import timm  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise DependencyError(f"training segmenters: {error}", hint=INSTALL) from error
