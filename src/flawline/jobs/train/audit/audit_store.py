"""Out-of-fold probabilities on disk, one file per picture, so that an audit that was stopped goes on."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import replacing
from flawline.errors import ModelError

_STEPS = 255


@dataclass(frozen=True, slots=True)
class AuditStore:
    """Masks and probabilities of pictures by number, in steps of 1/255."""

    folder: Path

    def has(self, number: int) -> bool:
        """Whether a picture is there."""
        return self._path(number).is_file()

    def write(self, number: int, mask: NDArray[np.uint8], shares: NDArray[np.float32]) -> None:
        """Keep the mask (H, W) and the probabilities (C, H, W) of a picture."""
        self.folder.mkdir(parents=True, exist_ok=True)
        steps = np.rint(shares * _STEPS).astype(np.uint8)
        with replacing(self._path(number)) as part, part.open("wb") as file:
            np.savez_compressed(file, mask=mask, shares=steps)

    def read(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The mask and the probabilities of a picture, which again add up to 1.

        Raises:
            ModelError: the file is missing or damaged.
        """
        path = self._path(number)
        try:
            with np.load(path, allow_pickle=False) as file:
                mask, steps = file["mask"], file["shares"]
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(
                f"{path} cannot be read: {error}",
                hint="remove that file and run the audit again",
                code="model-damaged",
            ) from error
        shares = steps.astype(np.float32)
        return mask, shares / shares.sum(0)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"
