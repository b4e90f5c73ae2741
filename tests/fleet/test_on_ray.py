"""The fleet on one Ray of this machine, which all these tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flawline.cli.main import run
from flawline.data.source import open_source
from flawline.features.compute import FeatureSettings
from flawline.fleet import inspect as fleet_inspect
from flawline.fleet import spread
from flawline.fleet.cluster import ray_on
from flawline.fleet.inspect import inspect_on_ray
from flawline.inspector import Inspector
from flawline.jobs.rank import rank_by_comparison
from flawline.jobs.rank.rank import rank
from flawline.records import open_store
from flawline.station.inspect_source import inspect_source
from flawline.station.inspection_tables import inspections_frame
from flawline.station.station import Station
from helpers.dying_job import DyingJob

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra [fleet]"),
    # Those of Ray are not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def here() -> Iterator[None]:
    """Ray on this machine with one actor, started once."""
    with pytest.MonkeyPatch.context() as patch:
        # Where an actor finds the job that dies.
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        with ray_on("local", cores=1):
            yield


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "BATCH", 4)


def test_a_killed_worker_loses_and_doubles_nothing(
    here: None,
    pictures: Path,
    inspector: Inspector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    died, job = tmp_path / "died", fleet_inspect.Judging
    monkeypatch.setattr(
        fleet_inspect, "Judging", lambda *a: DyingJob(job(*a), "good/104.png", died)
    )
    with (
        open_source(pictures) as source,
        open_store(str(tmp_path / "records.db")) as records,
        Station(inspector, records=records, keep="none") as station,
    ):
        found = inspect_on_ray(source, station, on="local", folder=tmp_path)
        assert records.count() == 23
    assert died.exists()
    with open_source(pictures) as source, Station(inspector) as station:
        alone = inspections_frame(inspect_source(source, station))
    rows = pl.read_parquet(found.data_set / "part-000000.parquet")
    assert rows["image"].n_unique() == rows.height == found.pictures == 23
    assert rows.drop("key", "code").equals(alone)


def test_the_command_ranks_on_ray_as_in_one_process(
    here: None,
    pictures: Path,
    network: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rank_by_comparison, "reference_limit", lambda width: 12)
    out = tmp_path / "out"
    options = ["--backbone", str(network), "--precision", "f32", "--top-n", "3", "-o", str(out)]
    assert run(["rank", str(pictures), "--on", "local", *options, "--json"]) == 2
    shown = capsys.readouterr().out
    document = json.loads(shown)
    with open_source(pictures) as source:
        alone, _ = rank(source, settings=FeatureSettings(backbone=str(network), precision="f32"))
    top = [(item["image"], item["score"]) for item in document["ranking"]]
    assert top == [(p.sample.name, p.score) for p in alone.pictures[:3]]
    rows = pl.read_parquet(out / "scores" / "part-000000.parquet")
    own = dict(zip(rows["image"], rows["score"].to_numpy(), strict=True))
    assert len(alone.pictures) == 22
    for item in alone.pictures:
        assert np.float32(own[item.sample.name]).tobytes() == np.float32(item.score).tobytes()
    assert not (out / ".unfinished").exists()
