"""Choose the device and the precision of a training."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from flawline.errors import UsageError

# malloc.h of glibc: its numbers of these options, and what they are set to.
_MALLOC = {
    "M_MMAP_MAX": (-4, 0),
    "M_TRIM_THRESHOLD": (-1, 2**31 - 1),
    "M_TOP_PAD": (-2, 2**26),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """Device "cpu" or "cuda", and precision "f32", "bf16", or "f16" on GPUs without bf16."""

    device: str
    precision: str

    def autocast(self) -> Any:
        """Return a context in which a network computes in that precision; parameters stay float32."""
        kind = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[self.precision]
        return torch.autocast(self.device, kind, enabled=self.precision != "f32")


def choose_machine(device: str, precision: str) -> Machine:
    """Choose the fastest device and precision that were asked for; raises UsageError where they are missing."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no GPU", hint="use `device=cpu`, or install its CUDA build")
    if device != "cpu" and torch.cuda.is_available():
        able = torch.cuda.is_bf16_supported()
        if precision == "bf16" and not able:
            raise UsageError("this GPU does not compute in bf16", hint="use `precision=auto`")
        return Machine("cuda", "f32" if precision == "f32" else "bf16" if able else "f16")
    able = native_bf16()
    if precision == "bf16" and not able:
        raise UsageError("this CPU does not compute in bf16", hint="use `precision=f32`")
    return Machine("cpu", "bf16" if able and precision != "f32" else "f32")


def native_bf16() -> bool:
    """Tell whether the CPU has instructions for bf16; without them it is emulated, and slower than f32."""
    asked = (
        getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("amx_tile", "avx512_bf16")
    )
    return any(ask is not None and ask() for ask in asked)


@cache
def keep_freed_memory() -> None:
    """Let glibc keep freed memory until the process ends instead of returning it to the system.

    A step on a CPU allocates and frees hundreds of maps of tens of megabytes. Memory that was returned comes back page
    by page, zeroed, which takes a fifth of the time of a training.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        set_option = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return
    for option, value in _MALLOC.values():
        set_option(option, value)
