"""Read the line files in which version 0.1 kept unfinished work; nothing writes them any more."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any


def read_old_journal(path: Path, computation: str) -> list[tuple[str, Any]] | None:
    """Return keys and values in the order in which they were kept; None for a file of anything else.

    The first line is the hash of what the file is for. Each further line is the CRC-32 of what follows, and a JSON list
    of a key and a value; a line that is cut or does not fit its check ends the file.
    """
    header = hashlib.sha256(computation.encode()).hexdigest().encode() + b"\n"
    found: list[tuple[str, Any]] = []
    with path.open("rb") as file:
        if file.readline(len(header)) != header:
            return None
        for line in file:
            if not line.endswith(b"\n") or line[:8] != b"%08x" % zlib.crc32(line[9:-1]):
                break
            key, value = json.loads(line[9:-1])
            found.append((key, value))
    return found
