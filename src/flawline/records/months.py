"""Partition inspections in PostgreSQL by the month in which they were captured (UTC).

Each month is a table of its own, `inspection_2026_03`; `inspection_other` takes what no month holds, so that nothing is
refused. PostgreSQL wants the time in every unique index of a partitioned table. The key of a capture with a time fixes
that time; for the others, which are known by their key alone, a trigger takes the key in the table `taken_key` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from threading import Lock

from sqlalchemy import Connection, Engine, text

from flawline.data.times import from_micros, micros
from flawline.errors import StoreError
from flawline.records.engine import reading, writing
from flawline.records.record import Record

Month = tuple[int, int]
"""Year and month (1 to 12)."""
OTHER = "inspection_other"
_FIRST: Month = (2000, 1)
_LOCK = 0x6D6F6E75
# A lock was not available in time; rows of a month are in `OTHER` already.
_NOT_NOW = ("55P03", "23514")
_PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('inspection')"
_PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = to_regclass(:table)"
)


def month_of(time: int) -> Month:
    """Return the month of a time in microseconds since 1970."""
    when = from_micros(time)
    return when.year, when.month


def following(month: Month) -> Month:
    """Return the next month."""
    return (month[0] + 1, 1) if month[1] == 12 else (month[0], month[1] + 1)


def bounds(month: Month) -> tuple[int, int]:
    """Return the first microsecond of a month, and that of the next."""
    first, end = (micros(datetime(*each, 1, tzinfo=UTC)) for each in (month, following(month)))
    return first, end


def table_of(month: Month) -> str:
    """Name the table of a month."""
    return f"inspection_{month[0]:04}_{month[1]:02}"


def _present() -> Month:
    return month_of(micros(datetime.now(UTC)))


def is_partitioned(connection: Connection) -> bool:
    """Tell whether the inspections are partitioned; never in SQLite."""
    if connection.dialect.name == "sqlite":
        return False
    return bool(connection.execute(text(_PARTITIONED)).scalar())


def has_table(connection: Connection, name: str) -> bool:
    """Tell whether there is a table of a name."""
    return (
        connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is not None
    )


def months_of(connection: Connection, table: str = "inspection") -> list[Month]:
    """List the months that have a table, the first first."""
    names = connection.execute(text(_PARTITIONS), {"table": table}).scalars()
    return sorted((int(n[-7:-3]), int(n[-2:])) for n in names if n != OTHER)


def months_to_make(times: Iterable[int]) -> set[Month]:
    """Return the months of times in microseconds since 1970.

    Those before 2000 and after next month are left out: a wrong clock must not make hundreds of tables.
    """
    earliest, end = bounds(_FIRST)[0], bounds(following(_present()))[1]
    return {month_of(time) for time in times if earliest <= time < end}


def new_month(month: Month, parent: str = "inspection") -> str:
    """Return the statement that creates the table of a month, not attached yet."""
    return (
        f"CREATE TABLE {table_of(month)} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    )


def attached(month: Month, parent: str = "inspection") -> str:
    """Return the statement that attaches it, with indexes and triggers."""
    first, end = bounds(month)
    return f"ALTER TABLE {parent} ATTACH PARTITION {table_of(month)} FOR VALUES FROM ({first}) TO ({end})"


def add_month(connection: Connection, month: Month, parent: str = "inspection") -> None:
    """Make the table of a month; attaching it keeps readers out for less than creating it in its place."""
    connection.exec_driver_sql(new_month(month, parent))
    connection.exec_driver_sql(attached(month, parent))


class Months:
    """The months of a store that have a table, made ahead by whoever writes; safe from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: set[Month] = set()
        self._lock = Lock()

    def prepare(self, records: Sequence[Record]) -> None:
        """Make tables for the months of records, this month and the next; where that fails rows go to `OTHER`.

        Raises:
            StoreError: the records cannot be reached.
        """
        if self._engine.dialect.name == "sqlite":
            return
        times = (micros(record.captured or record.judged) for record in records)
        wanted = months_to_make(times) | {_present(), following(_present())}
        with self._lock:
            missing = wanted - self._known
            if missing:
                self._make(missing)
                self._known |= missing

    def _make(self, wanted: set[Month]) -> None:
        with reading(self._engine) as connection:
            if not is_partitioned(connection) or wanted.issubset(months_of(connection)):
                return
        try:
            with writing(self._engine) as connection:
                connection.execute(text("SET LOCAL lock_timeout = '3s'"))
                alone(connection)
                for month in sorted(wanted.difference(months_of(connection))):
                    add_month(connection, month)
        except StoreError as error:
            state = getattr(getattr(error.__cause__, "orig", None), "sqlstate", None)
            if state not in _NOT_NOW:
                raise


def alone(connection: Connection) -> None:
    """Exclude others that make months, until the transaction ends."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
