"""Send the messages of one output in order, each until it arrives; for one thread at a time."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

from flawline.errors import FlawlineError, StoreError
from flawline.outputs.events import Health, Message, message_id
from flawline.outputs.output import Failure, Output
from flawline.records.owed import Delivery

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
MOST = 1000
"""Messages that are held in memory at most."""
EVERY = 0.5
"""Seconds between two looks for messages in the records."""
CLEARING = 3600.0
"""Seconds between two deletions of messages that arrived long ago."""
_AT_ONCE = 100
# Another process may have put a message off; this one tries it at once.
_ALWAYS = datetime.max.replace(tzinfo=UTC)


class Owing(Protocol):
    """Messages for outputs in records, such as `flawline.records.delivery.DeliveryBook`."""

    def due(self, output: str, now: datetime, count: int = ...) -> tuple[Delivery, ...]:
        """List the waiting messages of an output, in order."""
        ...

    def waiting(self, output: str) -> int:
        """Count the waiting messages of an output."""
        ...

    def done(self, ids: Sequence[int]) -> None:
        """Note that messages have arrived."""
        ...

    def put_off(self, number: int, until: datetime, reason: str) -> None:
        """Note that an attempt failed."""
        ...

    def refuse(self, number: int, reason: str) -> None:
        """Note that a message will never be taken."""
        ...

    def clear(self) -> object:
        """Delete messages that arrived long ago."""
        ...


@dataclass(frozen=True, slots=True)
class _Item:
    """A message to send; `number` is 0 where it is held in memory alone."""

    message: Message
    number: int = 0


class Sending:
    """The messages of an output and its attempts; `tell` may be called from any thread, all else from one.

    A failed attempt is repeated after 1, 2, 4 ... up to 300 seconds, or when the receiver asks for it. The first
    failure in a row, and the first success after it, go to `say` as a line and to `notice` as an event.
    """

    def __init__(
        self,
        output: Output,
        address: str,
        owing: Owing | None = None,
        *,
        say: Callable[[str], None],
        notice: Callable[[Health], None] = lambda event: None,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with the messages that wait in the records.

        Args:
            output: where messages go; it is opened before the first one.
            address: the output's name in the records.
            owing: the records that hold messages for it; without them messages are held in memory.
            say: writes a line for people.
            notice: gets an event where the output begins to fail or is back.
            most: messages that are held in memory at most.
            clock: seconds of a clock that never goes back.
        """
        self.output, self.address, self._owing = output, address, owing
        self._say, self._notice, self._most, self._clock = say, notice, most, clock
        self._lock = Lock()
        self._memory: deque[Message] = deque()
        # Recent messages, and whether they have arrived.
        self._recent: dict[str, bool] = {}
        self._batch: deque[_Item] = deque()
        self._dropped = 0
        self._clearing = clock()
        self._pause, self._next = 0.0, clock()
        self._opened = self._failing = self._away = False
        self.ended = False

    def tell(self, message: Message) -> None:
        """Take a message that is held in memory alone, unless a copy of it was taken before."""
        full = False
        with self._lock:
            name = message_id(message)
            if name in self._recent:
                return
            self._remember(name, arrived=False)
            self._memory.append(message)
            if len(self._memory) > self._most:
                self._memory.popleft()
                self._dropped += 1
                full = self._dropped == 1
        if full:
            self._say(
                f"more than {self._most} messages wait for {self.output.name}: the oldest are dropped"
            )

    def hurry(self) -> None:
        """Make the next attempt at once."""
        self._next = self._clock()

    def attempt(self) -> float | None:
        """Send in order until one does not arrive, or `ended`.

        Returns:
            The seconds until the next attempt; None where it waits for `tell`.
        """
        while not self.ended:
            left = self._next - self._clock()
            if left > 0:
                return left
            try:
                item = self._first()
                self._away = False
                if item is None:
                    return None if self._owing is None else EVERY
                failure = self._try(item.message)
                if failure is not None and failure.again:
                    self._put_off(item, failure)
                else:
                    self._finish(item, failure)
            except StoreError as error:
                self._leave(error)
                return EVERY
        return None

    def close(self) -> None:
        """Close the output."""
        if self._opened:
            with suppress(FlawlineError, OSError):
                self.output.close()

    def stored(self) -> int:
        """Count the messages that wait in the records; 0 where these are away."""
        if self._owing is not None:
            with suppress(StoreError):
                return self._owing.waiting(self.address)
        return 0

    def lost(self) -> int:
        """Count the messages that wait in memory or were dropped, without waiting ones about health."""
        with self._lock:
            waiting = sum(1 for message in self._memory if message["kind"] != "health")
            return waiting + self._dropped

    def _first(self) -> _Item | None:
        """Return the oldest waiting message, first of those in the records, then of those in memory."""
        away: StoreError | None = None
        try:
            item = self._owed()
        except StoreError as error:
            item, away = None, error
        with self._lock:
            while self._memory and self._recent.get(message_id(self._memory[0])):
                self._memory.popleft()
            if item is None and self._memory:
                item = _Item(self._memory[0])
        if item is None and away is not None:
            raise away
        return item

    def _owed(self) -> _Item | None:
        """Return the oldest waiting message in the records."""
        while self._owing is not None:
            if not self._batch:
                waiting = self._owing.due(self.address, _ALWAYS, _AT_ONCE)
                self._batch.extend(_Item(json.loads(one.body), one.id) for one in waiting)
            if not self._batch:
                self._clear()
                break
            if not self._recent.get(message_id(self._batch[0].message)):
                return self._batch[0]
            # It went out while the records could not be written.
            self._owing.done([self._batch[0].number])
            self._batch.popleft()
        return None

    def _clear(self) -> None:
        """Delete messages that arrived long ago, every `CLEARING` seconds at most."""
        if self._owing is not None and self._clock() >= self._clearing:
            self._clearing = self._clock() + CLEARING
            self._owing.clear()

    def _try(self, message: Message) -> Failure | None:
        try:
            if not self._opened:
                self.output.open()
                self._opened = True
            return self.output.send(message)
        except Exception as error:  # an output with an error of its own is tried again too
            return Failure(f"{type(error).__name__}: {error}")

    def _finish(self, item: _Item, failure: Failure | None) -> None:
        """Note that a message has arrived, or never will."""
        if failure is not None:
            self._say(f"{self.output.name} refuses a message: {failure.reason}")
        elif self._failing:
            self._say(f"messages reach {self.output.name} again")
            self._notice(Health(datetime.now(UTC), "output", "back", self.output.name))
        self._pause, self._failing = 0.0, False
        with self._lock:
            if failure is None or not item.number:
                self._remember(message_id(item.message), arrived=True)
            if not item.number:
                # So many may have come meanwhile that this one was dropped.
                if self._memory and self._memory[0] is item.message:
                    self._memory.popleft()
                return
        assert self._owing is not None
        if failure is None:
            self._owing.done([item.number])
        else:
            self._owing.refuse(item.number, failure.reason)
        self._batch.popleft()

    def _put_off(self, item: _Item, failure: Failure) -> None:
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        pause = max(self._pause, failure.pause)
        self._next = self._clock() + pause
        if not self._failing:
            fate = "kept" if item.number else "tried again"
            self._say(
                f"messages do not reach {self.output.name}: {failure.reason}; they are {fate}"
            )
            now = datetime.now(UTC)
            self._notice(Health(now, "output", "failing", self.output.name, failure.reason))
        self._failing = True
        if item.number and self._owing is not None:
            until = datetime.now(UTC) + timedelta(seconds=pause)
            self._owing.put_off(item.number, until, failure.reason)

    def _leave(self, error: StoreError) -> None:
        """Wait for records that are away; their messages are read again."""
        self._batch.clear()
        if not self._away:
            self._say(f"messages for {self.output.name} wait for the records: {error.message}")
        self._away = True

    def _remember(self, name: str, *, arrived: bool) -> None:
        self._recent[name] = arrived
        while len(self._recent) > 2 * self._most:
            self._recent.pop(next(iter(self._recent)))
