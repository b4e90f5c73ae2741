"""How fast records are written and read: insert rate, the chart of one series of a day, the queries of a page.

    python benchmarks/store.py [--inspections 1000000] [--days 100] [--copies 1] [--store records.db] [--rounds 7]

Inspections are drawn: one station, lots of 500, three defects in each picture on average, six measures a part and
three a defect, reasons for those that are not accepted. They come in the order of time, in batches of 500, one
transaction each, synced to the disk. As yardstick for the writing the same values go through Python's sqlite3 with
executemany, without keys, hashes, indexes or checks. Times of queries are medians over the rounds, on one day or lot
after the other.

With `--copies 10` what was written is copied nine times inside SQLite, each time later by its own length, with keys and
parts of its own; then further inspections are written to the large store, and the queries are made there.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from flawline.jobs.chart.chart_series import chart_series
from flawline.jobs.chart.series import Forming, form_series
from flawline.records import DefectRecord, Record, open_store
from flawline.records.where import Where
from flawline.types import Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
RECIPE, SPEC = "a" * 64, "b" * 64
BATCH = 500
LOT = 500
REASON = "the largest stain lies above the limit of the specification"


def main() -> None:
    """Write, then read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inspections", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--store", default="")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        url = options.store or str(Path(folder) / "records.db")
        step = timedelta(days=options.days) / options.inspections
        yardstick(Path(folder) / "yardstick.db", step)
        write(url, options.inspections, step)
        if options.copies > 1:
            multiply(url, options.inspections, options.copies, step)
            options.inspections *= options.copies
            options.days *= options.copies
            write(url, 50_000, step, first=options.inspections)
        read(url, options, step)


def drawn(count: int, step: timedelta, first: int = 0) -> Iterator[Record]:
    """Inspections in the order of time; what was found is one of 5,000 findings."""
    random_ = random.Random(0)
    pool = [_found(random_) for _ in range(5000)]
    for number in range(first, first + count):
        stains, measures, verdict = random_.choice(pool)
        captured = START + number * step
        yield Record(
            image=f"cam1/{number:08}.png",
            judged=captured,
            verdict=verdict,
            reasons=() if verdict == "accept" else (REASON,),
            captured=captured,
            picture=random_.randbytes(32).hex(),
            size=(480, 640),
            score=random_.random(),
            p_value=random_.random(),
            recipe=RECIPE,
            spec=SPEC,
            part=f"P{number:09}",
            station="s1",
            step="coating",
            lot=f"L{number // LOT:06}",
            shift=("early", "late", "night")[captured.hour // 8],
            measures=measures,
            defects=stains,
        )


def _found(random_: random.Random) -> tuple[tuple[DefectRecord, ...], dict[str, float], Verdict]:
    stains = tuple(
        DefectRecord(
            "stain",
            (random_.randrange(600), random_.randrange(400), 9, 9),
            {"area": random_.expovariate(0.05), "peak": random_.random(), "p_value": 0.01},
        )
        for _ in range(random_.choice((0, 1, 2, 3, 4, 5, 6)))
    )
    areas = [float(stain.measures["area"]) for stain in stains]
    measures = {
        "NumberOfStains": float(len(stains)),
        "LargestStainArea": max(areas, default=0.0),
        "TotalStainArea": sum(areas),
        "AverageStainArea": sum(areas) / max(1, len(areas)),
        "LongestScratch": random_.random(),
        "DefectDensity": random_.random(),
    }
    verdict: Verdict = "reject" if sum(areas) > 200 else "review" if len(stains) > 5 else "accept"
    return stains, measures, verdict


def yardstick(path: Path, step: timedelta) -> None:
    """The same values through sqlite3 alone."""
    count = 50_000
    rows = [
        (
            *(
                r.image,
                str(r.captured),
                str(r.judged),
                r.verdict,
                r.score,
                r.p_value,
                r.part,
                r.lot,
            ),
            *(r.picture, r.recipe, r.spec, *r.measures.values()),
        )
        for r in drawn(count, step)
    ]
    found = [
        (number, place, d.label, *(d.box or ()), *d.measures.values())
        for number, r in enumerate(drawn(count, step))
        for place, d in enumerate(r.defects)
    ]
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"CREATE TABLE i ({','.join(f'c{k}' for k in range(len(rows[0])))})")
    connection.execute(f"CREATE TABLE d ({','.join(f'c{k}' for k in range(len(found[0])))})")
    each = len(found) // (count // BATCH)
    began = time.perf_counter()
    for batch in range(count // BATCH):
        _insert(connection, "i", rows[batch * BATCH : (batch + 1) * BATCH])
        _insert(connection, "d", found[batch * each : (batch + 1) * each])
        connection.commit()
    taken = time.perf_counter() - began
    connection.close()
    print(f"yardstick, sqlite3 alone: {count / taken:,.0f} inspections/s")


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)


