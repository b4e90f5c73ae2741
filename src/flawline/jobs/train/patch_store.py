"""Store arrays in half precision: in memory up to a limit, in a scratch file up to another, and no further."""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

MEMORY = 2**29
"""Bytes of patches that are held in memory; further ones go to a scratch file in the system's temporary folder."""
SCRATCH = 2**32
"""Bytes of patches that the scratch file takes."""


@dataclass(frozen=True, slots=True)
class _InFile:
    """Where an array lies in the scratch file."""

    start: int
    shape: tuple[int, ...]


class PatchStore:
    """Arrays float16 by name; reading is safe from several threads.

    A scratch file has no name and goes with the store, also where the process is killed.
    """

    def __init__(self, memory: int = MEMORY, scratch: int = SCRATCH) -> None:
        self._memory, self._scratch = memory, scratch
        self._items: dict[str, NDArray[np.float16] | _InFile] = {}
        self._file: IO[bytes] | None = None

    def add(self, name: str, array: NDArray[np.float16]) -> None:
        """Store an array where there is room; what comes after one that found none is not stored either."""
        if array.nbytes <= self._memory:
            self._memory -= array.nbytes
            self._items[name] = array
        elif array.nbytes <= self._scratch:
            self._memory, self._scratch = 0, self._scratch - array.nbytes
            self._items[name] = self._written(array)
        else:
            self._memory = self._scratch = 0

    def _written(self, array: NDArray[np.float16]) -> _InFile:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(array.tobytes())
        return _InFile(start, array.shape)

    def __contains__(self, name: str) -> bool:
        """Whether an array is stored."""
        return name in self._items

    def __getitem__(self, name: str) -> NDArray[np.float16]:
        """Read an array."""
        item = self._items[name]
        if not isinstance(item, _InFile):
            return item
        assert self._file is not None
        return np.memmap(self._file, np.float16, "r", item.start, item.shape)
