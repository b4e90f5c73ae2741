"""Connect to SQLite and PostgreSQL alike, and translate their errors."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from flawline.errors import DependencyError, StoreError, UsageError, install_extra

BUSY_SECONDS = 30
VERSIONS = "flawline_version"
"""The table that makes a database one of records."""
_FORMS = "records.db, sqlite:///records.db or postgresql://user@host/database"
_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
# Classes of SQLSTATE: connection, transaction rolled back, out of resources, an operator stepped in.
_TRANSIENT_STATES = ("08", "40", "53", "57")


def store_url(text: str) -> URL:
    """Parse the URL of a store; a text without a scheme is the path of an SQLite file.

    Raises:
        UsageError: it is no URL of a store.
    """
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError:
        url = URL.create("none")
    if url.drivername == "sqlite" and url.database:
        return url
    if url.drivername in _POSTGRES and url.database:
        return url.set(drivername="postgresql+psycopg")
    scheme = text.partition("://")[0]
    raise UsageError(f"expected a store such as {_FORMS}, got one that begins with {scheme!r}")


def shown(url: URL) -> str:
    """Format a URL without its password."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def new_engine(url: URL, *, read_only: bool = False) -> Engine:
    """Create an engine that begins transactions explicitly, so that they include schema changes."""
    if url.drivername == "sqlite":
        opened: Any = {"connect_args": {"timeout": BUSY_SECONDS}}
        if read_only:
            opened = {"creator": partial(_connect_read_only, Path(str(url.database)))}
        engine = create_engine(url, **opened)
        event.listen(engine, "connect", _prepare_reader if read_only else _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        # A connection lost while the server was away is replaced before use.
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    except ImportError as error:
        raise DependencyError(
            "records in PostgreSQL need psycopg, which is not installed",
            hint=install_extra("postgres"),
        ) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that reads one state of the records."""
    with translated(engine.url), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes: committed at the end of the block, rolled back after an error."""
    with translated(engine.url), engine.connect() as connection:
        connection = connection.execution_options(flawline_writes=True)
        with connection.begin():
            yield connection


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Translate errors of the database to StoreError."""
    try:
        yield
    except DBAPIError as error:
        raise _in_words(error, url) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the records in {shown(url)} cannot be used: {error}") from error


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Connect to a file that this process cannot change, nor anybody else unless a log lies next to it."""
    log = path.with_name(f"{path.name}-wal")
    way = "mode=ro" if log.is_file() and log.stat().st_size else "immutable=1"
    return sqlite3.connect(
        f"file:{quote(os.fspath(path.absolute()))}?{way}",
        uri=True,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
    )


def _prepare_reader(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA cache_size=-65536")


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's driver would begin transactions by itself, without schema changes.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    _write_ahead(connection)
    # A committed batch then survives a power failure.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-65536")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL, retrying: where two processes do so at once, SQLite does not wait for the lock.

    A file of another application stays as it is.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if tables and VERSIONS not in tables:
        return
    for _ in range(10 * BUSY_SECONDS):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.1)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("flawline_writes")
    # A transaction that reads first and then writes could not wait for another writer.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _in_words(error: DBAPIError, url: URL) -> StoreError:
    reason = str(error.orig).strip().partition("\n")[0]
    place = shown(url)
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_in_words(getattr(error.orig, "sqlite_errorname", ""), reason, place)
    state = getattr(error.orig, "sqlstate", None) or ""
    if state.startswith("53"):
        return _full(place, reason)
    if state.startswith(_TRANSIENT_STATES) or (not state and _unreached(error, reason)):
        return StoreError(
            f"the records in {place} cannot be reached: {reason}",
            hint="check that the server runs; what was not written can be written again",
            code="store-away",
            transient=True,
        )
    return StoreError(
        f"the records in {place} refuse this: {reason}",
        hint="check user, password and database in the URL",
        code="store-refused",
    )


def _unreached(error: DBAPIError, reason: str) -> bool:
    """Whether an error without a SQLSTATE comes from the connection, not from the server."""
    refused = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password")
    gone = error.connection_invalidated or type(error.orig).__name__ in (
        "OperationalError",
        "ConnectionTimeout",
        "InterfaceError",
    )
    return gone and not any(text in reason for text in refused)


def _sqlite_in_words(name: str, reason: str, place: str) -> StoreError:
    if name.startswith("SQLITE_FULL"):
        return _full(place, reason)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_PROTOCOL")):
        return StoreError(
            f"the records in {place} cannot be reached: {reason}",
            hint="another program may hold them for long, or their disk is away",
            code="store-away",
            transient=True,
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreError(
            f"{place} holds no records: {reason}",
            hint="give another file; if it held records, take its last backup",
            code="store-unreadable",
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return StoreError(
            f"the records in {place} cannot be opened for writing: {reason}",
            hint="check that the folder exists and that you may write there",
            code="store-refused",
        )
    return StoreError(f"the records in {place} refuse this: {reason}")


def _full(place: str, reason: str) -> StoreError:
    return StoreError(
        f"there is no room for the records in {place}: {reason}",
        hint="make room and run the same command again; nothing is written twice",
        code="store-full",
        transient=True,
    )
