"""Records that tests begin: the migrations run once in a process, and further files take the tables from there.

Running all migrations takes a tenth of a second, and hundreds of tests begin records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, inspect

from flawline.records import engine as engines
from flawline.records import store
from flawline.records.engine import new_engine, reading, store_url, writing

Content = list[tuple[str, list[tuple[Any, ...]]]]
"""Statements, each with the rows that it is run with."""


@contextmanager
def migrated_once(folder: Path) -> Iterator[None]:
    """Give new SQLite files the tables that migrations made in `folder`; nothing waits until it is on the disk."""
    real: Callable[..., None] = store.migrate
    prepare = engines._prepare_sqlite

    @cache
    def content() -> Content:
        first = new_engine(store_url(str(folder / "first.db")))
        real(first, create=True)
        with reading(first) as connection:
            made = _content(connection)
        first.dispose()
        return made

    @wraps(real)
    def migrate(engine: Engine, *, create: bool) -> None:
        if create and engine.dialect.name == "sqlite" and _empty(engine):
            statements = content()
            with writing(engine) as connection:
                # Another process or thread may have been faster.
                for statement, rows in () if _tables(connection) else statements:
                    for row in rows or [()]:
                        connection.exec_driver_sql(statement, row)
        real(engine, create=create)

    def unsafe(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "migrate", migrate)
        patch.setattr(engines, "_prepare_sqlite", unsafe)
        yield


def _empty(engine: Engine) -> bool:
    with reading(engine) as connection:
        return not _tables(connection)


def _tables(connection: Connection) -> list[str]:
    found = inspect(connection)
    return [*found.get_table_names(), *found.get_view_names()]


def _content(connection: Connection) -> Content:
    """Read the statements that made tables and indices, and those that fill them."""
    made = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    content: Content = [(str(sql), []) for (sql,) in made]
    for table in inspect(connection).get_table_names():
        rows = [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"')]
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            content.append((f'INSERT INTO "{table}" VALUES ({marks})', rows))
    return content
