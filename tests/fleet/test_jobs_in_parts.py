"""The jobs of the fleet with actors in this process: parts, records, and runs that go on."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flawline.data.archive import ArchiveLimits
from flawline.data.opening import Opening
from flawline.data.source import open_source
from flawline.errors import DependencyError, FlawlineError, ModelError, SourceError, UsageError
from flawline.features.compute import FeatureSettings, compute_features
from flawline.fleet import evaluate as fleet_evaluate
from flawline.fleet import features as fleet_features
from flawline.fleet import inspect as fleet_inspect
from flawline.fleet import parts
from flawline.fleet import rank as fleet_rank
from flawline.fleet.drawn_names import drawn_samples
from flawline.fleet.features import features_on_ray
from flawline.fleet.inspect import FleetInspection, inspect_on_ray
from flawline.fleet.inspecting import Judging, packed
from flawline.fleet.rank import rank_on_ray
from flawline.fleet.spread import Job, Worker, batch_text, results_of
from flawline.inspector import Inspector
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.evaluate.judging import look_at
from flawline.jobs.rank import rank_by_comparison
from flawline.jobs.rank.rank import rank
from flawline.jobs.rank.rank_by_comparison import choose_references
from flawline.records import open_store
from flawline.records.pictures import FolderPictures
from flawline.station.inspect_source import inspect_source
from flawline.station.station import Station
from flawline.types import Sample

PART = 8


class Killed(BaseException):
    """The driver dies."""


class Actors:
    """Actors in this process: batches of three, counted, and the driver dies after some results."""

    def __init__(self) -> None:
        self.judged: list[str] = []
        self.dies_after: int | None = None

    def spread(
        self, job: Job, samples: Sequence[Sample], *, batch: int | None = None
    ) -> Iterator[Any]:
        with ExitStack() as stack:
            work = job.open(stack)
            for start in range(0, len(samples), 3):
                few = samples[start : start + 3]
                self.judged += [sample.name for sample in few]
                for result in work(few):
                    if self.dies_after == 0:
                        raise Killed
                    self.dies_after = None if self.dies_after is None else self.dies_after - 1
                    yield result


@contextmanager
def nowhere(on: str) -> Iterator[None]:
    yield


@pytest.fixture
def actors(monkeypatch: pytest.MonkeyPatch) -> Actors:
    found = Actors()
    monkeypatch.setattr(parts, "spread", found.spread)
    monkeypatch.setattr(parts, "PART", PART)
    monkeypatch.setattr(fleet_evaluate, "spread", found.spread)
    for module in (fleet_inspect, fleet_rank, fleet_features, fleet_evaluate):
        monkeypatch.setattr(module, "ray_on", nowhere)
    return found


def inspect(
    pictures: Path, inspector: Inspector, folder: Path, store: Path | None = None
) -> FleetInspection:
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        source = stack.enter_context(open_source(pictures))
        records = None if store is None else stack.enter_context(open_store(str(store)))
        place = None if store is None else FolderPictures(store.with_suffix(".kept"))
        station = Station(
            inspector, records=records, pictures=place, spool=folder / "spool" if store else None
        )
        return inspect_on_ray(source, stack.enter_context(station), on="local", folder=folder)


def rows_of(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted(folder.glob("*.parquet")))


def test_verdicts_and_scores_are_those_of_one_process_to_the_last_bit(
    pictures: Path, inspector: Inspector, tmp_path: Path, actors: Actors
) -> None:
    found = inspect(pictures, inspector, tmp_path / "out")
    with open_source(pictures) as source, Station(inspector) as station:
        alone = inspect_source(source, station)
    rows = rows_of(tmp_path / "out" / "inspections")
    assert (rows.height, found.pictures, found.parts) == (23, 23, 3)
    assert found.counts == alone.counts
    assert (found.exit_code, found.told) == (2, alone.unjudged)
    own = {row["image"]: row for row in rows.iter_rows(named=True)}
    for item in alone.inspections:
        row = own[item.sample.name]
        assert np.float64(row["score"]).tobytes() == np.float64(item.inspection.score).tobytes()
        assert (row["verdict"], row["p_value"]) == (
            item.inspection.verdict,
            item.inspection.p_value,
        )
        assert row["reasons"] == "; ".join(item.inspection.reasons)
        assert row["recipe"] == inspector.recipe.sha256
    missed = own["bad/7.png"]
    assert (missed["verdict"], missed["code"]) == (None, alone.unjudged[0].code)
    assert "no picture" in missed["reasons"] or "got" in missed["reasons"]


def test_parts_have_the_same_bytes_each_time(
    pictures: Path, inspector: Inspector, tmp_path: Path, actors: Actors
) -> None:
    for name in ("one", "two"):
        inspect(pictures, inspector, tmp_path / name)
    one, two = (sorted((tmp_path / name / "inspections").iterdir()) for name in ("one", "two"))
    assert [path.name for path in one] == [f"part-00000{n}.parquet" for n in range(3)]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize("dies_after", [0, 5, 8, 13])
def test_a_killed_run_goes_on_and_records_have_each_picture_once(
    pictures: Path, inspector: Inspector, tmp_path: Path, actors: Actors, dies_after: int
) -> None:
    actors.dies_after = dies_after
    with pytest.raises(Killed):
        inspect(pictures, inspector, tmp_path / "out", tmp_path / "records.db")
    done = set(actors.judged[:dies_after])
    actors.judged.clear()
    actors.dies_after = None
    found = inspect(pictures, inspector, tmp_path / "out", tmp_path / "records.db")
    assert found.resumed == dies_after
    assert not done & set(actors.judged)
    assert len(actors.judged) == 23 - dies_after
    rows = rows_of(tmp_path / "out" / "inspections")
    assert rows["image"].n_unique() == rows.height == 23
    with open_store(str(tmp_path / "records.db")) as records:
        assert records.count() == 23
    kept = [path for path in (tmp_path / "records.kept").rglob("*") if path.is_file()]
    flagged = found.counts["review"] + found.counts["reject"]
    assert flagged > 0
    assert len(kept) == 2 * flagged + 1  # picture and map of each, and the recipe


def test_records_know_pictures_that_another_run_inspected(
    pictures: Path, inspector: Inspector, tmp_path: Path, actors: Actors
) -> None:
    store = tmp_path / "records.db"
    inspect(pictures, inspector, tmp_path / "one", store)
    inspect(pictures, inspector, tmp_path / "two", store)
    with open_store(str(store)) as records:
        assert records.count() == 23


def test_a_smaller_source_leaves_no_part_of_a_larger_one(
    pictures: Path, inspector: Inspector, tmp_path: Path, actors: Actors
) -> None:
    inspect(pictures, inspector, tmp_path / "out")
    (tmp_path / "out" / ".unfinished").unlink()
    inspect(pictures / "bad", inspector, tmp_path / "out")
    assert rows_of(tmp_path / "out" / "inspections").height == 6


def test_scores_of_a_ranking_are_those_of_one_process_to_the_last_bit(
    pictures: Path,
    network: Path,
    tmp_path: Path,
    actors: Actors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rank_by_comparison, "reference_limit", lambda width: 10)
    settings = FeatureSettings(backbone=str(network), precision="f32")
    with open_source(pictures) as source:
        found, saved = rank_on_ray(
            source, on="local", folder=tmp_path, settings=settings, top_n=3, seed=4
        )
        alone, fitted = rank(source, settings=settings, top_n=3, seed=4)
        again, _ = rank_on_ray(source, on="local", folder=tmp_path / "again", saved=saved, top_n=3)
    rows = rows_of(tmp_path / "scores")
    own = dict(zip(rows["image"], rows["score"].to_numpy(), strict=True))
    assert len(alone.pictures) == 22
    assert len(actors.judged) == 23 - 10 + 23
    for item in alone.pictures:
        assert np.float32(own[item.sample.name]).tobytes() == np.float32(item.score).tobytes()
    assert [name for name, _, _ in found.top] == [p.sample.name for p in alone.pictures[:3]]
    assert (found.unjudged, found.exit_code) == (1, 2)
    assert rows.filter(pl.col("image") == "bad/7.png")["code"].item() == found.told[0].code
    assert saved.described == fitted.described
    assert again.pictures == 23


def test_features_are_those_of_one_process_to_the_last_bit(
    pictures: Path, network: Path, tmp_path: Path, actors: Actors
) -> None:
    settings = FeatureSettings(
        ("level_histogram", "embedding"), backbone=str(network), precision="f32"
    )
    with open_source(pictures) as source:
        found = features_on_ray(source, on="local", folder=tmp_path, settings=settings)
        alone = compute_features(source, settings)
    rows = rows_of(tmp_path / "features")
    judged = rows.filter(pl.col("code").is_null())
    assert (found.pictures, found.unjudged, found.exit_code, rows.height) == (23, 1, 2, 23)
    assert tuple(judged["image"]) == tuple(sample.name for sample in alone.table.samples)
    names = [column.name for column in alone.table.columns]
    assert judged.select(names).to_numpy().tobytes("C") == alone.table.values.tobytes()
    missed = rows.filter(pl.col("code").is_not_null())
    assert missed.select(names).null_count().row(0) == (1,) * len(names)


def test_an_evaluation_has_the_figures_of_one_process(
    pictures: Path, inspector: Inspector, actors: Actors
) -> None:
    with open_source(pictures) as source:
        with fleet_evaluate.looking_on("local", source, inspector) as look:
            found = evaluate(source, inspector, look=look)
        alone = evaluate(source, inspector)
    assert len(actors.judged) == 23
    assert [p.score for p in found.pictures] == [p.score for p in alone.pictures]
    assert len(found.pictures) == 22
    assert (found.unjudged, found.exit_code) == (alone.unjudged, alone.exit_code)
    for name in ("auroc", "rates", "labels", "promises", "pixels"):
        assert getattr(found, name) == getattr(alone, name), name


def test_what_a_worker_gives_travels_whole(pictures: Path, inspector: Inspector) -> None:
    with open_source(pictures) as source:
        assert source.opening is not None
        samples = [s for s in source.samples() if s.name.startswith("good")][:3]
        job = fleet_evaluate.Looking(packed(inspector.recipe), "f32", source.opening, False)
        whole = results_of(Worker(pickle.dumps(job)).answer(batch_text(samples)))
        alone = [found for _, found in source_look(source, samples, inspector)]
    assert len(alone) == 3
    for (one, notes), other in zip(whole, alone, strict=True):
        assert notes == ()
        assert one.inspection.as_dict() == other.inspection.as_dict()
        assert one.inspection.map.tobytes() == other.inspection.map.tobytes()


def source_look(source: Any, samples: Sequence[Sample], inspector: Inspector) -> Any:
    return look_at(source, samples, inspector, classes=False, noted=lambda name, notes: None)


def test_references_are_drawn_as_from_a_list(tmp_path: Path) -> None:
    samples = [Sample(name) for name in ("b", "a/1", "A", "ü", "ß", "10", "2", "a")]
    ordered = sorted(samples, key=lambda sample: sample.name)
    for limit in (3, 5, 8, 20):
        assert drawn_samples(samples, 7, limit) == choose_references(ordered, 7, limit)


def test_what_cannot_be_spread_is_refused(
    inspector: Inspector, tmp_path: Path, actors: Actors
) -> None:
    array = np.zeros((96, 96, 3), np.uint8)
    with open_source([array, array]) as source, Station(inspector) as station:
        with pytest.raises(UsageError, match="in memory"):
            inspect_on_ray(source, station, on="local", folder=tmp_path)
        with pytest.raises(UsageError, match="in memory"):
            rank_on_ray(source, on="local", folder=tmp_path)
    with pytest.raises(FlawlineError, match="'somewhere'") as caught, fleet_cluster_on("somewhere"):
        pass
    assert "ray://HOST:PORT" in caught.value.message


def fleet_cluster_on(on: str) -> Any:
    from flawline.fleet.cluster import ray_on

    return ray_on(on)


def test_an_error_of_an_actor_arrives_as_it_is(tmp_path: Path) -> None:
    with open_source({"a": np.zeros((8, 8, 3), np.uint8)}) as source:
        image_limits = source.image_limits
    opening = Opening(str(tmp_path), ArchiveLimits(), image_limits)
    worker = Worker(pickle.dumps(Judging(b"no recipe", "f32", opening, "none")))
    with pytest.raises(ModelError, match="expected a recipe") as caught:
        results_of(worker.answer(batch_text([Sample("a", metadata={"lot": "7"})])))
    assert caught.value.code == "recipe-damaged"


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DependencyError) as caught, fleet_cluster_on("local"):
        pass
    assert "[fleet]" in caught.value.hint


def test_nothing_that_can_be_judged_is_an_error(
    inspector: Inspector, tmp_path: Path, actors: Actors
) -> None:
    folder = tmp_path / "torn"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"x")
    with pytest.raises(SourceError, match="none of the 1 pictures"):
        inspect(folder, inspector, tmp_path / "out")
    assert rows_of(tmp_path / "out" / "inspections").height == 1
