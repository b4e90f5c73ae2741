"""What Ray costs on one machine, and whether a killed machine loses or doubles a picture. Prints figures.

    python benchmarks/fleet.py [PICTURES] [CORES]

Needs the extra [fleet]. PICTURES drawn castings (default 300, 512 px) are inspected by a recipe learnt from 40 others:

1. in one process, streamed over all cores, and with `--on local` on CORES (default 2); both into records, so that both
   measure every defect. Rates are those from the first picture that is done to the last, so that neither Ray's start
   nor the loading of recipes counts; that is told apart. Three times each, in turns.
2. on a cluster of two machines in this one (Ray's own utility for tests), of which one is killed after a third of the
   pictures: rows, different names among them, inspections in the records, and scores that differ from those in one
   process.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from flawline.data.source import open_source
from flawline.fleet.cluster import import_ray, ray_on
from flawline.fleet.inspect import inspect_on_ray
from flawline.inspector import Inspector
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.train_anomaly import train_anomaly
from flawline.records import open_store
from flawline.station.inspect_source import inspect_source
from flawline.station.inspection_tables import inspections_frame
from flawline.station.station import Station
from flawline.synthetic.castings import write_castings

ROUNDS = 3
# Machines of a cluster do not meet on the loopback address.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"


class Clock:
    """A track that takes the times of the first and the last picture, and calls `at` after a number of them."""

    def __init__(self, at: int = 0, call: Callable[[], None] = lambda: None) -> None:
        self.began = time.perf_counter()
        self.first = self.last = 0.0
        self.count, self._at, self._call = 0, at, call

    def __call__(self, items: Iterable[Any], *, title: str, total: int | None) -> Iterator[Any]:
        for item in items:
            self.last = time.perf_counter()
            self.first = self.first or self.last
            self.count += 1
            if self.count == self._at:
                self._call()
            yield item

    @property
    def rate(self) -> float:
        return (self.count - 1) / (self.last - self.first)


def main() -> None:
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    cores = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_castings(work / "learn", good=40, bad=1, seed=1)
        with open_source(work / "learn" / "good") as source:
            settings = AnomalySettings(part="casting", precision="f32", self_test="off")
            inspector = Inspector(train_anomaly(source, settings).recipe)
        bad = pictures // 20
        write_castings(work / "parts", good=pictures - bad, bad=bad, seed=2)
        alone = rates(work, inspector, cores)
        killed(work, inspector, alone)


def rates(work: Path, inspector: Inspector, cores: int) -> pl.DataFrame:
    """Question 1; returns the table of one process."""
    found: dict[str, list[float]] = {"one process": [], "ray": []}
    starts = []
    for turn in range(ROUNDS):
        clock = Clock()
        with (
            open_source(work / "parts") as source,
            open_store(str(work / f"alone {turn}.db")) as records,
            Station(inspector, records=records, keep="none") as station,
        ):
            table = inspections_frame(inspect_source(source, station, track=clock))
        found["one process"].append(clock.rate)
        clock = Clock()
        with (
            ray_on("local", cores=cores),
            open_source(work / "parts") as source,
            open_store(str(work / f"ray {turn}.db")) as records,
            Station(inspector, records=records, keep="none") as station,
        ):
            out = work / f"ray {turn}"
            inspect_on_ray(source, station, on="local", folder=out, track=clock)
        found["ray"].append(clock.rate)
        starts.append(clock.first - clock.began)
        differing(out, table)
    for name, rate in found.items():
        print(
            f"{name}: {statistics.median(rate):.1f} pictures/s, {min(rate):.1f} to {max(rate):.1f}"
        )
    ratios = [ray / one for one, ray in zip(*found.values(), strict=True)]
    print(f"ratio: {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")
    print(f"until the first picture: {statistics.median(starts):.1f} s")
    return table


def killed(work: Path, inspector: Inspector, alone: pl.DataFrame) -> None:
    """Question 2."""
    ray = import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    doomed = cluster.add_node(num_cpus=1)
    ray.init(cluster.address, log_to_driver=False)
    clock = Clock(alone.height // 3, lambda: cluster.remove_node(doomed, allow_graceful=False))
    try:
        with (
            open_source(work / "parts") as source,
            open_store(str(work / "records.db")) as records,
            Station(inspector, records=records, keep="none") as station,
        ):
            out = work / "killed"
            inspect_on_ray(source, station, on="local", folder=out, track=clock)
            recorded = records.count()
    finally:
        ray.shutdown()
        cluster.shutdown()
    rows = pl.read_parquet(sorted((out / "inspections").iterdir()))
    print(
        f"a machine killed after {alone.height // 3} of {alone.height}: {rows.height} rows, "
        f"{rows['image'].n_unique()} names, {recorded} in the records"
    )
    differing(out, alone)


def differing(out: Path, alone: pl.DataFrame) -> None:
    """Print how many scores are not those of one process to the last bit."""
    rows = pl.read_parquet(sorted((out / "inspections").iterdir()))
    both = rows.join(alone, on="image", suffix="_alone")
    count = both.filter(pl.col("score") != pl.col("score_alone")).height
    print(f"{count} of {both.height} scores differ")


if __name__ == "__main__":
    main()
