"""A server that ends connections during work."""

from __future__ import annotations

import os

import pytest

from flawline.errors import UsageError
from flawline.records import StoreError, open_store
from flawline.records.engine import store_url as parsed
from flawline.records.write import Added
from flawline.records.writer import Writer
from helpers.inspected_records import record
from helpers.store_faults import before_defects


@pytest.fixture
def named(store_url):
    """A store on PostgreSQL with connections of its own name, and a function that ends them."""
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    import psycopg

    name = f"test {os.getpid()}"

    def end():
        with psycopg.connect(os.environ["FLAWLINE_TEST_POSTGRES"], autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                (name,),
            )

    with open_store(f"{store_url}&application_name={name.replace(' ', '%20')}") as store:
        yield store, end


def test_a_connection_that_ended_between_batches_is_replaced(named):
    store, end = named
    assert store.add([record(0)]) == Added(1, 0)
    end()
    assert store.add([record(1)]) == Added(1, 0)
    end()
    assert store.count() == 2


def test_a_connection_that_ends_inside_a_batch_leaves_nothing_of_it(named, tmp_path):
    store, end = named
    ends = [end]

    def ending():
        if ends:
            ends.pop()()

    with before_defects(store, ending):
        with pytest.raises(StoreError) as caught:
            store.add([record(n) for n in range(10)])
        assert (caught.value.code, caught.value.transient) == ("store-away", True)
        assert store.count() == 0
        ends.append(end)
        with Writer(store, spool=tmp_path / "spool", batch=5) as writer:
            for number in range(10):
                writer.add(record(number))
        assert ends == []
    assert writer.added == Added(10, 0)
    assert [kept.record for kept in store.page(newest=False).items] == [
        record(n) for n in range(10)
    ]


def test_a_wrong_database_or_user_is_not_tried_again():
    server = os.environ.get("FLAWLINE_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL: set FLAWLINE_TEST_POSTGRES to the URL of a database")
    url = parsed(server)
    for wrong in (url.set(database="nowhere"), url.set(username="nobody-of-this-name")):
        with pytest.raises(StoreError) as caught:
            open_store(wrong.render_as_string(hide_password=False))
        assert (caught.value.code, caught.value.transient) == ("store-refused", False)
    with pytest.raises(UsageError):
        open_store("postgresql://host")
