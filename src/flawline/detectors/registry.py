"""Methods of detectors by name: settings, the command line, training and inspection all take them from here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.detectors.method import Method

METHODS: Mapping[str, str] = {
    "patch-gaussian": "flawline.detectors.patch_gaussian",
    "patch-memory": "flawline.detectors.patch_memory",
    "patch-both": "flawline.detectors.patch_both",
    "fast": "flawline.detectors.fast",
}
"""The module that holds the `METHOD` of each; it is imported when it is used."""

DEFAULT = "patch-gaussian"


def method_of(name: str) -> Method:
    """Give a method by name; raises UsageError for an unknown one."""
    if name not in METHODS:
        raise UsageError(f"method {name!r} is not one of {', '.join(METHODS)}")
    found: Method = import_module(METHODS[name]).METHOD
    return found
