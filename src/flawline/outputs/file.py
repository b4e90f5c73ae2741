"""Alerts as lines of JSON at the end of a file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from flawline.outputs.output import Failure, Message


@dataclass(frozen=True, slots=True)
class File:
    """Appends each alert to `path` as one line of JSON in UTF-8, on the disk before `send` returns."""

    path: Path
    slow: bool = False

    @property
    def name(self) -> str:
        """As a person may see it."""
        return f"file:{self.path}"

    def send(self, message: Message) -> Failure | None:
        """Append one alert."""
        text = json.dumps(dict(message), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with self.path.open("ab") as file:
                # A line that a crash has cut must not swallow this one.
                file.write((_break(self.path) + text).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Failure(f"{error.strerror or error}: {self.path}")
        return None


def _break(path: Path) -> str:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return ""
        file.seek(-1, os.SEEK_END)
        return "" if file.read(1) == b"\n" else "\n"
