"""Where files are kept that can be made again, and whether the network may be asked."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """FLAWLINE_CACHE, else `flawline` in the user's cache folder; it need not exist.

    The user's cache folder is LOCALAPPDATA on Windows and XDG_CACHE_HOME or ~/.cache elsewhere; a relative
    XDG_CACHE_HOME is ignored (XDG Base Directory Specification 0.8).
    """
    if own := os.environ.get("FLAWLINE_CACHE"):
        return Path(own)
    home = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "flawline"


def exported_backbones() -> list[Path]:
    """The exported networks in the cache, by name."""
    return sorted(cache_folder().glob("timm-*.onnx"))


def offline() -> bool:
    """Whether FLAWLINE_OFFLINE forbids asking the network."""
    return os.environ.get("FLAWLINE_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
