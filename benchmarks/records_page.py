"""How long the pages of records and charts take over many inspections: typical searches, one part, one chart.

    python benchmarks/records_page.py [--inspections 1000000] [--days 100] [--store records.db] [--rounds 40]

Inspections are drawn and written through the records in bulk: three products from four stations, lots of 500, one
part in ten photographed twice, six measures, stains in 12 %, scratches in 1 % and a crack in 1 of 10,000; 4 % are for
review and 2 % rejected, and a person has decided about nine of ten of those for review. The application is asked in
its own process, without a network in between, as a browser that is signed in asks. Times are the median and the 95th
percentile over the rounds, each round with other values where a search names one, after one that is not counted.
`--store` keeps the records for another run.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from starlette.testclient import TestClient

from flawline.records import DefectRecord, Record, open_store
from flawline.records.store import Store
from flawline.records.where import Where
from flawline.server.app import server_app
from flawline.server.credentials import digest, new_secret
from flawline.server.settings import ServeSettings
from flawline.server.state import opened_state
from flawline.types import Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS, STATIONS = ("casting", "heat sink", "screw"), ("s1", "s2", "s3", "s4")
LOT, BATCH = 500, 10_000
SHARES: dict[str, float] = {"stain": 0.12, "scratch": 0.01, "crack": 0.0001}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is in the records: how many, from when on, for how long, from which stations."""

    count: int
    start: datetime
    length: timedelta
    stations: Sequence[str]


