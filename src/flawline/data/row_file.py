"""Rows already computed, kept on disk while long work runs, so that a rerun goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_KEY = 16


class RowFile:
    """An append-only file of float32 rows under the hash of the bytes that they were computed from.

    The first line names what computes the rows; a file of another computation is started anew. A record that was
    cut short by a crash is dropped. Use as a context manager; `recall` and `remember` are safe from several threads.
    """

    def __init__(self, path: Path, computation: str, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._size = _KEY + 4 * int(np.prod(shape))
        self._lock = threading.Lock()
        header = json.dumps({"computation": computation, "shape": shape}) + "\n"
        found = _scan(path, header.encode(), self._size)
        if found is None:
            path.write_bytes(header.encode())
        self._offsets = found or {}
        self._file = path.open("r+b")
        self._end = len(header) + self._size * len(self._offsets)
        self._file.truncate(self._end)
        self.path = path

    def __enter__(self) -> RowFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._offsets)

    def recall(self, data: bytes) -> NDArray[np.float32] | None:
        """The row computed from `data` before, or None."""
        with self._lock:
            offset = self._offsets.get(hashlib.sha256(data).digest()[:_KEY])
            if offset is None:
                return None
            self._file.seek(offset + _KEY)
            raw = self._file.read(self._size - _KEY)
        return np.frombuffer(raw, dtype="<f4").reshape(self._shape)

    def remember(self, data: bytes, row: NDArray[np.float32]) -> None:
        """Keep the row computed from `data`."""
        self.keep(hashlib.sha256(data).hexdigest(), row)

    def keep(self, sha256: str, row: NDArray[np.float32]) -> None:
        """Keep the row computed from the bytes of this hash."""
        key = bytes.fromhex(sha256)[:_KEY]
        with self._lock:
            if key in self._offsets:
                return
            self._file.seek(self._end)
            self._file.write(key + row.astype("<f4").tobytes())
            self._file.flush()
            self._offsets[key] = self._end
            self._end += self._size


def _scan(path: Path, header: bytes, size: int) -> dict[bytes, int] | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        if file.readline() != header:
            return None
        offsets: dict[bytes, int] = {}
        start = file.tell()
        for index in range((path.stat().st_size - start) // size):
            offset = start + index * size
            file.seek(offset)
            offsets[file.read(_KEY)] = offset
        return offsets
