"""Name files that are written for each picture of a source, such as overlays and masks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

LONGEST_NAME = 230


class FilesByPicture:
    """Paths of files: `FOLDER/NAME.jpg`, or with a hash where that is invalid or could be another picture's."""

    def __init__(self, folder: Path, names: Iterable[str], ending: str) -> None:
        """Take the folder of the files, the names of all pictures, and the ending such as ".jpg"."""
        self._folder, self._ending = folder, ending
        self._parents = {parent for name in names for parent in PurePosixPath(name).parents}

    def path(self, image: str) -> Path:
        """Return the path of the file of a picture."""
        name = PurePosixPath(image)
        drawn = PurePosixPath(f"{name}{self._ending}")
        plain = not {"/", ".."} & set(name.parts) and drawn not in self._parents
        # File systems take 255 bytes for each part, and a part file has a longer name.
        if plain and max(len(part.encode()) for part in drawn.parts) <= LONGEST_NAME:
            return self._folder / drawn
        digest = hashlib.sha256(image.encode()).hexdigest()[:16]
        return self._folder / f"{name.name[:40]}~{digest}{self._ending}"

    def clear_others(self, written: Collection[Path | None]) -> None:
        """Remove other files of this ending in the folder, which are of earlier runs."""
        for path in self._folder.rglob(f"*{self._ending}"):
            if path not in written and path.is_file():
                path.unlink()