def main() -> None:
    """Write where there is nothing yet, then ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inspections", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = options.store or Path(folder) / "records.db"
        with open_store(str(path)) as store:
            if store.arrived().last < options.inspections:
                write(store, options.inspections, timedelta(days=options.days))
        known = Drawn(options.inspections, START, timedelta(days=options.days), STATIONS)
        ask(str(path), Path(folder), known, options.rounds)


def write(store: Store, count: int, length: timedelta) -> None:
    """Write the inspections and the decisions."""
    began, batch = time.perf_counter(), []
    for record in drawn(count, length / count):
        batch.append(record)
        if len(batch) == BATCH:
            store.add(batch)
            batch = []
    store.add(batch)
    taken = time.perf_counter() - began
    print(
        f"wrote {count:,} inspections in {taken:.0f} s, {count / taken:,.0f} a second", flush=True
    )
    decide(store)


def decide(store: Store) -> None:
    """Decide about nine of ten parts for review, the oldest first."""
    waiting = Where(verdict=("review",), decided=False)
    numbers, after = [], None
    while True:
        page = store.page(waiting, after=after, count=5000, newest=False)
        numbers += [kept.id for kept in page.items]
        after = page.next
        if after is None:
            break
    now = datetime.now(UTC)
    for number in numbers[: len(numbers) * 9 // 10]:
        store.decide(number, "accept", who="anna", why="only dust", when=now)
    print(f"decided about {len(numbers) * 9 // 10:,} of {len(numbers):,} for review", flush=True)


def drawn(count: int, step: timedelta) -> Iterator[Record]:
    """Inspections in the order of time."""
    random_ = random.Random(0)
    for number in range(count):
        captured = START + number * step
        defects = tuple(
            DefectRecord(
                name,
                (random_.randrange(600), random_.randrange(400), 9, 9),
                {"area": random_.expovariate(0.05), "peak": random_.random(), "p_value": 0.01},
            )
            for name, share in SHARES.items()
            if random_.random() < share
            for _ in range(random_.choice((1, 1, 1, 2, 3)))
        )
        drawn_ = random_.random()
        verdict: Verdict = "reject" if drawn_ < 0.02 else "review" if drawn_ < 0.06 else "accept"
        areas = [float(defect.measures["area"]) for defect in defects]
        yield Record(
            image=f"cam1/{number:08}.png",
            judged=captured,
            verdict=verdict,
            reasons=() if verdict == "accept" else ("score 3.1 is above the limit 2.5",),
            captured=captured,
            picture=random_.randbytes(32).hex(),
            map=random_.randbytes(32).hex(),
            size=(480, 640),
            score=random_.expovariate(1.0) + (1.5 if verdict == "reject" else 0),
            p_value=random_.random(),
            recipe=f"{number * 10 // count:064}",
            part=f"P{number - (number % 10 == 1):09}",
            station=STATIONS[number % 4],
            step="coating",
            product=PRODUCTS[number // 1000 % 3],
            lot=f"L{number // LOT:06}",
            shift=("early", "late", "night")[captured.hour // 8],
            measures={
                "largest_area": max(areas, default=0.0),
                "total_area": sum(areas),
                **{f"brightness_{k}": random_.gauss(100, 3) for k in range(4)},
            },
            defects=defects,
        )


def searches(known: Drawn, random_: random.Random) -> dict[str, tuple[str, dict[str, str]]]:
    """Addresses by what is asked for, with values of this round."""
    number = random_.randrange(known.count)
    since = known.start + random_.random() * 0.9 * known.length
    station = random_.choice(known.stations)
    words = {
        "the page": "",
        "one product": "product:casting",
        "one station": f"station:{station}",
        "one product that is rare": "product:nothing",
        "one lot": f"lot:L{number // LOT:06}",
        "one part": f"part:P{number // 10 * 10:09}",
        "one station, rejected": f"station:{station} verdict:reject",
        "rejected": "verdict:reject",
        "for review, a product": "verdict:review product:screw",
        "since a time": f"since:{since:%Y-%m-%dT%H:%MZ}",
        "a shift, rejected": "shift:night verdict:reject",
        "stains": "stain>0",
        "scratches": "scratch>0",
        "cracks": "crack>0",
        "large stains": "stain.area>150",
        "rejected with a scratch": "verdict:reject scratch>0",
        "a high score": "score>12",
        "a high score of a product": "score>9 product:screw",
        "a small p-value": "p_value<0.00002",
        "many defects": "defects>6",
        "a large area": "largest_area>220",
        "an old recipe": f"recipe:{random_.randrange(10):064}",
    }
    pages = {name: ("/records", {"q": text}) for name, text in words.items()}
    return pages | {
        "the same as a table": ("/records", {"q": "verdict:reject", "view": "table"}),
        "one inspection": (f"/records/{number + 1}", {}),
        "the line": ("/", {}),
        # Another number each time: what was drawn is remembered.
        "all charts": ("/control", {"last": str(random_.randrange(190, 210))}),
        "one chart": ("/control/chart", _chart(random_, "")),
        "one chart, a station": ("/control/chart", _chart(random_, f"station:{station}")),
        "one chart, a lot": ("/control/chart", _chart(random_, f"lot:L{number // LOT:06}")),
    }


def _chart(random_: random.Random, words: str) -> dict[str, str]:
    measure = f"brightness_{random_.randrange(4)}"
    return {"measure": measure, "q": words, "last": str(random_.randrange(150, 250))}


def ask(store: str, folder: Path, known: Drawn, rounds: int) -> None:
    """Ask for every page in every round, and print the times."""
    with opened_state(
        ServeSettings(folder / "server", store=store, hosts=("testserver",))
    ) as state:
        now, secret = datetime.now(UTC), new_secret()
        owner = state.store.accounts.find("bench") or state.store.accounts.add(
            "bench", "admin", now
        )
        state.store.accounts.let_in(owner, "token", digest(secret), now)
        client = TestClient(server_app(state), headers={"Authorization": f"Bearer {secret}"})
        taken: dict[str, list[float]] = {}
        random_ = random.Random(1)
        # The first round loads modules and templates, and is not counted.
        for round_ in range(rounds + 1):
            for name, (address, query) in searches(known, random_).items():
                began = time.perf_counter()
                answer = client.get(address, params=query)
                if round_:
                    taken.setdefault(name, []).append(1000 * (time.perf_counter() - began))
                assert answer.status_code == 200, (name, answer.status_code, answer.text[:300])
    print(f"{'ms':28}{'p50':>8}{'p95':>8}{'worst':>8}   (n = {rounds})")
    for name, times in taken.items():
        half, most = np.percentile(times, [50, 95])
        print(f"{name:28}{half:8.1f}{most:8.1f}{max(times):8.1f}")


if __name__ == "__main__":
    main()
