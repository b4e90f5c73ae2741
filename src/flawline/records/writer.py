"""Write inspections as they come, in batches, through times when the database is away."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from flawline.data.journal import Journal
from flawline.errors import StoreError
from flawline.records.record import Record, capture_key, record_as_dict, record_from_dict
from flawline.records.write import Added

if TYPE_CHECKING:
    from flawline.records.store import Store

_FORMAT = "flawline records 1"
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0
SYNC_SECONDS = 0.25


class Writer:
    """Hands inspections to a store in batches; use as a context manager, in one thread.

    With `spool` each inspection is in that file before `add` returns, and leaves it when the store has it. A
    process that was killed loses nothing: the next writer with the same spool writes what was left, and the store
    keeps each inspection once. A power failure costs at most what came within a quarter of a second. While the
    store cannot be reached `add` goes on at full speed and tries again now and then, later each time; `waiting`
    inspections at most are held, then it waits up to `patience` seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        spool: Path | None = None,
        batch: int = 500,
        seconds: float = 2.0,
        waiting: int = 100_000,
        patience: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the spool, and take over what another writer left there.

        Args:
            store: where inspections go.
            spool: a file that belongs to this writer alone.
            batch: inspections in one transaction.
            seconds: after which an unfinished batch is written with the next inspection.
            waiting: inspections that are held at most while the store is away.
            patience: seconds to wait for the store before giving up.
            clock: seconds of a clock that never goes back.
            sleep: waits that many seconds.
        """
        self.added = Added(0, 0)
        self.store, self._batch, self._seconds = store, batch, seconds
        self._most, self._patience = waiting, patience
        self._clock, self._sleep = clock, sleep
        self._path = spool
        self._spool = None if spool is None else Journal(spool, _FORMAT)
        self._pending = [] if self._spool is None else _left(self._spool)
        self._delay, self._next = 0.0, clock()
        self._begun = clock()
        self._synced = float("-inf")

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # After an error the way out is not made longer: one try, and the spool keeps the rest.
            if kind is None:
                self.flush()
            else:
                with suppress(StoreError):
                    self._try()
        finally:
            if self._spool is not None:
                self._spool.__exit__(None, None, None)

    @property
    def waiting(self) -> int:
        """Inspections that the store does not have yet."""
        return len(self._pending)

    def add(self, record: Record) -> None:
        """Take an inspection.

        Raises:
            StoreError: the store refuses the batch; or it is away, nothing more can be held, and patience is over, and
                then this inspection was not taken.
        """
        if len(self._pending) >= self._most:
            self._drain(self._most - 1)
        if not self._pending:
            self._begun = self._clock()
        spooled = self._keep(record)
        self._pending.append(record)
        full = len(self._pending) >= self._batch or self._clock() - self._begun >= self._seconds
        if not spooled:
            self.flush()
        elif full and self._clock() >= self._next:
            # One batch at a time, so that what waited through an hour does not hold up a single part.
            self._try(self._batch)

    def flush(self) -> None:
        """Write what is waiting, trying again for `patience` seconds.

        Raises:
            StoreError: the store refuses it, or is still away; what waits stays in the spool.
        """
        self._drain(0)

    def _drain(self, left: int) -> None:
        """Try until at most `left` inspections wait."""
        deadline = self._clock() + self._patience
        while len(self._pending) > left:
            failed = self._try()
            if failed is None:
                continue
            if self._clock() + self._delay > deadline:
                raise self._given_up(failed) from failed
            self._sleep(self._delay)

    def _try(self, most: int | None = None) -> StoreError | None:
        """Write what waits, or `most` of it; the error where the store is away."""
        left = 0 if most is None else max(0, len(self._pending) - most)
        while len(self._pending) > left:
            try:
                self.added += self.store.add(self._pending[: self._batch])
            except StoreError as error:
                if not error.transient:
                    raise
                self._delay = min(max(2 * self._delay, _FIRST_DELAY), _LONGEST_DELAY)
                self._next = self._clock() + self._delay
                return error
            del self._pending[: self._batch]
        self._delay = 0.0
        if not self._pending:
            self._begin_spool()
        return None

    def _keep(self, record: Record) -> bool:
        """Put an inspection into the spool; False where that cannot be written, such as on a full disk."""
        if self._spool is None:
            return True
        try:
            self._spool.keep(capture_key(record).hex(), record_as_dict(record))
            self._sync()
        except OSError:
            return False
        return True

    def _sync(self) -> None:
        """Have the spool on the disk itself, unless that was done just now: it takes longer than all else."""
        if self._path is None or self._clock() - self._synced < SYNC_SECONDS:
            return
        with self._path.open("r+b") as file:
            os.fsync(file.fileno())
        self._synced = self._clock()

    def _begin_spool(self) -> None:
        """Everything is in the store; the spool begins anew, so that it does not grow."""
        if self._spool is None or self._path is None or not len(self._spool):
            return
        # What could not be written to a full disk cannot be written now either, and is in the store.
        with suppress(OSError):
            self._spool.__exit__(None, None, None)
        self._path.unlink(missing_ok=True)
        self._spool = Journal(self._path, _FORMAT)

    def _given_up(self, error: StoreError) -> StoreError:
        kept = "" if self._path is None else f"; they are kept in {self._path}"
        return StoreError(
            f"{error.message} ({len(self._pending)} inspections wait{kept})",
            hint=error.hint,
            code=error.code,
            transient=True,
        )


def _left(spool: Journal) -> list[Record]:
    kept = (spool.get(key) for key in sorted(spool.earlier))
    return [record_from_dict(plain) for plain in kept if plain is not None]
