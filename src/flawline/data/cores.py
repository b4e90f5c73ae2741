"""Count the cores that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cpu_count(quota: Path = _QUOTA) -> int:
    """Count the cores that this process may use, at least 1: its affinity, or less where its container has a CPU quota.

    `quota` is the file `cpu.max` of control groups, version 2: "max" or microseconds of CPU time, then the period in
    microseconds (Linux kernel documentation, Control Group v2, CPU interface files). A fraction of a core is rounded
    down.
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(allowed, _whole_cores(quota, allowed)))


def _whole_cores(quota: Path, otherwise: int) -> int:
    try:
        granted, period = quota.read_text(encoding="ascii").split()
        return int(granted) // int(period)
    except (OSError, ValueError, ZeroDivisionError):
        # Not Linux, control groups of version 1, or "max".
        return otherwise
