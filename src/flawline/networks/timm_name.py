"""How a network of timm is named, and the name of its export in the cache."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from flawline.errors import DependencyError, UsageError, install_extra
from flawline.networks.cache import cache_folder

PREFIX = "timm:"
PACKAGES = ("torch", "timm", "onnx")
INSTALL = install_extra("train")

# Raised whenever the same network would be exported differently.
_EXPORT = 1
_NAME = re.compile(r"\w+(\.[\w-]+)?", re.ASCII)
_OURS = frozenset(
    "pretrained pretrained_cfg pretrained_cfg_overlay checkpoint_path cache_dir features_only out_indices feature_cls "
    "in_chans scriptable exportable model_name".split()
)


@dataclass(frozen=True, slots=True)
class TimmName:
    """A network of timm and further arguments of `timm.create_model`."""

    name: str
    arguments: Mapping[str, Any]


def parse_timm_name(text: str) -> TimmName:
    """Read "timm:NAME" or "timm:NAME?argument=value&argument=value"; values are Python literals or plain words.

    Raises:
        UsageError: the text is neither, or an argument is one that Flawline sets itself.
    """
    name, _, query = text.removeprefix(PREFIX).partition("?")
    grammar = f"expected timm:NAME or timm:NAME?argument=value&..., got {text!r}"
    if not _NAME.fullmatch(name):
        raise UsageError(grammar, hint="NAME is one of timm.list_models(), such as resnet18")
    try:
        pairs = parse_qsl(query, strict_parsing=True) if query else []
    except ValueError as error:
        raise UsageError(grammar) from error
    arguments = {key: _literal(value) for key, value in pairs}
    if len(arguments) < len(pairs):
        raise UsageError(f"{text!r} gives an argument twice")
    if refused := sorted(_OURS & set(arguments)):
        raise UsageError(
            f"{', '.join(refused)} cannot be given in {text!r}: Flawline sets it itself",
            hint="weights are given with `weights=FILE.safetensors`",
        )
    return TimmName(name, dict(sorted(arguments.items())))


def exported_path(asked: TimmName, weights_sha256: str | None) -> Path:
    """Where the export of a network lies in the cache: its name and a hash of everything that decides its content.

    Raises:
        DependencyError: the extra is not installed.
    """
    parts = [
        _EXPORT,
        asked.name,
        dict(asked.arguments),
        weights_sha256 or "hub",
        package_versions(),
    ]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return cache_folder() / f"timm-{asked.name}-{digest[:16]}.onnx"


def package_versions() -> dict[str, str]:
    """Versions of the packages that export; raises DependencyError where one is missing."""
    try:
        return {name: version(name) for name in PACKAGES}
    except PackageNotFoundError as error:
        raise DependencyError(
            f"{PREFIX} backbones need {', '.join(PACKAGES)}; {error.name} is not installed",
            hint=f"{INSTALL}, or give an exported network: `backbone=FILE.onnx`",
        ) from error


def _literal(value: str) -> Any:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return found if isinstance(found, int | float | tuple) else value
