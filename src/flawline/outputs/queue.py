"""Messages that wait on the disk until they have arrived."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from flawline.data.journal import Journal
from flawline.outputs.output import Message, message_id

MOST = 1000
REMEMBERED = 1000
_FORMAT = "flawline alerts 1"


class Queue:
    """Messages in the order in which they came, each once, in a file that survives the process and a power failure.

    A message whose copy has arrived, or waits, is not taken again. At most `most` wait: then the oldest is dropped, and
    `say` says so. Where the disk is full they wait in memory alone. Safe from several threads.
    """

    def __init__(self, path: Path, *, most: int = MOST, say: Callable[[str], None]) -> None:
        self.path, self._most, self._say = path, most, say
        self._lock = Lock()
        self._waiting: dict[str, Message] = {}
        self._done: dict[str, None] = {}
        self._load()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> bool:
        """Take a message; False where it is known already."""
        name = message_id(message)
        with self._lock:
            if name in self._waiting or name in self._done:
                return False
            self._keep(f"+{name}", message)
            self._waiting[name] = message
            if len(self._waiting) > self._most:
                self._drop()
        return True

    def first(self) -> Message | None:
        """The oldest message that waits."""
        with self._lock:
            return next(iter(self._waiting.values()), None)

    def done(self, message: Message) -> None:
        """A message has arrived, or never will."""
        with self._lock:
            self._finish(message_id(message))

    def close(self) -> None:
        """Close the file."""
        self._journal.__exit__(None, None, None)

    def _drop(self) -> None:
        oldest = next(iter(self._waiting))
        self._finish(oldest)
        self._say(f"more than {self._most} alerts wait: the oldest is dropped, {oldest}")

    def _finish(self, name: str) -> None:
        if self._waiting.pop(name, None) is not None:
            self._done[name] = None
            self._keep(f"-{name}")
            if len(self._done) >= 2 * REMEMBERED:
                self._compact()

    def _keep(self, key: str, message: Message | None = None) -> None:
        self._count += 1
        try:
            self._journal.keep(key, {"number": self._count, "message": message and dict(message)})
            _sync(self.path)
        except OSError as error:
            self._say(f"alerts cannot be kept on the disk: {error.strerror or error}")

    def _load(self) -> None:
        self._journal = journal = Journal(self.path, _FORMAT)
        known = [(key, journal.get(key) or {}) for key in journal.earlier]
        known.sort(key=lambda item: item[1]["number"])
        self._count = known[-1][1]["number"] if known else 0
        self._done = {key[1:]: None for key, _ in known if key.startswith("-")}
        waiting = [item for item in known if item[0].startswith("+")]
        self._waiting = {
            key[1:]: value["message"] for key, value in waiting if key[1:] not in self._done
        }
        if len(self._done) > REMEMBERED:
            self._compact()

    def _compact(self) -> None:
        """Begin the file anew with what waits and the latest that are done."""
        self._done = dict.fromkeys(list(self._done)[-REMEMBERED:])
        part = self.path.with_name(f"{self.path.name}.new")
        with suppress(OSError):
            part.unlink(missing_ok=True)
            with Journal(part, _FORMAT) as fresh:
                entries: list[tuple[str, Message | None]] = [(f"-{n}", None) for n in self._done]
                entries += [(f"+{n}", message) for n, message in self._waiting.items()]
                for number, (key, message) in enumerate(entries, start=self._count + 1):
                    fresh.keep(key, {"number": number, "message": message and dict(message)})
                self._count += len(entries)
            _sync(part)
            self.close()
            os.replace(part, self.path)
        self._journal = Journal(self.path, _FORMAT)


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
