"""Files that a table names: they lie below its folder, or below a wider one that a person allowed."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from flawline.data.folder import read_file

OUTSIDE = "file outside the table's folder"


class NamedFiles:
    """Files by their names in a table, which are relative to `folder`; each must lie below `root`."""

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        """Resolve both folders; without `root` names stay below `folder`."""
        self._folder = os.path.realpath(folder)
        self._root = self._folder if root is None else os.path.realpath(root)
        self._reason = OUTSIDE if root is None else f"file outside {self._root}"
        self._real_folder = lru_cache(4096)(os.path.realpath)

    def why_not(self, name: str) -> str | None:
        """Give the reason why `name` is no file that may be read, or None where it is one."""
        folder, last = os.path.split(os.path.join(self._folder, name))
        path = os.path.join(self._real_folder(folder), last)
        if last in ("", ".", "..") or os.path.islink(path):
            path = os.path.realpath(path)
        # Asked first: whether a file outside exists is nobody's business.
        if not self._inside(path):
            return self._reason
        return None if os.path.isfile(path) else "missing file"

    def path(self, name: str) -> str | None:
        """Resolve a name with all links; None where it leads outside."""
        path = os.path.realpath(os.path.join(self._folder, name))
        return path if self._inside(path) else None

    def read(self, name: str, most: int) -> bytes | None:
        """Read a file of at most `most` bytes, None where its name leads outside; raises ImageError."""
        path = self.path(name)
        return None if path is None else read_file(path, name, most)

    def _inside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root.rstrip(os.sep) + os.sep)


def name_from(place: Path, folder: Path, name: str) -> str:
    """Name the file `name` of `folder` as a manifest in the folder `place` does: relative, with forward slashes."""
    try:
        path = os.path.relpath(folder.resolve() / name, place.resolve())
    except ValueError:  # another drive has no relative path
        path = str(folder.resolve() / name)
    path = path.replace(os.sep, "/")
    # Tables quote cells that a spreadsheet would run as a formula, and a quoted path would be wrong.
    return path if path[0] not in "=+-@" else f"./{path}"
