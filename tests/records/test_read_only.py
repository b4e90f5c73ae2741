"""Records that can only be read, and databases of other applications."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import text

from flawline.records import StoreError, open_store
from flawline.records import store as stores
from flawline.records.engine import new_engine, writing
from flawline.records.export import export_tables
from flawline.records.imports import import_table
from helpers.inspected_records import START, record


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "medium" / "r #1.db"
    path.parent.mkdir()
    with open_store(str(path)) as store:
        store.add([record(n) for n in range(5)])
    return path


@pytest.fixture
def on_a_medium(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take away the right to write; the superuser keeps it, so for that one it is only said."""
    kept.chmod(0o444)
    kept.parent.chmod(0o555)
    if os.access(kept, os.W_OK):
        monkeypatch.setattr(stores, "is_read_only", lambda url: True)
    return kept


def test_records_on_a_read_only_medium_are_read_and_nothing_is_put_beside_them(
    on_a_medium: Path, tmp_path: Path
) -> None:
    before = on_a_medium.read_bytes()
    with open_store(str(on_a_medium)) as store:
        assert store.read_only
        assert store.count() == 5
        assert store.get(2).id == 2
        assert len(store.columns("score")["score"]) == 5
        assert store.alerts.list() == ()
        assert len(export_tables(store, tmp_path / "out", form="csv")) == 3
        (tmp_path / "t.csv").write_text("image,x\na.png,1\n")
        for write in (
            lambda: store.add([record(9)]),
            lambda: store.decide(1, "accept", who="Ada", why="dust", when=START),
            lambda: import_table(store, tmp_path / "t.csv"),
        ):
            with pytest.raises(StoreError, match=r"read only|for writing") as caught:
                write()
            assert caught.value.code == "store-refused"
    assert [path.name for path in on_a_medium.parent.iterdir()] == [on_a_medium.name]
    assert on_a_medium.read_bytes() == before


def test_the_log_of_a_killed_process_is_read_too(kept: Path, monkeypatch) -> None:
    with open_store(str(kept)) as store:
        store.add([record(5)])
        log = kept.with_name(kept.name + "-wal")
        whole, more = kept.read_bytes(), log.read_bytes()
    assert more
    kept.write_bytes(whole)
    log.write_bytes(more)
    monkeypatch.setattr(stores, "is_read_only", lambda url: True)
    with open_store(str(kept)) as store:
        assert store.count() == 6
        with pytest.raises(StoreError, match="for writing"):
            store.add([record(9)])
    assert sorted(path.name for path in kept.parent.iterdir()) == [kept.name, log.name]
    assert (kept.read_bytes(), log.read_bytes()) == (whole, more)


def test_records_of_an_earlier_version_are_read_on_a_read_only_medium(
    tmp_path, monkeypatch
) -> None:
    old = Path(__file__).parents[1] / "fixtures" / "v0.1" / "line.db"
    path = tmp_path / "line.db"
    path.write_bytes(old.read_bytes())
    monkeypatch.setattr(stores, "is_read_only", lambda url: True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with open_store(str(path)) as store:
        assert (store.name, store.count()) == (str(path), 48)
        with pytest.raises(StoreError, match="for writing"):
            store.add([record(9)])
    assert path.read_bytes() == old.read_bytes()
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "made", ["CREATE TABLE photos (id)", "CREATE TABLE term (id)", "CREATE VIEW v AS SELECT 1"]
)
def test_a_database_of_another_application_is_refused_as_it_is(
    tmp_path: Path, made: str, mode: str, create: bool
) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode={mode}")
    other.execute(made)
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="holds no records but tables of another application"):
        open_store(str(path), create=create)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["other.db"]


def test_a_postgres_database_of_another_application_is_refused(store_url: str) -> None:
    if not store_url.startswith("postgres"):
        pytest.skip("about PostgreSQL")
    engine = new_engine(stores.store_url(store_url))
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE photos (id integer)"))
    try:
        with pytest.raises(StoreError, match="'photos'"):
            open_store(store_url)
    finally:
        with writing(engine) as connection:
            connection.execute(text("DROP TABLE photos"))
        engine.dispose()
