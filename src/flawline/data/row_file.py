"""Rows already computed, kept on disk while long work runs, so that a rerun goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_KEY = 16
_CHECK = 4


class RowFile:
    """An append-only file of float32 rows under the hash of the bytes that they were computed from.

    The first line names what computes the rows; a file of another computation is started anew. A record is key, row
    and CRC-32 of both, and one that does not fit its check is not known: what a crash left, or a second process with
    the same file, costs a computation and never gives a wrong row. Use as a context manager; `recall` and `remember`
    are safe from several threads.
    """

    def __init__(self, path: Path, computation: str, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._size = _KEY + 4 * int(np.prod(shape)) + _CHECK
        self._lock = threading.Lock()
        described = {"computation": computation, "shape": shape, "check": "crc32"}
        header = (json.dumps(described) + "\n").encode()
        found = _scan(path, header, self._size)
        if found is None:
            path.write_bytes(header)
        self._offsets, end = found or ({}, len(header))
        # Appending, the system puts each record at the end, also behind those of another process.
        self._file = path.open("a+b")
        if self._file.seek(0, 2) > end:
            self._file.truncate(end)
        self.path = path

    def __enter__(self) -> RowFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._offsets)

    def recall(self, data: bytes) -> NDArray[np.float32] | None:
        """The row computed from `data` before, or None."""
        key = hashlib.sha256(data).digest()[:_KEY]
        with self._lock:
            offset = self._offsets.get(key)
            if offset is None:
                return None
            self._file.seek(offset)
            record = self._file.read(self._size)
            if not record.startswith(key) or record != _checked(record[:-_CHECK]):
                del self._offsets[key]
                return None
        return np.frombuffer(record[_KEY:-_CHECK], "<f4").reshape(self._shape)

    def remember(self, data: bytes, row: NDArray[np.float32]) -> None:
        """Keep the row computed from `data`."""
        self.keep(hashlib.sha256(data).hexdigest(), row)

    def keep(self, sha256: str, row: NDArray[np.float32]) -> None:
        """Keep the row computed from the bytes of this hash."""
        key = bytes.fromhex(sha256)[:_KEY]
        with self._lock:
            if key in self._offsets:
                return
            self._file.seek(0, 2)
            self._file.write(_checked(key + row.astype("<f4").tobytes()))
            self._file.flush()
            self._offsets[key] = self._file.tell() - self._size


def _checked(record: bytes) -> bytes:
    return record + zlib.crc32(record).to_bytes(_CHECK, "little")


def _scan(path: Path, header: bytes, size: int) -> tuple[dict[bytes, int], int] | None:
    """Where the record of each key starts and where the last whole record ends; None for another computation."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        if file.readline() != header:
            return None
        offsets: dict[bytes, int] = {}
        start = file.tell()
        count = (path.stat().st_size - start) // size
        for index in range(count):
            offset = start + index * size
            file.seek(offset)
            offsets[file.read(_KEY)] = offset
        return offsets, start + count * size
