"""Records: every inspection, its defects and people's decisions about it, in SQLite or PostgreSQL.

SQLAlchemy and Alembic are loaded by the first store that is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flawline.errors import StoreError
from flawline.records.record import Decision, DefectRecord, Record, StoredRecord

if TYPE_CHECKING:
    from flawline.records.store import Store

__all__ = ["Decision", "DefectRecord", "Record", "StoreError", "StoredRecord", "open_store"]


def open_store(url: str, *, create: bool = True) -> Store:
    """Open the records at `url`; creates them, or updates their schema.

    Args:
        url: the path of an SQLite file, `sqlite:///PATH`, or `postgresql://USER@HOST/DATABASE`.
        create: whether to create them where there are none yet.

    Raises:
        UsageError: `url` is none of these.
        DependencyError: `url` names PostgreSQL and psycopg is not installed.
        StoreError: ("store-away") it cannot be reached; ("store-schema") a newer version of Flawline wrote it;
            ("store-unreadable") it is no store; ("store-missing") there is none and `create` is False.
    """
    from flawline.records.store import Store

    return Store(url, create=create)
