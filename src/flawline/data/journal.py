"""Results of long work kept as it goes, one JSON line each, so that a rerun goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any


class Journal:
    """An append-only file of JSON objects under a key.

    The first line names the computation; a file of another one is started anew. Each further line is the CRC-32 of what
    follows, a key and an object; a line that is cut or does not fit its check is not known, so that a crash costs
    a computation and never gives a wrong result. `earlier` are the keys that were known when it was opened. Use as a
    context manager; safe from several threads.
    """

    def __init__(self, path: Path, computation: str) -> None:
        header = hashlib.sha256(computation.encode()).hexdigest() + "\n"
        self._known, end = _scan(path, header)
        self.earlier = frozenset(self._known)
        self._lock = threading.Lock()
        if end == 0:
            path.write_text(header, encoding="ascii")
        self._file = path.open("ab")
        if end:
            self._file.truncate(end)
        self.path = path

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> dict[str, Any] | None:
        """The object kept under `key`, or None."""
        return self._known.get(key)

    def keep(self, key: str, value: dict[str, Any]) -> None:
        """Keep an object; the first under a key stays."""
        with self._lock:
            if key not in self._known:
                self._known[key] = value
                self._file.write(_line(key, value))
                self._file.flush()


def _line(key: str, value: dict[str, Any]) -> bytes:
    body = json.dumps([key, value], ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f"{zlib.crc32(body.encode()):08x} {body}\n".encode("ascii")


def _scan(path: Path, header: str) -> tuple[dict[str, dict[str, Any]], int]:
    """What a file holds and where its last whole line ends; nothing and 0 for another computation."""
    known: dict[str, dict[str, Any]] = {}
    if not path.is_file():
        return known, 0
    with path.open("rb") as file:
        if file.readline() != header.encode():
            return known, 0
        end = file.tell()
        for line in file:
            if not line.endswith(b"\n") or line[:8] != b"%08x" % zlib.crc32(line[9:-1]):
                break
            key, value = json.loads(line[9:-1])
            known.setdefault(key, value)
            end = file.tell()
    return known, end
