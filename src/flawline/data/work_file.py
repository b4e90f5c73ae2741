"""Store results of long work under keys in one SQLite file, so that an interrupted run can resume."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flawline.data.closing import Closing
from flawline.errors import UsageError

_MAGIC = b"SQLite format 3\0"
# Raised whenever the values of an older version cannot be used.
_FORMAT = 1
_SCHEMA = (
    "CREATE TABLE work (format INTEGER, settings TEXT)",
    "CREATE TABLE kept (number INTEGER PRIMARY KEY, key TEXT UNIQUE, value BLOB, crc INTEGER)",
)
# SQLite takes no larger value, bytes.
_LARGEST = 10**9
# SQLite's own message can hold bytes of a damaged file that cannot be decoded.
_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
_OPEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_CLOSED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)
_SYSTEM = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_NOMEM: errno.ENOMEM,
}
# In this order. A commit does not wait for the disk; only moving the log into the file does, every 64 MiB.
_SETTINGS = (
    "page_size=16384",
    "locking_mode=EXCLUSIVE",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "wal_autocheckpoint=4096",
    "trusted_schema=OFF",
    "cell_size_check=ON",
)


class WorkFile(Closing):
    """Bytes under keys in one file: the first value under a key stays, until it is removed.

    A file of other settings, of another format or with damage is started anew, and a value that fails its CRC-32 is
    dropped: damage costs computing time and never gives a wrong result. Values survive the end of the process at once,
    and a power failure after the next `sync`; without one a power failure costs the last values. Values are plain
    bytes: nothing is executed or unpickled. One process has the file open at a time, and one `WorkFile` in it, which
    may be called from several threads. Use as a context manager, or call `close`.
    """

    def __init__(self, path: Path, settings: str) -> None:
        """Open a file or create it; whatever else was at `path` is removed.

        Args:
            path: the file. While it is open there is another one next to it, with "-wal" at the end of its name.
            settings: all that the values depend on in addition to their keys, as text.

        Raises:
            UsageError: another run has the file open.
            OSError: it cannot be read or written.
        """
        self.path, self._settings = path, settings
        self._lock = threading.Lock()
        self._open()
        # `get` can tell the values of earlier runs from those of this one.
        self._last = int(self._run("SELECT coalesce(max(number), 0) FROM kept")[0][0])

    def __len__(self) -> int:
        return int(self._run("SELECT count(*) FROM kept")[0][0])

    def get(self, key: str, *, earlier: bool = False) -> bytes | None:
        """Return the value under a key, or None; with `earlier` only one that was there when the file was opened."""
        most = self._last if earlier else 2**62
        found = self._run("SELECT value, crc FROM kept WHERE key = ? AND number <= ?", (key, most))
        if found and _check(key, found[0][0]) == found[0][1]:
            return found[0][0]  # type: ignore[no-any-return]
        if found:
            self.remove([key])
        return None

    def keep(self, key: str, value: bytes) -> None:
        """Store a value; the first under a key stays.

        Raises:
            OSError: it cannot be written, such as on a full disk; the values before it are still there.
        """
        if len(value) > _LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(self.path))
        self._run(
            "INSERT OR IGNORE INTO kept (key, value, crc) VALUES (?, ?, ?)",
            (key, value, _check(key, value)),
        )

    def get_json(self, key: str, *, earlier: bool = False) -> dict[str, Any] | None:
        """Return the JSON object under a key, as `get` does."""
        found = self.get(key, earlier=earlier)
        return None if found is None else json.loads(found)

    def keep_json(self, key: str, value: Mapping[str, Any]) -> None:
        """Store a JSON object, as `keep` does; a NaN raises ValueError."""
        self.keep(key, json.dumps(value, allow_nan=False, separators=(",", ":")).encode())

    def items(self) -> list[tuple[str, bytes]]:
        """List keys and values in the order in which they were stored."""
        found = self._run("SELECT key, value, crc FROM kept ORDER BY number")
        return [(key, value) for key, value, crc in found if _check(key, value) == crc]

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the values under some keys; their space is used again."""
        listed = json.dumps(list(keys))
        self._run("DELETE FROM kept WHERE key IN (SELECT value FROM json_each(?))", (listed,))

    def sync(self) -> None:
        """Wait until all values are on the disk itself, safe from a power failure.

        Raises:
            OSError: the disk cannot be written.
        """
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._database.close()

    def _open(self) -> None:
        """Open the database; start it anew where it has other settings or cannot be used."""
        try:
            if self._connect():
                return
            self._database.close()
        except _ERRORS as error:
            self._must_be_damage(error)
        self._start_anew()

    def _start_anew(self) -> None:
        self._last = 0
        _delete(self.path)
        try:
            self._connect()
        except _ERRORS as error:
            self._must_be_damage(error)
            raise

    def _connect(self) -> bool:
        """Connect exclusively; returns whether the file has these settings."""
        self._database = database = sqlite3.connect(
            self.path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            return _prepare(database, self._settings)
        except BaseException:
            database.close()
            raise

    def _run(self, command: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            for anew in (False, True):
                try:
                    return self._database.execute(command, values).fetchall()
                except _ERRORS as error:
                    self._must_be_damage(error)
                    if anew:
                        raise
                # Damage that shows only now: the values so far are lost, and a new file takes the rest.
                self._database.close()
                self._start_anew()
        raise AssertionError("a second attempt returns or raises")

    def _must_be_damage(self, error: Exception) -> None:
        """Raise an error of SQLite as a UsageError or OSError, unless the file is damaged.

        The commands are fixed and correct, so any other error comes from damage.
        """
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _OPEN:
            raise UsageError(
                f"{self.path} is in use by another run",
                hint="wait until that one ends, or give another folder",
            ) from error
        if code in _CLOSED:
            with self.path.open("ab"):  # raises the reason, unless the file is damaged
                pass
        if code in _SYSTEM:
            number = _SYSTEM[code]
            raise OSError(number, os.strerror(number), str(self.path)) from error
        if isinstance(error, sqlite3.ProgrammingError):  # it is closed
            raise error


def is_resumable(path: Path) -> bool:
    """Tell whether a run can resume from a file, or there is none; False for another kind of file."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) in (b"", _MAGIC)


def _prepare(database: sqlite3.Connection, settings: str) -> bool:
    """Lock a database and create its tables; returns whether it has these settings."""
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    for setting in _SETTINGS:
        database.execute(f"PRAGMA {setting}").fetchall()
    database.execute("BEGIN EXCLUSIVE")
    if not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        for command in _SCHEMA:
            database.execute(command)
        database.execute("INSERT INTO work VALUES (?, ?)", (_FORMAT, settings))
    database.execute("COMMIT")
    work = database.execute("SELECT format, settings FROM work").fetchall()
    database.execute("SELECT number, key, crc FROM kept LIMIT 1").fetchall()
    return work == [(_FORMAT, settings)]


def _delete(path: Path) -> None:
    for ending in ("", "-wal", "-journal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _check(key: str, value: object) -> int:
    """Compute the CRC-32 of a key and its value; -1 for a value that is no bytes, in a damaged file."""
    return zlib.crc32(value, zlib.crc32(key.encode())) if isinstance(value, bytes) else -1
