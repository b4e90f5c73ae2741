"""The spool: a file in which inspections wait for the records, so that a killed process loses none."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flawline.data.old_journal import read_old_journal
from flawline.data.work_file import WorkFile, is_resumable
from flawline.errors import UsageError
from flawline.records.owed import Owed
from flawline.records.record import Record, record_as_dict, record_from_dict

SETTINGS = "flawline records 2"
"""The settings in the file, by which it is recognised."""
SYNC_SECONDS = 0.25
_OLD_SETTINGS = "flawline records 1"


@dataclass(frozen=True, slots=True)
class Given:
    """A waiting inspection: its key in the spool, its messages for outputs, and when it was given (monotonic s)."""

    key: str
    record: Record
    owed: tuple[Owed, ...]
    since: float


class Spool:
    """Inspections that are not in the records yet, in one file; safe from several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file or create it; one of version 0.1 is converted.

        Raises:
            UsageError: it is another kind of file, or another process has it open.
        """
        if not is_resumable(path):
            _take_over(path)
        self.path = path
        self._file = WorkFile(path, SETTINGS)
        self._synced = float("-inf")

    def left(self) -> Iterator[Given]:
        """Yield the inspections that an earlier writer left, the oldest first."""
        for key, value in self._file.items():
            document = json.loads(value)
            owed = tuple(Owed(*message) for message in document["owed"])
            yield Given(key, record_from_dict(document["record"]), owed, 0.0)

    def keep(self, given: Given) -> bool:
        """Write an inspection; False where that fails, such as on a full disk."""
        owed = [[message.output, message.key, message.body] for message in given.owed]
        try:
            self._file.keep_json(given.key, {"record": record_as_dict(given.record), "owed": owed})
            # Waiting for the disk itself takes longer than all else.
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                self._file.sync()
                self._synced = time.monotonic()
        except OSError:
            return False
        return True

    def forget(self, batch: Iterable[Given]) -> None:
        """Remove inspections that are in the records; where that fails they are written again, without effect."""
        with suppress(OSError):
            self._file.remove([given.key for given in batch])

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()


def _take_over(path: Path) -> None:
    """Convert a spool of version 0.1, whole or not at all."""
    left = read_old_journal(path, _OLD_SETTINGS)
    if left is None:
        raise UsageError(
            f"{path} is no spool but another kind of file", hint="name a file for the spool alone"
        )
    part = path.with_name(f"{path.name}.new")
    with WorkFile(part, SETTINGS) as spool:
        for number, (_, plain) in enumerate(left, start=1):
            spool.keep_json(f"{number:015}", {"record": plain, "owed": []})
    os.replace(part, path)
