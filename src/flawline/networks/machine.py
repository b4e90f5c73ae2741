"""What this machine has and can do, for `flawline doctor`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flawline.data.cores import cpu_count
from flawline.errors import FlawlineError, ModelError
from flawline.networks.backbone import EMBEDDED, open_backbone
from flawline.networks.cache import cache_folder, exported_backbones, offline
from flawline.networks.openvino_import import openvino
from flawline.networks.timm_name import INSTALL, PREFIX
from flawline.networks.timm_name import PACKAGES as TRAIN
from flawline.version import __version__

PACKAGES = (
    "numpy",
    "scipy",
    "opencv-python-headless",
    "pillow",
    "openvino",
    "scikit-learn",
    "polars",
    "matplotlib",
)


def describe_machine() -> dict[str, dict[str, Any]]:
    """Sections of plain values: versions, CPU, runtimes, backbones, extras."""
    return {
        "versions": {"flawline": __version__, "python": sys.version.split()[0], **_packages()},
        "machine": _found_out(_machine),
        "runtimes": _found_out(_runtimes),
        "backbones": _found_out(_backbones),
        "extras": _found_out(_extras),
    }


def _found_out(section: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A section, or why it cannot be found out: a broken installation is what doctor is asked about."""
    try:
        return section()
    except FlawlineError as error:
        return {"cannot be found out": error.message}
    except (ImportError, OSError, RuntimeError) as error:
        return {"cannot be found out": f"{type(error).__name__}: {error}"}


def _packages() -> dict[str, str]:
    return {name: _version(name) or "missing" for name in PACKAGES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cpu_count(),
        "memory": _memory(),
        "CPU features": _cpu_features(),
    }


_CPU_FLAGS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_bf16": "AMX BF16",
    "amx_int8": "AMX INT8",
    "asimd": "NEON",
}


def _cpu_features() -> list[str]:
    """What counts for networks, from the kernel's list; empty where the system has none."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next(
                (line.split() for line in file if line.startswith(("flags", "Features"))), []
            )
    except OSError:
        return []
    return [text for flag, text in _CPU_FLAGS.items() if flag in flags]


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return "unknown"
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.1f} GiB"


def _runtimes() -> dict[str, Any]:
    core = openvino().Core()
    able = set(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return {
        "OpenVINO": _version("openvino"),
        "OpenVINO devices": list(core.available_devices),
        "precisions": [name for name in ("FP32", "BF16", "INT8") if name in able],
        "chosen by default": "bf16" if "BF16" in able else "f32",
    }


def _backbones() -> dict[str, Any]:
    try:
        network = open_backbone()
    except ModelError as error:
        return {EMBEDDED: error.message}
    outputs = ", ".join(f"{name} ({width})" for name, width in network.outputs.items())
    return {
        EMBEDDED: f"embedded, {network.preparation.size[0]} px, outputs {outputs}, sha256 {network.sha256[:12]}",
        "any other": "`backbone=PATH.onnx`",
    }


def _extras() -> dict[str, Any]:
    found = {name: _version(name) for name in TRAIN}
    there = ", ".join(f"{name} {number}" for name, number in found.items())
    missing = ", ".join(name for name, number in found.items() if number is None)
    return {
        "train": f"installed: {there}"
        if not missing
        else f"adds `backbone={PREFIX}NAME`; {missing} missing: {INSTALL}",
        "FLAWLINE_OFFLINE": "set: nothing is fetched" if offline() else "not set",
        "cache": str(cache_folder()),
        "exported backbones": [path.name for path in exported_backbones()],
    }
