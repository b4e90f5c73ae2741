"""Read whole files up to a size limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flawline.errors import FlawlineError


def read_bounded(
    path: str | Path,
    most: int,
    error: type[FlawlineError],
    kind: str,
    *,
    limit: str,
    name: str | None = None,
) -> bytes:
    """Read a plain file of at most `most` bytes; a pipe or device could keep the reader waiting for ever.

    Args:
        path: the file.
        most: the largest size in bytes; no more than one byte beyond it is read.
        error: the error to raise; its code is `kind` with "-unreadable" or "-too-large".
        kind: the first word of the code.
        limit: the hint for a file that is larger: how to raise the limit or shrink the file.
        name: the file's name in messages; by default the last part of `path`.
    """
    name = name or os.path.basename(path)
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("it is no plain file")
            size = found.st_size
            data = file.read(min(size, most) + 1)
    except (OSError, ValueError) as failure:
        raise error(
            f"cannot read {name!r}: {getattr(failure, 'strerror', None) or failure}",
            hint="Check that the file exists and may be read.",
            code=f"{kind}-unreadable",
        ) from failure
    if len(data) > most:
        raise error(
            f"expected {name!r} to be at most {most} bytes, it holds {max(size, len(data))}",
            hint=limit,
            code=f"{kind}-too-large",
        )
    return data


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe without waiting for somebody who writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
