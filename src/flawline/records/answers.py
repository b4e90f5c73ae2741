"""Store what a server answered, so that a request that is sent again is answered alike and done once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select, update

from flawline.data.times import micros
from flawline.records.engine import reading, writing
from flawline.records.tables import answer
from flawline.records.upsert import insert_new

KEPT = timedelta(hours=24)
"""How long an answer is kept."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The hash of a request, and what was answered; `status` is None while it is not."""

    request: bytes
    status: int | None
    body: bytes


class AnswerBook:
    """The answers in a store: `Store.answers`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, key: bytes, now: datetime) -> StoredAnswer | None:
        """Return the answer of a key (32 bytes) that is not older than `KEPT`; None where there is none."""
        query = select(answer).where(answer.c.key == key, answer.c.time > micros(now - KEPT))
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return (
            None
            if row is None
            else StoredAnswer(bytes(row.request), row.status, bytes(row.body or b""))
        )

    def begin(self, key: bytes, now: datetime) -> bool:
        """Claim a key before its request is done; False where it is claimed already. Old answers are removed."""
        with writing(self._engine) as connection:
            connection.execute(delete(answer).where(answer.c.time <= micros(now - KEPT)))
            statement = insert_new(connection, answer).returning(answer.c.time)
            row = {"key": key, "request": b"", "time": micros(now)}
            return connection.execute(statement, [row]).first() is not None

    def finish(self, key: bytes, request: bytes, status: int, body: bytes) -> None:
        """Store the answer of a claimed key, with the hash of its request."""
        with writing(self._engine) as connection:
            connection.execute(
                update(answer)
                .where(answer.c.key == key)
                .values(request=request, status=status, body=body)
            )

    def forget(self, key: bytes) -> None:
        """Give a claimed key free: its request was refused, and may be sent again."""
        with writing(self._engine) as connection:
            connection.execute(delete(answer).where(answer.c.key == key))
