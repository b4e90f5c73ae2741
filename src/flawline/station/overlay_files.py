"""Name and write the files of overlays next to the tables of an inspection."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import replacing

LONGEST_NAME = 230


class OverlayFiles:
    """Paths of overlays: `overlays/NAME.jpg`, or with a hash where that is invalid or could be another picture's."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        """Take the folder of the tables and the names of all pictures."""
        self._folder = folder / "overlays"
        self._parents = {parent for name in names for parent in PurePosixPath(name).parents}

    def path(self, image: str) -> Path:
        """Return the path of the overlay of a picture."""
        name = PurePosixPath(image)
        drawn = PurePosixPath(f"{name}.jpg")
        plain = not {"/", ".."} & set(name.parts) and drawn not in self._parents
        # File systems take 255 bytes for each part, and a part file has a longer name.
        if plain and max(len(part.encode()) for part in drawn.parts) <= LONGEST_NAME:
            return self._folder / drawn
        digest = hashlib.sha256(image.encode()).hexdigest()[:16]
        return self._folder / f"{name.name[:40]}~{digest}.jpg"

    def clear_others(self, drawn: Collection[Path | None]) -> None:
        """Remove other overlays in this folder, which are of earlier runs."""
        for path in self._folder.rglob("*.jpg"):
            if path not in drawn and path.is_file():
                path.unlink()


def write_overlay(path: Path, data: bytes) -> None:
    """Write an overlay, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(data)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an overlay, uint8 RGB (h, w, 3), as JPEG."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return bytes(data.tobytes())
