"""Insert events into a table of somebody else's database, its columns filled by templates."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flawline.errors import UsageError
from flawline.outputs.events import Message, message_id
from flawline.outputs.output import MOST, Failure, OutputKind, Say
from flawline.recipe.checks import Check, text
from flawline.recipe.entries import Section, entry

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

TIMES = ("time", "captured", "raised")


def _columns(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= 1000:
        raise ValueError("not as expected")
    for one in (*value, *value.values()):
        text(MOST).read(one)
    return dict(value)


# Its URL may hold a password, so it is not shown.
@dataclass(frozen=True, slots=True, repr=False)
class SqlEntries(Section):
    """sql: rows of a table."""

    url: str = entry(
        text(MOST), "The database, as SQLAlchemy writes it: DIALECT+DRIVER://HOST/NAME"
    )
    table: str = entry(text(200), "The table, which exists")
    columns: Mapping[str, str] = entry(
        Check('a table such as { part = "{part}", result = "{verdict}" }', _columns),
        "The template of each column that is filled",
    )
    schema: str | None = entry(text(200), "The schema of the table", None)
    key: str | None = entry(
        text(200), "A column for the key of the event: a copy adds no second row", None
    )


@dataclass(slots=True)
class SqlTable:
    """Insert a row for each event.

    A template of one field, such as "{score}", gives its value with its type; others give text. A field is a name of
    the event, "names.lot" an entry of an object in it; what the event does not have is NULL. Values are bound to the
    statement, never written into it.

    Raises:
        UsageError: the URL or a template cannot be used, or the driver is not installed.
    """

    entries: SqlEntries
    _engine: Engine = field(init=False, repr=False)
    _table: Table | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be used, without connecting."""
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError

        for template in self.entries.columns.values():
            fields_of(template)
        try:
            self._engine = create_engine(self.entries.url, pool_pre_ping=True)
        except (ArgumentError, ImportError, ValueError) as error:
            why = (
                "its driver is not installed" if isinstance(error, ImportError) else "it is no URL"
            )
            raise UsageError(
                f"the database of an output cannot be used: {why}",
                hint="such as postgresql+psycopg://HOST/NAME",
            ) from error

    @property
    def name(self) -> str:
        """Name the output for people."""
        url = self._engine.url
        place = url.host or url.database or ""
        return f"sql:{url.get_backend_name()}:{place}/{self.entries.table}"

    @property
    def place(self) -> str:
        """Return database and table."""
        return f"{self.entries.url}\n{self.entries.schema or ''}\n{self.entries.table}"

    def open(self) -> None:
        """Do nothing: the table is read with the first event."""

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def send(self, message: Message) -> Failure | None:
        """Insert one event; a row that the database will never take is refused."""
        from sqlalchemy.exc import (
            DataError,
            DBAPIError,
            IntegrityError,
            SQLAlchemyError,
            StatementError,
        )

        try:
            self._insert(message)
        except (IntegrityError, DataError) as error:
            return Failure(f"the database refuses the row: {_reason(error)}", again=False)
        except (SQLAlchemyError, OSError) as error:
            # A value of the wrong type never reaches the database.
            if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
                return Failure(f"the row does not fit the table: {_reason(error)}", again=False)
            self._table = None
            return Failure(f"the database is away or lacks the table: {_reason(error)}")
        except UsageError as error:
            self._table = None
            return Failure(error.message)
        return None

    def _insert(self, message: Message) -> None:
        from sqlalchemy import insert, select

        key = self.entries.key
        with self._engine.begin() as connection:
            if self._table is None:
                self._table = self._read()
            table, row = self._table, row_of(self.entries.columns, message)
            if key is not None:
                row[key] = message_id(message)
                if connection.execute(select(table.c[key]).where(table.c[key] == row[key])).first():
                    return
            connection.execute(insert(table).values(_typed(table, row)))

    def _read(self) -> Table:
        """Read the columns of the table."""
        from sqlalchemy import MetaData, Table

        wanted = self.entries
        table = Table(wanted.table, MetaData(), schema=wanted.schema, autoload_with=self._engine)
        names = [*wanted.columns, *([wanted.key] if wanted.key else [])]
        lacking = next((name for name in names if name not in table.c), None)
        if lacking is not None:
            raise UsageError(f"the table {wanted.table} has no column {lacking!r}")
        return table


def row_of(columns: Mapping[str, str], message: Message) -> dict[str, Any]:
    """Fill the templates of all columns."""
    return {name: _filled(template, message) for name, template in columns.items()}


def fields_of(template: str) -> list[str]:
    """List the fields of a template.

    Raises:
        UsageError: braces that do not match, or a field with a format of its own.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"the template {template!r} cannot be read: {error}") from error
    if any(form or turn or name == "" for _, name, form, turn in parts):
        raise UsageError(
            f"the template {template!r} has a field without a name or with a format",
            hint='such as "{verdict}" or "{names.lot}"',
        )
    return [name for _, name, _, _ in parts if name is not None]


def _filled(template: str, message: Message) -> Any:
    names = fields_of(template)
    if len(names) == 1 and template == f"{{{names[0]}}}":
        return _plain(_found(message, names[0]))
    pieces = []
    for literal, name, _, _ in string.Formatter().parse(template):
        value = None if name is None else _plain(_found(message, name))
        pieces.append(literal + ("" if value is None else str(value)))
    return "".join(pieces)


def _found(message: Message, name: str) -> Any:
    """Look a field up, "names.lot" in the object `names`; None where there is none."""
    value: Any = message
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _plain(value: Any) -> Any:
    """Return a value as a column can hold it: lists as text, objects not at all."""
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return None if isinstance(value, Mapping) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ISO texts into times where the column holds times: in UTC where it has no zone."""
    from sqlalchemy import DateTime

    typed = dict(row)
    for name, value in row.items():
        kind = table.c[name].type
        if isinstance(kind, DateTime) and isinstance(value, str):
            moment = datetime.fromisoformat(value)
            typed[name] = moment if kind.timezone else moment.astimezone(UTC).replace(tzinfo=None)
    return typed


def _reason(error: BaseException) -> str:
    """Return the first line of an error, without the statement and its values."""
    own = getattr(error, "orig", None) or error
    return (str(own).splitlines() or [type(error).__name__])[0]


def _open(entries: SqlEntries, say: Say) -> SqlTable:
    return SqlTable(entries)


KIND = OutputKind(SqlEntries, _open, "sql:URL", "url", events=("judged",))
