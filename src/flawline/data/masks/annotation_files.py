"""The files that a person gives as annotations, listed and parsed once for every format that looks at them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flawline.data.masks.documents import read_json
from flawline.data.names import suffix
from flawline.errors import SourceError

_MOST_FILES = 5_000_000


@dataclass(frozen=True, eq=False)
class AnnotationFiles:
    """A file or folder of annotations: its path, the most pixels a picture may state, the classes that were named."""

    path: Path
    most_pixels: int
    classes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in messages."""
        return self.path.name

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def suffix(self) -> str:
        """The extension of a file in lower case, empty for a folder."""
        return "" if self.is_folder else suffix(self.path.name)

    @cached_property
    def folder(self) -> Path:
        """The folder, or the one that holds the file."""
        return self.path if self.is_folder else self.path.parent

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files below `folder` by their paths with forward slashes, folder by folder; hidden folders are left out.

        Raises:
            SourceError: more files than any export has.
        """
        found: list[str] = []
        for root, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            inside = os.path.relpath(root, self.folder).replace(os.sep, "/")
            prefix = "" if inside == "." else f"{inside}/"
            found += [prefix + name for name in sorted(files)]
            if len(found) > _MOST_FILES:
                raise SourceError(
                    f"expected at most {_MOST_FILES} files of annotations, {str(self.folder)!r} holds more",
                    hint="Give the folder of one set.",
                    code="annotations-too-large",
                )
        return tuple(found)

    @cached_property
    def document(self) -> Any:
        """The content of a .json file, None for any other; raises SourceError where it is no JSON."""
        return read_json(self.path) if self.suffix == ".json" else None
