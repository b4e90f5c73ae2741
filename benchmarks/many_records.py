"""Draw very many inspections inside PostgreSQL, and ask for the pages of records and charts.

    python benchmarks/many_records.py postgresql://USER@HOST/DATABASE [--inspections 10000000] [--months 24]
        [--rounds 15] [--ask-only]

The database must be empty; the records are created in it as `flawline` creates them. Forty stations, three products and
lots of 500; six measures a part; stains in 12 % of the inspections, scratches in 1 %, a crack in 1 of 10,000; 4 % are
for review and 2 % rejected, and a person has decided about nine of ten of those for review. What was found is one of
20,000 findings; scores are drawn. The rows are made by the server itself, without indexes, which are built afterwards:
the rate of a station is measured by `store.py`. The application is asked as in `records_page.py`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from flawline.data.times import micros
from flawline.records import open_store
from flawline.records.engine import writing
from flawline.records.months import add_month, month_of, months_of
from flawline.records.packing import pack, shape_of
from flawline.records.store import Store
from records_page import SHARES, Drawn, ask

PRODUCTS, STATIONS = ("casting", "heat sink", "screw"), 40
LOT, FINDINGS, STEP = 500, 20_000, 1_000_000
END = datetime(2026, 12, 1, tzinfo=UTC)


def main() -> None:
    """Draw where there is nothing yet, then ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--inspections", type=int, default=10_000_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--ask-only", action="store_true")
    options = parser.parse_args()
    length = timedelta(days=30.4 * options.months)
    if not options.ask_only:
        with open_store(options.database) as store:
            draw(store, options.database, options.inspections, length)
    with TemporaryDirectory() as folder:
        stations = [f"s{k}" for k in range(STATIONS)]
        known = Drawn(options.inspections, END - length, length, stations)
        ask(options.database, Path(folder), known, options.rounds)


def draw(store: Store, database: str, count: int, length: timedelta) -> None:
    """Write all tables of the records, print the time and size of each step."""
    start, step = micros(END - length), length // timedelta(microseconds=1) // count
    with writing(store.engine) as connection:
        there = months_of(connection)
        every = {month_of(start + day * 86_400_000_000) for day in range(length.days + 1)}
        for month in sorted(every.difference(there)):
            add_month(connection, month)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        numbers = terms(connection, count)
        findings(connection, numbers)
        dropped = without_indexes(connection)
        began = time.perf_counter()
        for first in range(0, count, STEP):
            connection.execute(_INSPECTIONS, _values(numbers, first, count, start, step))
        told("inspections", began, count)
        connection.execute(_DEFECTS)
        connection.execute(_CLASSES)
        told("defects and classes", began, count)
        for made in dropped:
            connection.execute(made)
        told("indexes", began, count)
        connection.execute(_DECISIONS)
        connection.execute("SELECT setval('inspection_id_seq', max(id)) FROM inspection")
        connection.execute("ANALYZE")
        told("decisions and statistics", began, count)
        sizes(connection, count)


def told(what: str, began: float, count: int) -> None:
    """Print how long it took up to here."""
    print(f"{count:,}: {what} after {time.perf_counter() - began:,.0f} s", flush=True)


def terms(connection: Any, count: int) -> dict[str, int]:
    """Write the texts; returns the first number of each kind."""
    first: dict[str, int] = {}
    for kind, texts in _texts(count):
        query = (
            "INSERT INTO term (kind, digest, text) "
            "SELECT %s, substr(sha256(t::bytea), 1, 16), t FROM unnest(%s::text[]) AS u(t) RETURNING id"
        )
        first[kind] = connection.execute(query, (kind, list(texts))).fetchone()[0]
    return first


