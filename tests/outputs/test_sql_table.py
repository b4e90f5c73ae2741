"""Rows in somebody else's table: by template, typed, once by key; it is away, refuses, comes back."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from flawline.errors import UsageError
from flawline.outputs import Judged, open_output
from flawline.outputs.sql_table import SqlEntries, SqlTable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = {
    "part": "{part}",
    "result": "{verdict}",
    "area": "{measures.total_area}",
    "made": "{names.lot}/{names.tool}",
    "why": "{reasons}",
    "judged": "{time}",
}
TABLE = (
    "CREATE TABLE inspections (event VARCHAR(200), part VARCHAR(40) NOT NULL, result VARCHAR(10), "
    "area FLOAT, made VARCHAR(100), why VARCHAR(1000), judged TIMESTAMP)"
)


def judged(key="k1", part="P7", reasons=("too large", "'); DROP TABLE inspections; --")):
    return Judged(
        key,
        NOW,
        "a.png",
        "reject",
        reasons,
        part=part,
        names={"lot": "L1"},
        measures={"total_area": 12.5},
    ).as_dict()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """The URL of an empty database of each kind, and a function that asks it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/others.db"
    else:
        given = os.environ.get("FLAWLINE_TEST_POSTGRES")
        if given is None:
            pytest.skip("no PostgreSQL: set FLAWLINE_TEST_POSTGRES")
        url = given.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)

    def ask(statement):
        with engine.begin() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    ask("DROP TABLE IF EXISTS inspections")
    yield url, ask
    ask("DROP TABLE IF EXISTS inspections")
    engine.dispose()


def output(url, **more):
    return SqlTable(SqlEntries(**{"url": url, "table": "inspections", "columns": COLUMNS, **more}))


def test_a_row_has_the_values_of_the_event_with_their_types(place):
    url, ask = place
    ask(TABLE)
    with closing(output(url)) as where:
        assert where.send(judged()) is None
    ((part, result, area, made, why),) = ask(
        "SELECT part, result, area, made, why FROM inspections"
    )
    assert (part, result, area, made) == ("P7", "reject", 12.5, "L1/")
    assert why == "too large; '); DROP TABLE inspections; --"
    assert ask("SELECT count(*) FROM inspections WHERE judged = '2026-03-01 12:00:00.000000'")


def test_a_copy_adds_no_second_row_where_there_is_a_key(place):
    url, ask = place
    ask(TABLE)
    with closing(output(url, key="event")) as where:
        for message in (judged(), judged(), judged("k2")):
            assert where.send(message) is None
    assert ask("SELECT event FROM inspections ORDER BY event") == [("k1",), ("k2",)]


def test_owed_rows_wait_until_the_table_is_there_and_a_refused_one_stops_nothing(
    place, owe, sending, store, notes
):
    url, ask = place
    owe(judged("k1"), judged("k2", part=None), judged("k3"))
    with closing(output(url, key="event")) as where:
        attempts = sending(where)
        assert attempts.attempt() > 0
        assert "away or lacks the table" in notes[0]
        assert store.deliveries.waiting("place") == 3
        ask(TABLE)
        attempts.hurry()
        attempts.attempt()
    assert ask("SELECT event FROM inspections ORDER BY event") == [("k1",), ("k3",)]
    (refused,) = store.deliveries.refused("place")
    assert refused.key == "k2"
    assert store.deliveries.waiting("place") == 0


def test_a_column_that_is_not_there_is_named_and_tried_again(place):
    url, ask = place
    ask(TABLE)
    with closing(output(url, columns={"nowhere": "{part}"})) as where:
        failure = where.send(judged())
        assert (failure.again, "no column 'nowhere'" in failure.reason) == (True, True)
        ask("ALTER TABLE inspections ADD COLUMN nowhere VARCHAR(40)")
        ask("ALTER TABLE inspections DROP COLUMN part")
        assert where.send(judged()) is None


def test_a_database_that_is_away_is_a_failure_without_its_password():
    with closing(output("postgresql+psycopg://ada:s3cret@127.0.0.1:1/x")) as where:
        failure = where.send(judged())
        assert failure.again
        assert "s3cret" not in failure.reason + where.name + repr(where)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "nonsense"},
        {"url": "nodialect://x"},
        {"columns": {"part": "{part"}},
        {"columns": {"part": "{}"}},
        {"columns": {"part": "{part:>9}"}},
        {"columns": {"part": "{part!r}"}},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_connecting(settings):
    with pytest.raises(UsageError):
        output(**{"url": "sqlite:///x.db", **settings})


def test_by_name_with_columns_of_the_environment(tmp_path):
    names = {
        "FLAWLINE_SQL_TABLE": "t",
        "FLAWLINE_SQL_COLUMNS": '{ part = "{part}", result = "{verdict}" }',
    }
    found = open_output(f"sql:sqlite:///{tmp_path}/x.db", say=print, environment=names)
    assert found.kinds == {"judged"}
    assert found.output.entries.columns == {"part": "{part}", "result": "{verdict}"}
    found.close()
    for wrong in ("part", "{}", "{ part = 3 }"):
        with pytest.raises(UsageError, match="columns: expected a table"):
            open_output(
                "sql:sqlite:///x.db",
                say=print,
                environment={"FLAWLINE_SQL_TABLE": "t", "FLAWLINE_SQL_COLUMNS": wrong},
            )
