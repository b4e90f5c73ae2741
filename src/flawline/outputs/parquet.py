"""Drop Parquet files of events into a folder, from which a historian or a data lake takes them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from flawline.data.process import DIMENSIONS
from flawline.errors import UsageError
from flawline.outputs.events import Message
from flawline.outputs.file import line_break
from flawline.outputs.output import Failure, OutputKind, Say, path_entry
from flawline.recipe.checks import integer, number
from flawline.recipe.entries import Section, entry

PENDING = ".pending.jsonl"
_TIMES = ("time", "captured", "raised")
_FLOATS = ("score", "p_value", "value", "lower", "centre", "upper")
_WHOLE = ("version", "defects", "level", "rule", "inspection", "points")


@dataclass(frozen=True, slots=True)
class ParquetEntries(Section):
    """parquet: files in a folder."""

    folder: str = path_entry("The folder, which exists")
    every: float = entry(number("s", 0, 86400), "A file is dropped at least so often", 60.0)
    rows: int = entry(integer(1, 1_000_000), "A file is dropped at so many events", 1000)


@dataclass(slots=True)
class Parquet:
    """Collect events on the disk and drop them as KIND-TIME-HASH.parquet, whole files under their final names.

    An event has arrived when it is in the folder's file of waiting events, on the disk. A killed process drops what
    waits there at the next start. A file has a name of its content, so that a drop that is repeated replaces itself.
    """

    entries: ParquetEntries
    say: Say
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _timer: Timer | None = field(default=None, init=False, repr=False)
    _rows: int = field(default=0, init=False)

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"parquet:{self.entries.folder}"

    @property
    def place(self) -> str:
        """Return the folder."""
        return self.entries.folder

    def open(self) -> None:
        """Drop what an earlier process left."""
        self._drop()

    def close(self) -> None:
        """Drop what waits."""
        self._drop()

    def send(self, message: Message) -> Failure | None:
        """Note one event on the disk; drop a file where enough wait."""
        text = json.dumps(dict(message), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with self._lock:
                with self._pending.open("ab") as file:
                    # A line cut by a crash must not be joined with this one.
                    file.write((line_break(self._pending) + text).encode())
                    file.flush()
                    os.fsync(file.fileno())
                self._rows += 1
                full = self._rows >= self.entries.rows
                if not full and self._timer is None:
                    self._timer = Timer(self.entries.every, self._drop)
                    self._timer.daemon = True
                    self._timer.start()
            if full:
                self._drop()
        except OSError as error:
            return Failure(f"{error.strerror or error}: {self.entries.folder}")
        return None

    @property
    def _pending(self) -> Path:
        return Path(self.entries.folder) / PENDING

    def _drop(self) -> None:
        """Write what waits as one file of each kind; what cannot be written waits on."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            try:
                text = self._pending.read_bytes()
            except FileNotFoundError:
                return
            except OSError as error:
                self.say(f"{self.name}: {error.strerror or error}")
                return
            try:
                for kind, messages in _by_kind(text).items():
                    write_drop(Path(self.entries.folder), kind, messages)
                self._pending.unlink()
                self._rows = 0
            except OSError as error:
                self.say(f"{self.name}: {error.strerror or error}; the events wait")


def write_drop(folder: Path, kind: str, messages: Sequence[Message]) -> Path:
    """Write events of one kind as a Parquet file, under its final name when it is whole.

    The columns of a kind are always the same: times in UTC, numbers, text; names of the process each in a column,
    other objects as JSON, lists joined by semicolons.
    """
    import polars as pl

    rows = [_row(message) for message in messages]
    frame = pl.DataFrame(rows, schema={name: _type(name) for name in rows[0]}, orient="row")
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:12]
    stamp = min(row["time"] for row in rows).strftime("%Y%m%dT%H%M%S")
    path = folder / f"{kind}-{stamp}-{digest}.parquet"
    part = folder / f".{path.name}.part"
    with part.open("wb") as file:
        frame.write_parquet(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    return path


def _by_kind(text: bytes) -> dict[str, list[Message]]:
    """Read waiting events; a last line that a crash has cut was never taken, and is sent again."""
    found: dict[str, list[Message]] = {}
    for line in text.split(b"\n"):
        try:
            message = json.loads(line)
        except ValueError:
            continue
        found.setdefault(message["kind"], []).append(message)
    return found


def _row(message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in message.items():
        if name == "names":
            row |= {dimension: value.get(dimension) for dimension in DIMENSIONS}
        elif name in _TIMES:
            row[name] = None if value is None else datetime.fromisoformat(value)
        elif isinstance(value, Mapping):
            row[name] = json.dumps(value, ensure_ascii=False, sort_keys=True)
        elif isinstance(value, list | tuple):
            row[name] = "; ".join(map(str, value))
        else:
            row[name] = value
    return row


def _type(name: str) -> Any:
    import polars as pl

    if name in _TIMES:
        return pl.Datetime("us", "UTC")
    return pl.Float64 if name in _FLOATS else pl.Int64 if name in _WHOLE else pl.String


def _open(entries: ParquetEntries, say: Say) -> Parquet:
    if not Path(entries.folder).is_dir():
        raise UsageError(
            f"expected a folder for Parquet files, found none at {entries.folder}", hint="make it"
        )
    return Parquet(entries, say)


KIND = OutputKind(ParquetEntries, _open, "parquet:FOLDER", "folder", events=("judged",))
