"""Store out-of-fold probabilities on disk, so that a stopped audit can resume."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.closing import Closing
from flawline.data.work_file import WorkFile
from flawline.errors import ModelError

_FILE = "probabilities"
# The plan in the folder tells which audit they belong to.
_SETTINGS = "flawline audit 1"
_STEPS = 255


class AuditStore(Closing):
    """Masks and probabilities of pictures by number, in steps of 1/255; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        """Open the store in a folder or create it; a damaged one is started anew."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = WorkFile(folder / _FILE, _SETTINGS)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def has(self, number: int) -> bool:
        """Tell whether a picture is stored."""
        return self._file.get(str(number)) is not None

    def write(
        self, number: int, mask: NDArray[np.uint8], probabilities: NDArray[np.float32]
    ) -> None:
        """Store the mask (H, W) and the probabilities (C, H, W) of a picture."""
        steps = np.rint(probabilities * _STEPS).astype(np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, mask=mask, shares=steps)
        self._file.keep(str(number), buffer.getvalue())

    def read(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Read the mask and the probabilities of a picture, scaled to add up to 1 again.

        Raises:
            ModelError: they are missing or damaged.
        """
        data = self._file.get(str(number)) or b""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                mask, steps = arrays["mask"], arrays["shares"]
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(
                f"probabilities of picture {number} cannot be read from {self._file.path}: {error}",
                hint="run the audit again; it computes what is missing",
                code="model-damaged",
            ) from error
        probabilities = steps.astype(np.float32)
        return mask, probabilities / probabilities.sum(0)