def _texts(count: int) -> Iterator[tuple[str, Sequence[str]]]:
    yield "station", [f"s{k}" for k in range(STATIONS)]
    yield "product", PRODUCTS
    yield "step", ["coating"]
    yield "shift", ("early", "late", "night")
    yield "recipe", [f"{k:064}" for k in range(10)]
    yield "lot", [f"L{k:06}" for k in range(count // LOT + 1)]
    yield "measures", [shape_of(_measures(0, 0, random.Random(0)))]
    yield "defect measures", [shape_of({"area": 0, "peak": 0, "p_value": 0})]
    yield "label", list(SHARES)


def _measures(largest: float, total: float, random_: random.Random) -> dict[str, float]:
    drawn = {f"brightness_{k}": random_.gauss(100, 3) for k in range(4)}
    return {"largest_area": largest, "total_area": total, **drawn}


def findings(connection: Any, numbers: dict[str, int]) -> None:
    """Write the findings to temporary tables: of each part, and of its defects."""
    random_ = random.Random(0)
    connection.execute(
        "CREATE TEMP TABLE finding (k int PRIMARY KEY, defects int, measures bytea, largest float8, total float8)"
    )
    connection.execute(
        "CREATE TEMP TABLE found (k int, number int, label bigint, x int, y int, area float8, measures bytea)"
    )
    names = shape_of({"area": 0, "peak": 0, "p_value": 0})
    parts: list[tuple[Any, ...]] = []
    rows: list[tuple[Any, ...]] = []
    for k in range(FINDINGS):
        areas: list[float] = []
        for place, share in enumerate(SHARES.values()):
            if random_.random() < share:
                for _ in range(random_.choice((1, 1, 1, 2, 3))):
                    area = random_.expovariate(0.05)
                    areas.append(area)
                    own = {"area": area, "peak": random_.random(), "p_value": 0.01}
                    box = random_.randrange(600), random_.randrange(400)
                    label = numbers["label"] + place
                    rows.append((k, len(areas), label, *box, area, pack(own, names)))
        measures = _measures(max(areas, default=0.0), sum(areas), random_)
        sums = measures["largest_area"], measures["total_area"]
        parts.append((k, len(areas), pack(measures, shape_of(measures)), *sums))
    for table, given in (("finding", parts), ("found", rows)):
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for row in given:
                copy.write_row(row)
    connection.execute("ANALYZE finding, found")


def without_indexes(connection: Any) -> list[str]:
    """Drop the indexes of inspections and classes but primary keys; returns how each was made."""
    query = (
        "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE indrelid IN ('inspection'::regclass, 'class_count'::regclass) AND NOT indisprimary"
    )
    found = connection.execute(query).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("ALTER TABLE inspection DROP CONSTRAINT inspection_pkey")
    for table in ("inspection", "defect", "class_count"):
        keys = f"SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'f'"
        for (name,) in connection.execute(keys).fetchall():
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    made = [text.replace(" ON ONLY ", " ON ") for _, text in found]
    return ["ALTER TABLE inspection ADD PRIMARY KEY (id, captured)", *made]


_COLUMNS = (
    "id, key, captured, captured_known, judged, image, picture, height, width, part, station, product, step, shift, "
    "recipe, lot, verdict, score, p_value, defects, shape, measures, reasons, largest_area, total_area"
)
_INSPECTIONS = f"""
INSERT INTO inspection ({_COLUMNS})
SELECT n + 1, decode(md5('key' || n), 'hex'), t, true, t, 'cam1/' || n || '.png', sha256(n::text::bytea), 480, 640,
       'P' || lpad((n - (n %% 10 = 1)::int)::text, 9, '0'),
       %(station)s + n %% {STATIONS}, %(product)s + n / 1000 %% 3, %(step)s, %(shift)s + t / 28800000000 %% 3,
       %(recipe)s + n * 10 / %(count)s, %(lot)s + n / {LOT}, verdict,
       -ln(1 - random()) + CASE verdict WHEN 'reject' THEN 1.5 ELSE 0 END, random(), f.defects, %(shape)s, f.measures,
       CASE verdict WHEN 'accept' THEN '[]' ELSE '["score 3.1 is above the limit 2.5"]' END, f.largest, f.total
FROM (SELECT n, %(start)s::bigint + n * %(each)s::bigint AS t, mod(abs(hashint8(n)::bigint), {FINDINGS}) AS k,
             CASE WHEN r < 0.02 THEN 'reject' WHEN r < 0.06 THEN 'review' ELSE 'accept' END AS verdict
      FROM (SELECT n, random() AS r FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS drawn) AS d
JOIN finding f ON f.k = d.k ORDER BY n
"""
_DEFECTS = f"""
INSERT INTO defect (inspection, number, label, "left", top, width, height, shape, measures)
SELECT i.id, f.number, f.label, f.x, f.y, 9, 9, (SELECT id FROM term WHERE kind = 'defect measures'), f.measures
FROM inspection i JOIN found f ON f.k = mod(abs(hashint8(i.id - 1)::bigint), {FINDINGS}) WHERE i.defects > 0
"""
_CLASSES = f"""
INSERT INTO class_count (label, inspection, count, largest_area)
SELECT f.label, i.id, f.count, f.largest FROM inspection i
JOIN (SELECT k, label, count(*), max(area) AS largest FROM found GROUP BY k, label) f
  ON f.k = mod(abs(hashint8(i.id - 1)::bigint), {FINDINGS}) WHERE i.defects > 0
"""
_DECISIONS = """
INSERT INTO decision (inspection, verdict, who, why, decided)
SELECT id, 'accept', 'anna', 'only dust', judged FROM inspection
WHERE verdict = 'review' AND id <= (SELECT max(id) FROM inspection) * 9 / 10 ORDER BY id
"""


def _values(
    numbers: dict[str, int], first: int, count: int, start: int, step: int
) -> dict[str, int]:
    last = min(first + STEP, count) - 1
    own = {"first": first, "last": last, "count": count, "start": start, "each": step}
    return {**numbers, **own, "shape": numbers["measures"]}


def sizes(connection: Any, count: int) -> None:
    """Print the bytes of the tables with their indexes, and of the whole database."""
    query = (
        "SELECT coalesce(sum(pg_table_size(c.oid)), 0), coalesce(sum(pg_indexes_size(c.oid)), 0) FROM pg_class c "
        "WHERE c.relkind IN ('r', 'p') AND (c.relname = %s OR c.oid IN "
        "(SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(%s)))"
    )
    for table in ("inspection", "defect", "class_count", "decision", "term"):
        found = connection.execute(query, (table, table)).fetchone()
        rows, indexes = map(int, found)
        print(
            f"{table}: {rows / 1e9:.2f} GB rows, {indexes / 1e9:.2f} GB indexes, "
            f"{(rows + indexes) / count:.0f} bytes an inspection"
        )
    total = connection.execute("SELECT pg_database_size(current_database())").fetchone()[0]
    print(f"database: {total / 1e9:.2f} GB, {total / count:.0f} bytes an inspection", flush=True)


if __name__ == "__main__":
    main()
