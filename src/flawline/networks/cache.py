"""Where files are kept that can be made again, and whether the network may be asked."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

SWITCH = "FLAWLINE_KEEP_COMPILED"
_MOST_FILES = 64


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


def compiled_networks() -> Path | None:
    """Make the folder in which OpenVINO keeps compiled networks for the next start; None where it must not or cannot.

    It must not where `FLAWLINE_KEEP_COMPILED` is 0, false or no, and where others than the user may write there: a
    compiled network is run as it is found. Beyond 64 files the oldest are removed.
    """
    if os.environ.get(SWITCH, "").strip().lower() in ("0", "false", "no"):
        return None
    try:
        folder = cache_folder() / "compiled"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_own(os.lstat(folder)) or not os.access(folder, os.W_OK):
            return None
        files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    # RuntimeError: a user without a home.
    except (OSError, RuntimeError):
        return None
    for path in files[_MOST_FILES:]:
        with suppress(OSError):
            path.unlink()
    return folder


def _is_own(found: os.stat_result) -> bool:
    """Whether it is the user's, and nobody else may write to it; on Windows the cache folder is private anyway."""
    if sys.platform == "win32":
        return True
    writable = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not writable


def offline() -> bool:
    """Whether FLAWLINE_OFFLINE forbids asking the network."""
    return os.environ.get("FLAWLINE_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
