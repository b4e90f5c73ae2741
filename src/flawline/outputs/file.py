"""Append events to a file as lines of JSON."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from flawline.errors import UsageError
from flawline.outputs.events import Message
from flawline.outputs.output import Failure, OutputKind, Say, path_entry
from flawline.recipe.entries import Section


@dataclass(frozen=True, slots=True)
class File:
    """Append each event to `path` as one line of JSON in UTF-8, on the disk before `send` returns."""

    path: Path

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"file:{self.path}"

    @property
    def place(self) -> str:
        """Return the path."""
        return str(self.path)

    def open(self) -> None:
        """Do nothing: the file is opened for each event, so that it may be moved away."""

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def send(self, message: Message) -> Failure | None:
        """Append one event."""
        text = json.dumps(dict(message), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with self.path.open("ab") as file:
                # A line cut by a crash must not be joined with this one.
                file.write((line_break(self.path) + text).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Failure(f"{error.strerror or error}: {self.path}")
        return None


def line_break(path: Path) -> str:
    """Return what ends a last line that a crash has cut; empty where there is none."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return ""
        file.seek(-1, os.SEEK_END)
        return "" if file.read(1) == b"\n" else "\n"


@dataclass(frozen=True, slots=True)
class FileEntries(Section):
    """file: lines of JSON."""

    path: str = path_entry("The file, in a folder that exists")


def _open(entries: FileEntries, say: Say) -> File:
    path = Path(entries.path)
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"events cannot be written to {path}", hint="name a file in a folder")
    return File(path)


KIND = OutputKind(FileEntries, _open, "file:PATH", "path")
