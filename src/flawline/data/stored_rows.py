"""Store rows of float32 numbers under the hash of their pictures, so that an interrupted run can resume."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.closing import Closing
from flawline.data.work_file import WorkFile


class StoredRows(Closing):
    """Rows of one width in a work file; a `Memory` of `map_pictures`. Use as a context manager."""

    def __init__(self, path: Path, settings: str, width: int) -> None:
        """Open the file or create it, as `WorkFile` does; rows of another width start it anew."""
        self._file = WorkFile(path, f"{settings} float32 ({width},)")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._file)

    def recall(self, data: bytes) -> NDArray[np.float32] | None:
        """Return the row (width,) computed from these bytes before, or None."""
        row = self._file.get(hashlib.sha256(data).hexdigest())
        return None if row is None else np.frombuffer(row, "<f4")

    def remember(self, data: bytes, result: NDArray[np.float32]) -> None:
        """Store the row (width,) computed from these bytes."""
        self.keep(hashlib.sha256(data).hexdigest(), result)

    def keep(self, sha256: str, row: NDArray[np.float32]) -> None:
        """Store the row (width,) computed from the bytes of this hash."""
        self._file.keep(sha256, row.astype("<f4").tobytes())