def write(url: str, count: int, step: timedelta, first: int = 0) -> None:
    """Insert in batches; drawing is not counted."""
    batch: list[Record] = []
    taken, busy, defects, told = 0.0, 0.0, 0, max(1, count // 5)
    with open_store(url) as store:
        for number, record in enumerate(drawn(count, step, first), start=1):
            batch.append(record)
            defects += len(record.defects)
            if len(batch) == BATCH or number == count:
                began, worked = time.perf_counter(), time.process_time()
                store.add(batch)
                taken += time.perf_counter() - began
                busy += time.process_time() - worked
                batch = []
            if number % told == 0:
                print(
                    f"  {number:>10,}: {number / max(taken, 1e-9):,.0f} inspections/s", flush=True
                )
    print(
        f"{count:,} inspections with {defects:,} defects: {count / taken:,.0f} inspections/s, "
        f"{count / busy:,.0f} per second of the processor"
    )
    if Path(url).is_file() and not first:
        size = os.path.getsize(url)
        print(f"{size / 1e9:.2f} GB, {size / count:.0f} bytes an inspection with its defects")


def multiply(url: str, count: int, copies: int, step: timedelta) -> None:
    """Copy all inspections and defects to later times, inside SQLite."""
    later = count * step // timedelta(microseconds=1)
    changed = {
        "id": f"id + {count} * :copy",
        "key": "randomblob(16)",
        "captured": f"captured + {later} * :copy",
        "judged": f"judged + {later} * :copy",
        "part": "part || '-' || :copy",
    }
    connection = sqlite3.connect(url)
    names = [row[1] for row in connection.execute("PRAGMA table_info(inspection)")]
    began = time.perf_counter()
    for copy in range(1, copies):
        values = ", ".join(changed.get(name, name) for name in names)
        connection.execute(
            f"INSERT INTO inspection SELECT {values} FROM inspection WHERE id <= {count}",
            {"copy": copy},
        )
        connection.execute(
            f"INSERT INTO defect SELECT inspection + {count} * :copy, number, label, left, top, width, "
            f"height, shape, measures FROM defect WHERE inspection <= {count}",
            {"copy": copy},
        )
        connection.execute(
            f"INSERT INTO class_count SELECT label, inspection + {count} * :copy, count, largest_area "
            f"FROM class_count WHERE inspection <= {count}",
            {"copy": copy},
        )
        connection.commit()
        print(f"  copy {copy}: {time.perf_counter() - began:,.0f} s", flush=True)
    defects = connection.execute("SELECT count(*) FROM defect").fetchone()[0]
    connection.close()
    print(
        f"{count * copies:,} inspections, {defects:,} defects, {os.path.getsize(url) / 1e9:.2f} GB"
    )


def read(url: str, options: argparse.Namespace, step: timedelta) -> None:
    """The queries of a chart and of a page."""
    days = [
        START + timedelta(days=k * options.days / options.rounds) for k in range(options.rounds)
    ]
    ten_thousand = 10_000 * step
    with open_store(url) as store:

        def span(length: timedelta) -> Callable[[int], Where]:
            return lambda k: Where(days[k], days[k] + length)

        def chart(k: int) -> Any:
            columns = store.columns("LargestStainArea", span(ten_thousand)(k), ["lot"])
            how = Forming(by="lot", label="lot")
            return chart_series(form_series(columns, "LargestStainArea", "i-mr", how), "i-mr")

        def undecided(k: int) -> Any:
            return store.page(
                Where(verdict=["review"], decided=False, until=days[k] + ten_thousand)
            )

        whole = store.page(count=1).items[0]
        lots = options.inspections // LOT
        lot = [f"L{k * lots // options.rounds:06}" for k in range(options.rounds)]
        jobs: dict[str, Callable[[int], Any]] = {
            "10,000 points of one measure": lambda k: store.columns(
                "LargestStainArea", span(ten_thousand)(k)
            ),
            "the same with lots": lambda k: store.columns(
                "LargestStainArea", span(ten_thousand)(k), ["lot"]
            ),
            "and charted, a point a lot": chart,
            "one day of one measure": lambda k: store.columns(
                "LargestStainArea", span(timedelta(days=1))(k)
            ),
            "one day of defect areas": lambda k: store.columns(
                "area", span(timedelta(days=1))(k), level="defect"
            ),
            "newest page of 50": lambda _: store.page(),
            "a page of 50 in the middle": lambda k: store.page(Where(until=days[k] + ten_thousand)),
            "a page of rejects": lambda k: store.page(
                Where(verdict=["reject"], until=days[k] + ten_thousand)
            ),
            "a page of undecided reviews": undecided,
            "a page of six stains or more": lambda k: store.page(
                Where(least={"count_stain": 6}, until=days[k] + ten_thousand)
            ),
            "a page of stains above 150 px2": lambda k: store.page(
                Where(least={"largest_area_stain": 150}, until=days[k] + ten_thousand)
            ),
            "a page of one lot": lambda k: store.page(Where(names={"lot": lot[k]})),
            "one part by its number": lambda k: store.page(
                Where(names={"part": f"P{k * options.inspections // options.rounds:09}"})
            ),
            "one inspection": lambda _: store.get(whole.id),
        }
        for name, job in jobs.items():
            print(f"  {name:32s} {_timed(job, options.rounds)}", flush=True)
        began = time.perf_counter()
        total = store.count()
        print(f"  {'counting all':32s} {1000 * (time.perf_counter() - began):9.1f} ms ({total:,})")


def _timed(job: Callable[[int], Any], rounds: int) -> str:
    found, busy = [], []
    for turn in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        result = job(turn)
        found.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - worked))
    size = len(next(iter(result.values()))) if isinstance(result, dict) else 0
    rows = f" ({size:,} rows)" if size else ""
    return f"{median(found):9.1f} ms, processor {median(busy):.1f}, longest {max(found):.1f}{rows}"


if __name__ == "__main__":
    main()
