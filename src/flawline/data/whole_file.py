"""Write files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which replaces `path` when the block ends without an error.

    Otherwise it is removed and `path` stays as it was: a full disk or Ctrl-C never leaves half a file.
    """
    # The process number keeps two commands with the same output apart; some writers choose the format by the extension.
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_text(path: Path, text: str) -> Path:
    """Write a whole file of UTF-8 with its line feeds as they are; returns `path`."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return path
