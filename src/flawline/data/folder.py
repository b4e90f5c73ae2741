"""List and read the pictures below a folder, or those that match a pattern."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from flawline.data.bounded_file import read_bounded
from flawline.data.names import PICTURE_SUFFIXES, Findings, is_unicode, natural_key, suffix
from flawline.data.names import why_passed_over as why
from flawline.data.tree_walk import walked
from flawline.errors import ImageError


class Folder:
    """A folder tree, walked one directory at a time; `pattern` is a glob relative to it."""

    def __init__(self, root: Path, pattern: str | None, max_bytes: int) -> None:
        self.root = os.path.realpath(root)
        self._pattern = _Glob(pattern) if pattern else None
        self._max_bytes = max_bytes

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]:
        """List the pictures in natural order, counting in `findings` what is passed over."""
        return walked(lambda folder: self._directory(folder, findings, ordered))

    def _directory(
        self, folder: str, findings: Findings, ordered: bool
    ) -> Iterator[tuple[str, bool]]:
        files: list[str] = []
        folders: set[str] = set()
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                for entry in entries:
                    self._sort_entry(entry, prefix, files, folders, findings)
        except OSError as error:
            findings.passed_over["unreadable folder"] += 1
            findings.problem(f"cannot list the folder {_printable(folder)}: {error.strerror}")
        files.extend(folders)
        if ordered:
            files.sort(key=natural_key)
        return ((prefix + name, name in folders) for name in files)

    def _sort_entry(
        self,
        entry: os.DirEntry[str],
        prefix: str,
        files: list[str],
        folders: set[str],
        findings: Findings,
    ) -> None:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            if self._pattern is None or self._pattern.may_hold(name):
                reason = _why_folder(entry.name)
                folders.add(entry.name) if reason is None else findings.passed_over.update([reason])
        elif self._pattern is None or self._pattern.matches(name):
            reason = why(entry.name) or self._why_entry(entry)
            files.append(entry.name) if reason is None else _pass_over(name, reason, findings)

    def _why_entry(self, entry: os.DirEntry[str]) -> str | None:
        if entry.is_symlink():
            if entry.is_dir():
                return "link to a folder"
            if not os.path.exists(entry.path):
                return _BROKEN
            if not self._inside(entry.path):
                return _LEAVES
        return None if entry.is_file() else _NO_FILE

    def _inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real == self.root or real.startswith(self.root.rstrip(os.sep) + os.sep)

    def siblings(self, folder: str) -> list[str]:
        """List the file names of the pictures directly in `folder`, in natural order."""
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                names = [entry.name for entry in entries if suffix(entry.name) in PICTURE_SUFFIXES]
        except OSError:
            return []
        return sorted((name for name in names if why(name) is None), key=natural_key)

    def read(self, name: str) -> bytes:
        """Read one file below the folder; raises ImageError."""
        path = os.path.join(self.root, name)
        if "\0" in name or not self._inside(path):
            raise ImageError(
                f"{name!r} lies outside the folder {self.root}",
                hint="Use names as `samples()` gives them.",
                code="image-unreadable",
            )
        return read_file(path, name, self._max_bytes)

    def close(self) -> None:
        """Do nothing: no file is held open."""


class PictureFile:
    """One picture file, whatever its extension."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._name = path.name if is_unicode(path.name) else _printable(path.name)

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]:
        """List the name of the file."""
        yield self._name

    def siblings(self, folder: str) -> list[str]:
        """List the name of the file."""
        return [self._name]

    def read(self, name: str) -> bytes:
        """Read the file; raises ImageError."""
        if name != self._name:
            raise ImageError(
                f"expected {self._name!r}, got {name!r}",
                hint="Use names as `samples()` gives them.",
                code="image-unreadable",
            )
        return read_file(str(self._path), name, self._max_bytes)

    def close(self) -> None:
        """Do nothing: no file is held open."""


def split_pattern(text: str) -> tuple[str, str | None]:
    """Split a pattern into its leading folder and the rest, None where `text` is no pattern."""
    parts = text.replace(os.sep, "/").split("/")
    first = next((i for i, part in enumerate(parts) if any(c in part for c in "*?[")), None)
    if first is None:
        return text, None
    return "/".join(parts[:first]) or ("/" if first else "."), "/".join(parts[first:])


class _Glob:
    """A pattern of `*`, `?`, `[...]` within a part and `**` for any number of folders."""

    def __init__(self, pattern: str) -> None:
        self._parts = pattern.split("/")
        self._deep = self._parts.index("**") if "**" in self._parts else len(self._parts)
        pieces = [
            "(?:[^/]+/)*" if part == "**" else _part_pattern(part) + "/" for part in self._parts
        ]
        if self._parts[-1] == "**":
            pieces.append("[^/]+/")
        self._whole = re.compile("".join(pieces))
        self._heads = [re.compile(_part_pattern(part)) for part in self._parts[: self._deep]]

    def matches(self, name: str) -> bool:
        return self._whole.fullmatch(name + "/") is not None

    def may_hold(self, folder: str) -> bool:
        """Whether names below `folder` can match, so that the walk stays out of other folders."""
        parts = folder.split("/")
        if len(parts) >= len(self._parts) and self._deep == len(self._parts):
            return False
        return all(head.fullmatch(part) for head, part in zip(self._heads, parts, strict=False))


_NOT_UNICODE, _BROKEN = "name is not valid Unicode", "broken link"
_LEAVES, _NO_FILE = "link that leaves the folder", "not a regular file"
_UNREADABLE = frozenset({_NOT_UNICODE, _BROKEN, _LEAVES, _NO_FILE})
_TOKEN = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|[^*?\[]+|\[")


def _part_pattern(part: str) -> str:
    return "".join(map(_token_pattern, _TOKEN.findall(part)))


def _token_pattern(token: str) -> str:
    if token[0] == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if token[0] == "[" and len(token) > 2:
        negated = token[1] == "!"
        inner = token[2:-1] if negated else token[1:-1]
        escaped = (
            inner.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("^", "\\^")
        )
        return f"(?!/)[{'^' if negated else ''}{escaped}]"
    return re.escape(token)


def _pass_over(name: str, reason: str, findings: Findings) -> None:
    """Count a file that is not listed; one that is a picture by its name cannot be judged, and is a problem."""
    findings.passed_over.update([reason])
    if reason in _UNREADABLE and suffix(name) in PICTURE_SUFFIXES:
        findings.problem(f"{name if is_unicode(name) else _printable(name)}: {reason}")


def _why_folder(name: str) -> str | None:
    if not is_unicode(name):
        return _NOT_UNICODE
    if name == "__MACOSX":
        return "system file"
    return "hidden folder" if name.startswith(".") else None


def _printable(name: str) -> str:
    return repr(name.encode(errors="backslashreplace").decode())


def read_file(path: str, name: str, max_bytes: int) -> bytes:
    """Read the picture file at `path`, called `name` in errors; raises ImageError."""
    hint = "Raise `max_member_bytes` of ArchiveLimits if the picture is meant to be that large."
    return read_bounded(path, max_bytes, ImageError, "image", limit=hint, name=name)
