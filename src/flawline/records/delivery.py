"""Store the messages for outputs: in one transaction with their records, until the other side has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, select, update

from flawline.data.times import from_micros, micros
from flawline.records.engine import reading, writing
from flawline.records.owed import Delivery, Owed
from flawline.records.tables import delivery
from flawline.records.upsert import insert_new
from flawline.records.write import clean

KEPT = timedelta(days=14)
"""How long a message that arrived is stored: a copy within that time is not sent again."""
_AT_ONCE = 500


class DeliveryBook:
    """The messages in a store: `Store.deliveries`. Safe from several threads and next to other processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, owed: Sequence[Owed]) -> None:
        """Write messages without a copy so far, in one transaction.

        Raises:
            StoreError: they could not be written.
        """
        if not owed:
            return
        with writing(self._engine) as connection:
            write_owed(connection, owed)

    def due(self, output: str, now: datetime, count: int = 100) -> tuple[Delivery, ...]:
        """List the messages to send now, the oldest first.

        A message is not due before every earlier one of the same output has arrived or is due.

        Args:
            output: the output's name.
            now: messages due later are left out, with all that follow them.
            count: how many at most.
        """
        query = select(delivery).where(*_waits(output)).order_by(delivery.c.id).limit(count)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        waiting = [_delivery(row) for row in rows]
        later = next((place for place, item in enumerate(waiting) if item.due > now), len(waiting))
        return tuple(waiting[:later])

    def first(self, output: str) -> Delivery | None:
        """Return the oldest waiting message, due or not, or None."""
        query = select(delivery).where(*_waits(output)).order_by(delivery.c.id).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _delivery(row)

    def waiting(self, output: str) -> int:
        """Count the messages that have neither arrived nor been refused."""
        query = select(func.count()).select_from(delivery).where(*_waits(output))
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one()

    def refused(self, output: str, count: int = 100) -> tuple[Delivery, ...]:
        """List the messages that the other side will never take, the latest first."""
        query = select(delivery).where(delivery.c.output == clean(output), delivery.c.refused)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(delivery.c.id.desc()).limit(count)).all()
        return tuple(map(_delivery, rows))

    def done(self, ids: Iterable[int], when: datetime | None = None) -> None:
        """Note that messages have arrived, now or at `when`."""
        self._mark(list(ids), {"done": micros(when or datetime.now(UTC)), "reason": ""})

    def put_off(self, number: int, until: datetime, reason: str) -> None:
        """Note that a try failed and when the next is due; later messages of the same output wait too."""
        tried = delivery.c.tries + 1
        self._mark([number], {"tries": tried, "due": micros(until), "reason": clean(reason)})

    def refuse(self, number: int, reason: str, when: datetime | None = None) -> None:
        """Note that a message will never be taken; it stays stored, and the next ones are sent."""
        moment = micros(when or datetime.now(UTC))
        self._mark([number], {"done": moment, "refused": True, "reason": clean(reason)})

    def clear(self, before: datetime | None = None) -> int:
        """Delete the messages that arrived before a moment, two weeks ago unless given; returns how many."""
        moment = micros(before or datetime.now(UTC) - KEPT)
        gone = delete(delivery).where(delivery.c.done < moment, ~delivery.c.refused)
        with writing(self._engine) as connection:
            return connection.execute(gone).rowcount

    def _mark(self, numbers: Sequence[int], values: dict[str, Any]) -> None:
        """Change waiting messages; those that another process has finished stay as they are."""
        if not numbers:
            return
        with writing(self._engine) as connection:
            for start in range(0, len(numbers), _AT_ONCE):
                some = delivery.c.id.in_(numbers[start : start + _AT_ONCE])
                changed = update(delivery).where(some, delivery.c.done.is_(None))
                connection.execute(changed.values(**values))


def write_owed(connection: Connection, owed: Iterable[Owed]) -> None:
    """Write messages inside a transaction, each once per output and key."""
    rows = [_row(item) for item in owed]
    if rows:
        connection.execute(insert_new(connection, delivery), rows)


def _row(item: Owed) -> dict[str, Any]:
    key = clean(item.key)
    return {
        "output": clean(item.output),
        "digest": hashlib.sha256(key.encode()).digest()[:16],
        "key": key,
        "body": clean(item.body),
        "tries": 0,
        "due": 0,
        "reason": "",
        "refused": False,
    }


def _waits(output: str) -> tuple[Any, Any]:
    return delivery.c.output == clean(output), delivery.c.done.is_(None)


def _delivery(row: Row[Any]) -> Delivery:
    due = from_micros(row.due)
    return Delivery(row.id, row.output, row.key, row.body, row.tries, due, row.reason)
