"""Remove old inspections to which nothing refers, in steps that can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    select,
    text,
    tuple_,
)

from flawline.data.times import micros
from flawline.records.engine import reading, writing
from flawline.records.months import bounds, is_partitioned, months_of, table_of
from flawline.records.tables import class_count, defect, inspection
from flawline.records.thinning import referred
from flawline.types import Track, no_track

_AT_ONCE = 5000
Place = tuple[int, bytes]


def count_old(engine: Engine, before: datetime) -> int:
    """Count the inspections captured before a time to which nothing refers."""
    with reading(engine) as connection:
        return int(
            connection.execute(
                select(func.count()).select_from(inspection).where(*_old(before))
            ).scalar_one()
        )


def of_pictures(engine: Engine, before: datetime, pictures: frozenset[str]) -> frozenset[int]:
    """Find those of these inspections that have one of some pictures (SHA-256, hex)."""
    found: set[int] = set()
    digests = sorted(map(bytes.fromhex, pictures))
    with reading(engine) as connection:
        for start in range(0, len(digests), _AT_ONCE):
            some = inspection.c.picture.in_(digests[start : start + _AT_ONCE])
            query = select(inspection.c.id).where(some, *_old(before))
            found.update(connection.execute(query).scalars())
    return frozenset(found)


def remove_old(
    engine: Engine, before: datetime, spared: frozenset[int], *, track: Track = no_track
) -> Iterator[int]:
    """Remove these inspections but the `spared`, with their defects; yields how many each step removed.

    Months of PostgreSQL of which nothing stays are emptied at once.

    Raises:
        StoreError: the records cannot be written; what was removed until then is gone.
    """
    yield from _empty_months(engine, before, spared)
    steps = -(-count_old(engine, before) // _AT_ONCE)
    after: Place | None = None
    for _ in track(range(steps), title="removing", total=steps):
        with writing(engine) as connection:
            ids, keys, after = _some(connection, before, after, spared)
            _remove(connection, ids, keys, before)
        yield len(ids)


def _old(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return inspection.c.captured < micros(before), ~referred()


def _some(
    connection: Connection, before: datetime, after: Place | None, spared: frozenset[int]
) -> tuple[list[int], list[bytes], Place | None]:
    """Hold the next old inspections: nobody decides about them now, and those just decided about are left out."""
    place = tuple_(inspection.c.captured, inspection.c.key)
    query = select(inspection.c.id, inspection.c.captured, inspection.c.key).where(*_old(before))
    query = query if after is None else query.where(place > tuple_(*after))
    query = query.order_by(inspection.c.captured, inspection.c.key).limit(_AT_ONCE)
    rows = connection.execute(query.with_for_update(of=inspection)).all()
    if not rows:
        return [], [], after
    last = rows[-1].captured, bytes(rows[-1].key)
    times = inspection.c.captured.between(rows[0].captured, rows[-1].captured)
    still = select(inspection.c.id).where(
        times, inspection.c.id.in_([row.id for row in rows]), *_old(before)
    )
    free = set(connection.execute(still).scalars()) - spared
    rows = [row for row in rows if row.id in free]
    return [row.id for row in rows], [bytes(row.key) for row in rows], last


def _remove(connection: Connection, ids: list[int], keys: list[bytes], before: datetime) -> None:
    for table in (defect, class_count):
        connection.execute(delete(table).where(table.c.inspection.in_(ids)))
    if is_partitioned(connection):
        _let_keys_go(connection, "key = ANY(:keys)", keys=keys)
    # With the time only old months are looked into.
    own = inspection.c.id.in_(ids), inspection.c.captured < micros(before)
    connection.execute(delete(inspection).where(*own))


def _empty_months(engine: Engine, before: datetime, spared: frozenset[int]) -> Iterator[int]:
    with reading(engine) as connection:
        months = months_of(connection) if is_partitioned(connection) else []
    for month in months:
        first, end = bounds(month)
        if end > micros(before):
            continue
        inside = inspection.c.captured >= first, inspection.c.captured < end
        with writing(engine) as connection:
            name = table_of(month)
            # Whoever writes an inspection of this month or decides about one waits until it is empty.
            connection.exec_driver_sql(f"LOCK TABLE {name} IN EXCLUSIVE MODE")
            kept = select(inspection.c.id).where(*inside, referred()).limit(1)
            ids = set(connection.execute(select(inspection.c.id).where(*inside)).scalars())
            if connection.execute(kept).first() is not None or ids & spared:
                continue
            removed = len(ids)
            for table in ("defect", "class_count"):
                connection.exec_driver_sql(
                    f"DELETE FROM {table} USING {name} m WHERE {table}.inspection = m.id"
                )
            _let_keys_go(connection, f"key IN (SELECT key FROM {name})")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
            connection.exec_driver_sql(f"TRUNCATE {name}")
        yield removed


def _let_keys_go(connection: Connection, which: str, **values: object) -> None:
    connection.execute(text(f"DELETE FROM taken_key WHERE {which}"), values)
