"""Read the files of unfinished work of version 0.1."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any


def read_old_journal(path: Path, computation: str) -> list[tuple[str, Any]] | None:
    """Read keys and values in the order in which they were written; None for another file.

    The first line is the hash of `computation`. Each further line is a CRC-32 and the JSON list of a key and a value;
    a line that is cut or fails its CRC ends the file.
    """
    header = hashlib.sha256(computation.encode()).hexdigest().encode() + b"\n"
    entries: list[tuple[str, Any]] = []
    with path.open("rb") as file:
        if file.readline(len(header)) != header:
            return None
        for line in file:
            if not line.endswith(b"\n") or line[:8] != b"%08x" % zlib.crc32(line[9:-1]):
                break
            key, value = json.loads(line[9:-1])
            entries.append((key, value))
    return entries
