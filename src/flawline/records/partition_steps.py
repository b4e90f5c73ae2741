"""The steps of partitioning: a partitioned copy, its rows, its indexes, and the copy in the place of the original."""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from flawline.errors import StoreError
from flawline.records.fields import TERMS
from flawline.records.months import (
    OTHER,
    add_month,
    alone,
    attached,
    bounds,
    has_table,
    months_of,
    months_to_make,
    new_month,
    table_of,
)

COPY = "inspection_monthly"
_PREFIX = "monthly_"
# Unique indexes of the key alone, which no partitioned table can have; the table `taken_key` takes their place.
_UNIQUE = ("inspection_untimed", "inspection_frame")
# Numbers are given out before rows are visible: these last ones are compared once more when nobody writes.
_LATE = 1_000_000
_TAKE = """
CREATE OR REPLACE FUNCTION flawline_take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO taken_key (key) VALUES (NEW.key) ON CONFLICT DO NOTHING;
  IF FOUND THEN RETURN NEW; END IF;
  RETURN NULL;
END $$
"""
_INDEXES = (
    "SELECT c.relname AS name, pg_get_indexdef(c.oid) AS made FROM pg_index i "
    "JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE i.indrelid = to_regclass(:table) AND NOT i.indisprimary ORDER BY c.relname"
)
_REFERENCES = (
    "SELECT conrelid::regclass::text AS owner, conname AS name FROM pg_constraint "
    "WHERE contype = 'f' AND confrelid = to_regclass('inspection')"
)


def begin_copy(connection: Connection) -> None:
    """Create the partitioned copy, without rows; that of an interrupted call stays."""
    if has_table(connection, COPY):
        return
    run = connection.exec_driver_sql
    run("CREATE TABLE IF NOT EXISTS taken_key (key bytea PRIMARY KEY)")
    run("TRUNCATE taken_key")
    run(
        f"CREATE TABLE {COPY} (LIKE inspection INCLUDING DEFAULTS INCLUDING CONSTRAINTS, "
        "PRIMARY KEY (id, captured)) PARTITION BY RANGE (captured)"
    )
    run(f"CREATE TABLE {OTHER} PARTITION OF {COPY} DEFAULT")
    run(_TAKE)
    run(
        f"CREATE TRIGGER inspection_take BEFORE INSERT ON {COPY} FOR EACH ROW "
        "WHEN (NEW.frame_key IS NOT NULL OR NOT NEW.captured_known) "
        "EXECUTE FUNCTION flawline_take()"
    )


def highest(connection: Connection, table: str = COPY) -> int:
    """Return the highest number of an inspection in a table, 0 where there is none."""
    found = connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table}")
    return int(found.scalar_one())


def count_of(connection: Connection, table: str) -> int:
    """Count the inspections in a table."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def copy_span(connection: Connection, after: int, end: int) -> None:
    """Copy the inspections with numbers above `after` up to `end` that the copy lacks."""
    span = {"after": after, "end": end}
    found = text(
        "SELECT DISTINCT (captured / 1000000) / 86400 AS day FROM inspection "
        "WHERE id > :after AND id <= :end"
    )
    days = connection.execute(found, span).scalars()
    wanted = months_to_make(day * 86_400_000_000 for day in days)
    for month in sorted(wanted.difference(months_of(connection, COPY))):
        add_month(connection, month, COPY)
    connection.execute(
        text(
            f"INSERT INTO {COPY} SELECT i.* FROM inspection i WHERE id > :after AND id <= :end "
            f"AND NOT EXISTS (SELECT FROM {COPY} c WHERE c.id = i.id AND c.captured = i.captured)"
        ),
        span,
    )


def add_next_index(connection: Connection) -> bool:
    """Add an index of the original that the copy lacks, or the references to terms; False where nothing is missing."""
    there = {row.name for row in connection.execute(text(_INDEXES), {"table": COPY})}
    for row in connection.execute(text(_INDEXES), {"table": "inspection"}).all():
        name = f"{_PREFIX}{row.name}"
        if row.name not in _UNIQUE and name not in there:
            made = re.sub(r" ON (ONLY )?\S+ USING ", f" ON {COPY} USING ", row.made, count=1)
            connection.exec_driver_sql(made.replace(f" {row.name} ", f" {name} ", 1))
            return True
    missing = [name for name in (*TERMS, "shape") if not _refers(connection, name)]
    for name in missing:
        connection.exec_driver_sql(
            f"ALTER TABLE {COPY} ADD CONSTRAINT inspection_{name}_fkey FOREIGN KEY ({name}) REFERENCES term(id)"
        )
    return False


def replace_by_copy(connection: Connection) -> int:
    """Put the copy in the place of the original, which is dropped; returns how many inspections it has.

    Raises:
        StoreError: ("store-changed") the two differ in number; nothing was changed.
    """
    run = connection.exec_driver_sql
    run("LOCK TABLE inspection IN ACCESS EXCLUSIVE MODE")
    last = highest(connection, "inspection")
    copy_span(connection, max(0, last - _LATE), last)
    count = count_of(connection, "inspection")
    if count != count_of(connection, COPY):
        raise StoreError(
            "inspections were removed while the records were partitioned",
            hint=f"drop the table {COPY} and partition again, while nothing removes inspections",
            code="store-changed",
        )
    for row in connection.execute(text(_REFERENCES)).all():
        run(f'ALTER TABLE {row.owner} DROP CONSTRAINT "{row.name}"')
    sequence = run("SELECT pg_get_serial_sequence('inspection', 'id')").scalar_one()
    run(f"ALTER SEQUENCE {sequence} OWNED BY {COPY}.id")
    names = [row.name for row in connection.execute(text(_INDEXES), {"table": COPY})]
    run("DROP TABLE inspection")
    run(f"ALTER TABLE {COPY} RENAME TO inspection")
    run(f"ALTER INDEX {COPY}_pkey RENAME TO inspection_pkey")
    for name in names:
        run(f"ALTER INDEX {name} RENAME TO {name.removeprefix(_PREFIX)}")
    run(
        "CREATE TRIGGER inspection_update BEFORE UPDATE ON inspection "
        "FOR EACH ROW EXECUTE FUNCTION flawline_refuse()"
    )
    return count


def tidy(connection: Connection) -> int:
    """Move inspections out of `OTHER` into months of their own where they can have one; returns how many."""
    alone(connection)
    found = connection.exec_driver_sql(f"SELECT captured FROM {OTHER}").scalars()
    moved = 0
    for month in sorted(months_to_make(found).difference(months_of(connection))):
        name, (first, end) = table_of(month), bounds(month)
        inside = f"WHERE captured >= {first} AND captured < {end}"
        connection.exec_driver_sql(new_month(month))
        connection.exec_driver_sql(f"INSERT INTO {name} SELECT * FROM {OTHER} {inside}")
        moved += connection.exec_driver_sql(f"DELETE FROM {OTHER} {inside}").rowcount
        connection.exec_driver_sql(attached(month))
    return moved


def _refers(connection: Connection, name: str) -> bool:
    made = f"inspection_{name}_fkey"
    query = text(
        "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(:copy) AND conname = :name)"
    )
    return bool(connection.execute(query, {"copy": COPY, "name": made}).scalar())
