"""Write inspections in batches from a thread of its own, retrying while the database is unavailable."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from threading import Condition, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from flawline.core.words import counted
from flawline.errors import StoreError, UsageError
from flawline.records.owed import Owed
from flawline.records.record import Record
from flawline.records.spool import Given, Spool
from flawline.records.write import Added

if TYPE_CHECKING:
    from flawline.records.store import Store

SECONDS = 0.5
"""How long an inspection waits for others of its batch: it is in the records within a second."""
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0


class Writer:
    """A writer of inspections in batches; use as a context manager, from any number of threads.

    Its own thread writes a batch when it is full, or when its first inspection has waited `seconds`. With `spool` each
    inspection is in that file before `add` returns, and leaves it when the store has it. A killed process loses
    nothing: the next writer with the same spool writes the rest, each inspection once. A power failure costs at most
    the last quarter of a second. While the store cannot be reached `add` goes on at full speed and the
    thread tries again at growing intervals; at most `waiting` inspections are held, then `add` waits up to `patience`
    seconds. An error that no further try can mend is raised by the next `add`, `flush` or `close`.
    """

    def __init__(
        self,
        store: Store,
        *,
        spool: Path | None = None,
        batch: int = 500,
        seconds: float = SECONDS,
        waiting: int = 100_000,
        patience: float = 120.0,
        notice: Callable[[StoreError | None], None] = lambda error: None,
    ) -> None:
        """Open the spool with the inspections that an earlier writer left, and start the thread.

        Args:
            store: the records.
            spool: a file of this writer alone.
            batch: inspections in one transaction at most.
            seconds: how long an inspection waits for others.
            waiting: inspections that are held at most while the store is away.
            patience: seconds to wait for the store before giving up.
            notice: called from the thread with the error when the store becomes unavailable, and None when it is back.

        Raises:
            UsageError: `spool` is another kind of file, or another process has it open.
        """
        self.added = Added(0, 0)
        self.store, self._batch, self._seconds = store, batch, seconds
        self._most, self._patience, self._notice = waiting, patience, notice
        self._spool = None if spool is None else Spool(spool)
        self._pending = deque([] if self._spool is None else self._spool.left())
        self._count = int(self._pending[-1].key) if self._pending else 0
        self._taking, self._changed = Lock(), Condition()
        self._delay = self._next = 0.0
        self._failed = 0
        self._away: StoreError | None = None
        self._error: Exception | None = None
        self._urgent = self._closing = False
        self._thread = Thread(target=self._serve, name="records writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After an error there is one try, without waiting; the spool keeps the rest.
        if kind is None:
            self.close()
        else:
            self._stop()

    @property
    def waiting(self) -> int:
        """Count the inspections that the store does not have yet."""
        return len(self._pending)

    def add(self, record: Record, owed: Sequence[Owed] = ()) -> None:
        """Take an inspection and its messages for outputs, so that a killed process does not lose them.

        Raises:
            StoreError: the store refuses inspections, which wait in the spool; or it is away, `waiting` inspections are
                held and `patience` is over, and then this inspection was not taken.
            UsageError: the writer is closed.
        """
        if not self.take(record, owed):
            self.flush()

    def take(self, record: Record, owed: Sequence[Owed] = ()) -> bool:
        """Take an inspection; False where the spool has no room, and it is in memory alone until `flush` returns.

        Raises:
            StoreError, UsageError: as for `add`.
        """
        with self._taking:
            if self._closing:
                raise UsageError("the writer is closed and takes nothing more")
            if len(self._pending) >= self._most:
                self._drain(self._most - 1)
            self._count += 1
            given = Given(f"{self._count:015}", record, tuple(owed), time.monotonic())
            spooled = self._spool is None or self._spool.keep(given)
            with self._changed:
                self._pending.append(given)
                self._changed.notify_all()
        self._report()
        return spooled

    def flush(self, *, full_at_once: bool = False) -> None:
        """Write all waiting inspections, trying again for `patience` seconds.

        Args:
            full_at_once: try once alone where the store has no room.

        Raises:
            StoreError: the store refuses them, or is still away; they stay in the spool.
        """
        self._drain(0, full_at_once=full_at_once)

    def close(self) -> None:
        """Write all waiting inspections and end the thread; a second call does nothing.

        Raises:
            StoreError: as for `flush`.
        """
        try:
            if not self._closing:
                self.flush()
        finally:
            self._stop()
        # Another thread may have added an inspection after the last batch.
        if self._pending:
            raise self._given_up()

    def _stop(self) -> None:
        """Try once more to write waiting inspections, and end the thread."""
        with self._changed:
            self._closing, self._error = True, None
            self._changed.notify_all()
        self._thread.join()
        if self._spool is not None:
            self._spool.close()

    def _drain(self, left: int, *, full_at_once: bool = False) -> None:
        """Wait until at most `left` inspections wait; the first try is at once."""
        deadline = time.monotonic() + self._patience
        with self._changed:
            self._next, self._error, failed = 0.0, None, self._failed
            while len(self._pending) > left and self._error is None:
                remaining = deadline - time.monotonic()
                full = full_at_once and self._failed > failed and _is_full(self._away)
                if remaining <= 0 or full:
                    raise self._given_up()
                self._urgent = True
                self._changed.notify_all()
                self._changed.wait(remaining)
        self._report()

    def _report(self) -> None:
        """Raise the last permanent error of the thread, once."""
        with self._changed:
            error, self._error = self._error, None
            self._changed.notify_all()
        if error is not None:
            raise error

    def _serve(self) -> None:
        while batch := self._wait_for_batch():
            failed: Exception | None = None
            try:
                added = self.store.add(
                    [given.record for given in batch],
                    [message for given in batch for message in given.owed],
                )
            except Exception as error:  # the next call of `add` raises it
                failed = error
            else:
                if self._spool is not None:
                    self._spool.forget(batch)
            with self._changed:
                before = self._away
                if failed is None:
                    self.added += added
                    for _ in batch:
                        self._pending.popleft()
                    self._delay, self._away = 0.0, None
                    self._urgent = self._urgent and bool(self._pending)
                else:
                    self._put_off(failed)
                self._changed.notify_all()
                after, ended = self._away, failed is not None and self._closing
            if (before is None) != (after is None):
                self._notice(after)
            if ended:
                return

    def _wait_for_batch(self) -> list[Given]:
        """Wait until a batch is due; returns none when the writer is closed and nothing waits."""
        with self._changed:
            while True:
                if self._closing:
                    return list(islice(self._pending, self._batch))
                left = self._until_due()
                if left is not None and left <= 0:
                    return list(islice(self._pending, self._batch))
                self._changed.wait(left)

    def _until_due(self) -> float | None:
        """Return the seconds until the next try; None while none is due."""
        if not self._pending or self._error is not None:
            return None
        now = time.monotonic()
        at_once = self._urgent or len(self._pending) >= self._batch
        due = now if at_once else self._pending[0].since + self._seconds
        return max(due, self._next) - now

    def _put_off(self, error: Exception) -> None:
        """Note the error of a batch that was not written, and when to try again."""
        self._failed += 1
        self._delay = min(max(2 * self._delay, _FIRST_DELAY), _LONGEST_DELAY)
        self._next = time.monotonic() + self._delay
        if isinstance(error, StoreError) and error.transient:
            self._away = error
        else:
            self._error = error

    def _given_up(self) -> StoreError:
        error = self._away or StoreError("the records take too long", code="store-away")
        kept = "" if self._spool is None else f"; they are kept in {self._spool.path}"
        return StoreError(
            f"{error.message} ({counted(len(self._pending), 'inspection waits', 'inspections wait')}{kept})",
            hint=error.hint,
            code=error.code,
            transient=True,
        )


def _is_full(error: StoreError | None) -> bool:
    return error is not None and error.code == "store-full"
