"""Require the extra [train] before anything imports it."""

from __future__ import annotations

import os
from importlib import import_module

from flawline.errors import DependencyError
from flawline.networks.cache import offline
from flawline.networks.timm_name import INSTALL

PACKAGES = ("onnx", "safetensors", "segmentation_models_pytorch", "timm", "torch", "torchvision")


def require_extra() -> None:
    """Import what training needs; raises DependencyError where it is not installed."""
    if offline():
        # Read by the hub's library when it is imported.
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        for name in PACKAGES:
            import_module(name)
    except ImportError as error:
        raise DependencyError(f"training segmenters: {error}", hint=INSTALL) from error
