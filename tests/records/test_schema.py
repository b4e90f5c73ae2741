"""Creating and changing the schema, alone and next to other processes."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from threading import Barrier, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, select

from flawline.errors import UsageError
from flawline.records import DefectRecord, StoreError, open_store, schema
from flawline.records.engine import reading, shown, store_url, writing
from flawline.records.owed import Owed
from flawline.records.schema import HEAD, VERSIONS
from flawline.records.tables import metadata
from flawline.records.where import Where
from helpers.inspected_records import record

pytestmark = pytest.mark.usefixtures("migrated_anew")


def test_the_migrations_build_the_tables_that_the_code_knows(store):
    with reading(store.engine) as connection:
        opts = {"version_table": VERSIONS, "include_object": not_of_months}
        context = MigrationContext.configure(connection, opts=opts)
        found = {name_of(each) for each in compare_metadata(context, metadata)}
    # A partitioned table has no unique index without the time, and nothing refers to its numbers.
    assert found == (set() if connection.dialect.name == "sqlite" else WITHOUT_MONTHS)


WITHOUT_MONTHS = {
    *[("add_index", name) for name in ("inspection_untimed", "inspection_frame")],
    *[("add_fk", table) for table in ("alert", "chart_entry", "class_count", "decision", "defect")],
}


def not_of_months(_item, name, kind, *_):
    return kind != "table" or not re.fullmatch(r"inspection_(\d{4}_\d\d|other)|taken_key", name)


def name_of(difference):
    kind, item = difference[:2]
    return kind, item.parent.name if kind == "add_fk" else item.name


def test_the_last_migration_is_the_one_that_the_code_knows():
    folder = Path(schema.__file__).parent / "migrations"
    scripts = ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
    assert scripts.get_heads() == [HEAD]


@pytest.fixture
def old_store(store_url, tmp_path, monkeypatch):
    """Make records at `store_url` in an earlier schema, with the columns that it had."""

    def make(schema_of_then, records):
        everything = ScriptDirectory._upgrade_revs
        with monkeypatch.context() as earlier:
            earlier.setattr(schema, "HEAD", schema_of_then)
            earlier.setattr(
                ScriptDirectory,
                "_upgrade_revs",
                lambda self, _, now: everything(self, schema_of_then, now),
            )
            old = open_store(store_url)
        with open_store(str(tmp_path / "now.db")) as now, old:
            now.add(records)
            copy_rows(now, old)
            return tables_of(old)

    return make


def copy_rows(source, target):
    """Copy inspections with those of their columns that the target's tables have."""
    known = MetaData()
    with reading(source.engine) as taken, writing(target.engine) as given:
        known.reflect(given)
        for name in ("term", "inspection", "defect"):
            columns = [column.name for column in known.tables[name].columns]
            own = metadata.tables[name]
            rows = taken.execute(select(*(own.c[column] for column in columns))).mappings().all()
            if rows:
                given.execute(own.insert(), [dict(row) for row in rows])
            if given.dialect.name == "postgresql" and "id" in columns:
                given.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {1 + len(rows)})"
                )


def test_records_of_the_first_schema_are_brought_up_to_date(store_url, old_store):
    """Decisions and inspections stay; alerts can be kept then, and pages of a tool have an index."""
    made = [record(n, tool="press-1" if n == 3 else None) for n in range(5)]
    assert "alert" not in old_store("0001", made)
    with open_store(store_url) as own:
        assert own.count() == 5
        assert own.alerts.list() == ()
        assert {"alert", "alert_entry"} <= tables_of(own)
        (kept,) = own.page(Where(names={"tool": "press-1"})).items
        assert kept.record == record(3, tool="press-1")


def test_records_of_version_0_1_take_messages_and_named_frames(store_url, old_store):
    made = [record(n) for n in range(5)]
    assert "delivery" not in old_store("0002", made)
    with open_store(store_url) as own:
        named = record(5, frame_key="shot 5")
        owed = Owed("file:x", "5", "{}")
        assert own.add([*made, named], [owed]).new == 1
        assert own.add([record(6, frame_key="shot 5")], [owed]).new == 0
        assert own.deliveries.waiting("file:x") == 1
        assert [kept.record for kept in own.page(newest=False).items] == [*made, named]


def test_what_waits_for_review_is_counted_from_its_index_in_older_records_too(store_url, old_store):
    made = [record(n, verdict="review" if n % 2 else "accept") for n in range(5)]
    old_store("0009", made)
    with open_store(store_url) as own, reading(own.engine) as connection:
        assert own.count_upto(Where(verdict=("review",), decided=False), 1000) == 2
        if connection.dialect.name == "postgresql":
            made_by = "SELECT pg_get_indexdef(to_regclass('inspection_flagged'))"
            assert "INCLUDE (id, verdict)" in connection.exec_driver_sql(made_by).scalar_one()


MIXED = (
    DefectRecord("stain", (1, 2, 3, 4), {"area": 5.0}),
    DefectRecord("stain", (1, 2, 3, 4), {"area": 7.5, "peak": 0.5}),
    DefectRecord("scratch", None, {"length": 7.0}),
)
SORTS = [
    record(0),
    record(1, measures={"largest_area": 0.0, "total_area": 0.0}),
    record(2, defects=MIXED),
    record(3, defects=MIXED[2:]),
    record(10),
    record(11, measures={"largest_area": 7.49, "total_area": 7.49}, defects=MIXED),
]


