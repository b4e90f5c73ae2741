"""Write files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flawline.data.part_files import part_file, part_name


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which replaces `path` when the block ends without an error.

    Otherwise it is removed and `path` stays as it was: a full disk or Ctrl-C never leaves half a file. What a killed
    process left is removed by the next one that writes into the folder.
    """
    # The process number keeps two commands with the same output apart; some writers choose the format by the extension.
    with part_file(path.with_name(part_name(path.stem, path.suffix))) as part:
        yield part
        os.replace(part, path)


def write_text(path: Path, text: str) -> Path:
    """Write a whole file of UTF-8 with its line feeds as they are; returns `path`."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return path
