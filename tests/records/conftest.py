"""A store of each kind: SQLite always, PostgreSQL where FLAWLINE_TEST_POSTGRES has the URL of a database."""

from __future__ import annotations

import os
import uuid

import pytest

from flawline.records import open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The URL of records that do not exist yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'records.db'}"
        return
    server = os.environ.get("FLAWLINE_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL: set FLAWLINE_TEST_POSTGRES to the URL of a database")
    import psycopg

    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        sign = "&" if "?" in server else "?"
        yield f"{server}{sign}options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def store(store_url):
    """An open store without records."""
    with open_store(store_url) as opened:
        yield opened