def test_what_pages_choose_by_is_filled_from_old_rows_as_writing_fills_it(
    store_url, old_store, tmp_path, monkeypatch
):
    from flawline.records.migrations.versions import r0004_class_counts

    monkeypatch.setattr(r0004_class_counts, "_AT_ONCE", 2)
    assert "class_count" not in old_store("0003", SORTS)
    with open_store(store_url) as old, open_store(str(tmp_path / "new.db")) as new:
        new.add(SORTS)
        assert chosen_by(old) == chosen_by(new)
        assert chosen_by(new)[0] == [
            *[(None, None), (0.0, 0.0), (7.5, 12.5), (None, None), (20.0 + 1, 41.0), (7.49, 7.49)]
        ]
        assert [kept.record for kept in old.page(newest=False).items] == SORTS
        with pytest.raises(StoreError, match="never changed"), writing(old.engine) as connection:
            connection.exec_driver_sql("UPDATE inspection SET largest_area = 0")


def chosen_by(store):
    with reading(store.engine) as connection:
        areas = connection.exec_driver_sql(
            "SELECT largest_area, total_area FROM inspection ORDER BY captured"
        ).all()
        counts = connection.exec_driver_sql(
            "SELECT captured, text, count, class_count.largest_area FROM class_count "
            "JOIN term ON term.id = label JOIN inspection ON inspection.id = class_count.inspection "
            "ORDER BY captured, text"
        ).all()
    return [tuple(row) for row in areas], [tuple(row) for row in counts]


def tables_of(store):
    from sqlalchemy import inspect

    with reading(store.engine) as connection:
        return set(inspect(connection).get_table_names())


def test_a_page_of_one_tool_or_operator_reads_that_alone(tmp_path):
    with open_store(str(tmp_path / "r.db")) as own, reading(own.engine) as connection:
        for name in ("tool", "operator"):
            query = f"SELECT * FROM inspection WHERE {name} = 5 ORDER BY captured DESC, key DESC LIMIT 50"
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
            assert f"inspection_{name} ({name}=?)" in rows[0].detail


def test_a_newer_schema_is_a_clear_error(store, store_url):
    store.add([record(0)])
    with writing(store.engine) as connection:
        connection.exec_driver_sql(f"UPDATE {VERSIONS} SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999") as caught:
        open_store(store_url)
    assert caught.value.code == "store-schema"
    assert "newer" in caught.value.hint


def test_tables_of_another_program_are_not_touched(store_url):
    from flawline.records.engine import new_engine
    from flawline.records.engine import store_url as parsed

    engine = new_engine(parsed(store_url))
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE inspection (a INTEGER)")
    with pytest.raises(StoreError) as caught:
        open_store(store_url)
    assert caught.value.code == "store-unreadable"
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT * FROM inspection").keys() == ["a"]
    engine.dispose()


def test_many_open_a_new_store_at_once(store_url):
    errors, barrier = [], Barrier(6)

    def begin(number):
        try:
            barrier.wait()
            with open_store(store_url) as own:
                own.add([record(number)])
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=begin, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with open_store(store_url) as own:
        assert own.count() == 6


def test_a_change_of_the_schema_that_fails_leaves_nothing_behind(store_url, monkeypatch):
    import alembic.op

    real = alembic.op.create_index

    def failing(name, *arguments, **options):
        if name == "decision_inspection":
            raise KeyboardInterrupt
        return real(name, *arguments, **options)

    monkeypatch.setattr(alembic.op, "create_index", failing)
    with pytest.raises(KeyboardInterrupt):
        open_store(store_url)
    monkeypatch.undo()
    with open_store(store_url) as own:
        own.add([record(0)])
        assert own.count() == 1


def test_sqlite_is_in_wal_mode(tmp_path):
    with open_store(str(tmp_path / "r.db")) as own:
        own.add([record(0)])
    with sqlite3.connect(tmp_path / "r.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_what_is_no_store_is_said(tmp_path):
    (tmp_path / "a.db").write_bytes(b"this is no database at all, whatever its name says" * 100)
    with pytest.raises(StoreError) as caught:
        open_store(str(tmp_path / "a.db"))
    assert caught.value.code == "store-unreadable"
    with pytest.raises(StoreError) as caught:
        open_store(str(tmp_path / "missing" / "a.db"))
    assert caught.value.code == "store-refused"
    for url in ("mysql://h/d", "http://x", "postgresql://", "sqlite://", "x://"):
        with pytest.raises(UsageError, match="expected a store"):
            open_store(url)


def test_a_password_is_never_shown():
    for text in ("postgres://ada:secret@host/db", "postgresql://ada:secret@host/db"):
        assert "secret" not in shown(store_url(text))
    with pytest.raises(UsageError) as caught:
        store_url("mysql://ada:secret@host/db")
    assert "secret" not in caught.value.message


def test_a_server_that_is_not_there_is_said():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as caught:
        open_store("postgresql://ada:secret@127.0.0.1:1/db")
    assert caught.value.code == "store-away"
    assert caught.value.transient
    assert "secret" not in caught.value.message
