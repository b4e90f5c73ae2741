"""Update the schema of a store, safe next to other processes that do the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from flawline.errors import StoreError
from flawline.records.engine import VERSIONS, reading, shown, writing
from flawline.records.tables import metadata

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

_LOCK = 0x666C6177  # any number, the same in every version
_FOLDER = Path(__file__).parent / "migrations"
HEAD = max(path.name[1:5] for path in (_FOLDER / "versions").glob("r[0-9]*.py"))
"""The revision of the last migration."""


def migrate(engine: Engine, *, create: bool) -> None:
    """Create the tables, or apply the migrations that the store lacks; an up-to-date store is not written to.

    Raises:
        StoreError: ("store-schema") a newer version of Flawline wrote it; ("store-unreadable") its tables are not
            Flawline's; ("store-missing") it has none and `create` is False.
    """
    with reading(engine) as connection:
        revision = revision_of(connection)
        if revision is None:
            _refuse_foreign_tables(connection)
    if revision == HEAD:
        return
    if revision is None and not create:
        raise missing(shown(engine.url))
    # Alembic takes a while to load, and a store is nearly always up to date.
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_FOLDER), version_locations=[str(_FOLDER / "versions")])
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Held until the transaction ends; SQLite's writers exclude each other anyway.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        revision = revision_of(connection)
        if revision is None:
            _refuse_foreign_tables(connection)
        if revision != HEAD:
            _refuse_newer(connection, revision, scripts)
            _upgrade(connection, scripts)


def missing(place: str) -> StoreError:
    """Make the error for a place without records."""
    return StoreError(
        f"there are no records in {place}",
        hint="inspecting with `store`, or importing a table, begins them",
        code="store-missing",
    )


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the schema, None where there are no records."""
    if not inspect(connection).has_table(VERSIONS):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalar()
    return None if found is None else str(found)


def _refuse_newer(connection: Connection, revision: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the records in {shown(connection.engine.url)} have schema {revision}, "
            f"and this version of Flawline knows up to {HEAD}",
            hint="install the version of Flawline that wrote them, or a newer one",
            code="store-schema",
        )


def _refuse_foreign_tables(connection: Connection) -> None:
    found = inspect(connection)
    # Extensions of PostgreSQL bring views of their own.
    views = found.get_view_names() if connection.dialect.name == "sqlite" else []
    foreign = sorted({*found.get_table_names(), *views} - {VERSIONS})
    if foreign:
        raise StoreError(
            f"{shown(connection.engine.url)} holds no records but tables of another application: {foreign[0]!r}",
            hint="give a file or database of its own",
            code="store-unreadable",
        )


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> None:
    def to_head(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)

    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    with EnvironmentContext(Config(), scripts, fn=to_head) as environment:
        environment.configure(
            connection=connection, target_metadata=metadata, version_table=VERSIONS
        )
        environment.run_migrations()
