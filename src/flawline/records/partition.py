"""Partition the inspections of an existing PostgreSQL database by month, in steps that can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from flawline.errors import StoreError, UsageError
from flawline.records.engine import shown, translated, writing
from flawline.records.months import Months, is_partitioned
from flawline.records.partition_steps import (
    add_next_index,
    begin_copy,
    copy_span,
    count_of,
    highest,
    replace_by_copy,
    tidy,
)
from flawline.types import Track, no_track

AT_ONCE = 200_000
_LOCK = 0x6D6F6E74


def partition(engine: Engine, *, at_once: int = AT_ONCE, track: Track = no_track) -> int:
    """Partition the inspections by month; returns how many there are.

    Where they are partitioned, those that came without a month of their own get one. They are copied in steps of
    `at_once`, while others read and write; a call that was interrupted goes on from there. The last step keeps others
    out, while it copies what came meanwhile and puts the copy in the place of the original.

    Args:
        engine: of PostgreSQL.
        at_once: numbers of inspections that are copied in one transaction.
        track: shows how far it is.

    Raises:
        UsageError: the records are in SQLite.
        StoreError: ("store-busy") another process is doing it; ("store-changed") inspections were removed meanwhile.
    """
    if engine.dialect.name == "sqlite":
        raise UsageError(
            "records in SQLite are one file and have no partitions",
            hint="partitions are for PostgreSQL",
        )
    with _alone(engine):
        with writing(engine) as connection:
            if is_partitioned(connection):
                tidy(connection)
                return count_of(connection, "inspection")
            begin_copy(connection)
        _copy(engine, at_once, track)
        going = True
        while going:
            with writing(engine) as connection:
                going = add_next_index(connection)
        with writing(engine) as connection:
            count = replace_by_copy(connection)
        # Stations that were there before believe that they have asked for these.
        Months(engine).prepare([])
        return count


def _copy(engine: Engine, at_once: int, track: Track) -> None:
    """Copy all inspections, and then those that came meanwhile, until few are left."""
    with writing(engine) as connection:
        place = highest(connection)
    while True:
        with writing(engine) as connection:
            last = highest(connection, "inspection")
        if place >= last:
            return
        firsts = range(place, last, at_once)
        for first in track(firsts, title="copying", total=len(firsts)):
            with writing(engine) as connection:
                copy_span(connection, first, min(first + at_once, last))
        place = last


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Exclude other processes that do the same; the server ends this with the connection."""
    with translated(engine.url), engine.connect() as guard:
        free = guard.execute(text(f"SELECT pg_try_advisory_lock({_LOCK})")).scalar()
        guard.commit()
        if not free:
            raise StoreError(
                f"another process is partitioning the records in {shown(engine.url)}",
                hint="wait until it has ended",
                code="store-busy",
                transient=True,
            )
        try:
            yield
        finally:
            guard.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
            guard.commit()
