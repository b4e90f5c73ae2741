"""Inspecting into records: everything once, through interruptions, full disks and unavailable databases."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from flawline.cli.main import run
from flawline.data.array_file import npy_array
from flawline.data.source import open_source
from flawline.errors import ManifestError, UsageError
from flawline.inspector import Inspector
from flawline.recipe import write_recipe
from flawline.records import StoreError, open_store
from flawline.records.pictures import open_pictures
from flawline.station.inspect_source import inspect_source
from flawline.station.inspection_tables import run_as_dict
from flawline.station.station import Station
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=20), network).recipe


@pytest.fixture
def mixed(tmp_path):
    """Eight good and three bad parts that training has not seen."""
    return write_discs(tmp_path / "mixed", good=8, bad=3, first=100)


@contextmanager
def keeping(recipe, folder, which="all", *, pictures=None, **constant):
    """A station whose records are in a folder."""
    with (
        open_store(str(folder / "r.db")) as store,
        Station(
            Inspector(recipe),
            records=store,
            pictures=pictures or open_pictures(folder / "pictures"),
            keep=which,
            constant=constant,
            spool=folder / "spool",
        ) as station,
    ):
        yield station


def inspect(location, station, **options):
    with open_source(location) as source:
        return inspect_source(source, station, **options)


def records(folder):
    with open_store(str(folder / "r.db"), create=False) as store:
        return [kept.record for kept in store.page(count=1000, newest=False).items]


def test_every_picture_becomes_a_record(mixed, recipe, tmp_path):
    (mixed / "good" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    (mixed / "good" / "empty.png").touch()
    with keeping(recipe, tmp_path, station="s1") as kept:
        done = inspect(mixed, kept)
    found = {record.image: record for record in records(tmp_path)}
    assert set(found) == {i.sample.name for i in done.inspections} | {
        "good/cut.png",
        "good/empty.png",
    }
    pictures = open_pictures(tmp_path / "pictures")
    for item in done.inspections:
        record, row = found[item.sample.name], item.inspection.as_dict()
        assert (record.verdict, record.score, record.p_value) == (
            row["verdict"],
            row["score"],
            row["p_value"],
        )
        assert (list(record.reasons), record.recipe) == (row["reasons"], recipe.sha256)
        assert [d.box for d in record.defects] == [tuple(d["box"]) for d in row["defects"]]
        inspection = Inspector(recipe).inspect(mixed / item.sample.name)
        assert [d.measures["area"] for d in record.defects] == [r.area for r in inspection.regions]
        assert record.measures["total_area"] == sum(r.area for r in inspection.regions)
        assert pictures.get(record.picture) == (mixed / item.sample.name).read_bytes()
        assert npy_array(pictures.get(record.map)).max() == pytest.approx(record.score, rel=1)
        assert (record.station, record.further) == ("s1", {"label": item.sample.label})
    cut, empty = found["good/cut.png"], found["good/empty.png"]
    assert (cut.verdict, empty.verdict) == (None, None)
    assert "could not be judged" in cut.reasons[0]
    with pytest.raises(StoreError, match="there is no file"):
        pictures.get(cut.picture)
    assert empty.picture is None


def test_the_same_results_come_out_with_and_without_records(mixed, recipe, tmp_path):
    with Station(Inspector(recipe)) as forgetful:
        plain = inspect(mixed, forgetful)
    with keeping(recipe, tmp_path) as kept:
        assert run_as_dict(inspect(mixed, kept)) == run_as_dict(plain)
    with keeping(recipe, tmp_path) as kept:
        inspect(mixed, kept)
    assert (kept.added.new, kept.added.known) == (0, 11)
    assert len(records(tmp_path)) == 11


@pytest.mark.parametrize(("which", "count"), [("none", 0), ("all", 11)])
def test_pictures_are_kept_as_asked_for(mixed, recipe, tmp_path, which, count):
    with keeping(recipe, tmp_path, which) as kept:
        inspect(mixed, kept)
    files = [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
    # A picture and its map each, and once the recipe.
    assert len(files) == 2 * count + (count > 0)
    assert sum(record.map is not None for record in records(tmp_path)) == count


def test_flagged_pictures_are_those_not_accepted(mixed, recipe, tmp_path):
    with keeping(recipe, tmp_path, "flagged") as kept:
        inspect(mixed, kept)
    pictures = open_pictures(tmp_path / "pictures")
    assert {"accept", "reject"} <= {record.verdict for record in records(tmp_path)}
    for record in records(tmp_path):
        if record.verdict == "accept":
            assert record.map is None
            with pytest.raises(StoreError):
                pictures.get(record.picture)
        else:
            assert pictures.get(record.picture)


@pytest.mark.parametrize("stop", [0, 1, 4, 10])
def test_an_interrupted_run_goes_on_and_keeps_everything_once(mixed, recipe, tmp_path, stop):
    def track(items, *, title, total):
        for place, item in enumerate(items):
            if place == stop:
                raise KeyboardInterrupt
            yield item

    (tmp_path / "whole").mkdir()
    with keeping(recipe, tmp_path / "whole") as kept:
        inspect(mixed, kept)
    options = {"unfinished": tmp_path / "journal"}
    with pytest.raises(KeyboardInterrupt), keeping(recipe, tmp_path) as kept:
        inspect(mixed, kept, track=track, **options)
    with keeping(recipe, tmp_path) as kept:
        assert inspect(mixed, kept, **options).resumed == stop
    when = records(tmp_path)[0].judged
    timeless = [
        [replace(r, judged=when) for r in records(f)] for f in (tmp_path, tmp_path / "whole")
    ]
    by_name = [sorted(some, key=lambda record: record.image) for some in timeless]
    assert by_name[0] == by_name[1]


def test_the_manifest_tells_lots_and_times(recipe, tmp_path):
    for index in range(3):
        write(tmp_path / "p" / f"{index}.png", disc(index))
    (tmp_path / "p" / "s.csv").write_text(
        "image,group,lot,captured,weather\n0.png,A,7,2026-03-01T06:00:00Z,fine\n"
        "1.png,B,8,2026-03-01T08:00:01+02:00,\n2.png,C,8,,\n"
    )
    with keeping(recipe, tmp_path, "none", lot="0", tool="t") as kept:
        inspect(tmp_path / "p" / "s.csv", kept)
    found = {record.image: record for record in records(tmp_path)}
    first, second, third = (found[f"{index}.png"] for index in range(3))
    assert (first.part, first.lot, first.tool, second.lot) == ("A", "7", "t", "8")
    assert (second.captured - first.captured).total_seconds() == 1
    assert third.captured is None
    assert first.further == {"weather": "fine"}
    (tmp_path / "p" / "s.csv").write_text("image,captured\n0.png,2026-03-01 06:00\n")
    with keeping(recipe, tmp_path) as kept, pytest.raises(ManifestError, match=r"0\.png.*zone"):
        inspect(tmp_path / "p" / "s.csv", kept)


def test_a_place_that_is_full_ends_the_run_and_costs_no_verdict(mixed, recipe, tmp_path):
    class Full:
        def put(self, data):
            raise StoreError("full", code="store-full")

    options = {"unfinished": tmp_path / "journal"}
    with keeping(recipe, tmp_path):
        pass  # which keeps the recipe
    with (
        pytest.raises(StoreError),
        keeping(recipe, tmp_path, pictures=Full()) as kept,
    ):
        inspect(mixed, kept, **options)
    with keeping(recipe, tmp_path) as kept:
        done = inspect(mixed, kept, **options)
    assert not done.unjudged
    assert len(records(tmp_path)) == 11


@pytest.mark.parametrize(
    "wrong", [{"keep": "some"}, {"constant": {"lott": "1"}}, {"pictures": None}]
)
def test_wrong_choices_are_refused(recipe, tmp_path, wrong):
    right = {"keep": "all", "constant": {"lot": "1"}, "pictures": open_pictures(tmp_path)}
    with open_store(str(tmp_path / "r.db")) as store:
        Station(Inspector(recipe), records=store, **right).close()
        with pytest.raises(UsageError):
            Station(Inspector(recipe), records=store, **{**right, **wrong})


def test_from_pictures_to_records_to_a_chart_and_back(mixed, recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_recipe(recipe, tmp_path / "r.flaw")
    command = ["inspect", "r.flaw", "mixed", "--store", "line.db", "--keep", "all"]
    assert run([*command, "--set", "lot=L1"]) == 1
    assert "records: 11 new, 0 known before, in line.db" in capsys.readouterr().err
    assert run([*command, "--set", "lot=L1"]) == 1
    assert "records: 0 new, 11 known before" in capsys.readouterr().err
    assert not list(tmp_path.glob("flawline-inspection/.un*"))
    assert run(["records", "replay", "line.db", "1"]) == 0
    assert run(["records", "list", "line.db", "--where", "lot=L1", "--count", "99", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])["records"]
    assert len(listed) == 11
    assert (
        run(["chart", "--store", "line.db", "--measure", "score", "--label", "image", "--json"]) < 2
    )
    charted = json.loads(capsys.readouterr().out.splitlines()[-1])
    scores = sorted(item["score"] for item in listed)
    assert sorted(charted["panels"][0]["values"]) == pytest.approx(scores)
    assert run(["chart", "--measure", "score"]) == 2
    assert run(["chart", "x.csv", "--store", "line.db", "--measure", "score"]) == 2
    assert run(["inspect", "r.flaw", "mixed", "--set", "lot=1"]) == 2
    assert run(["inspect", "r.flaw", "mixed", "--keep", "all"]) == 2
    assert run(["inspect", "r.flaw", "mixed", "--store", "line.db", "--keep", "some"]) == 2


def test_copies_of_one_picture_are_one_inspection(recipe, tmp_path):
    data = write(tmp_path / "p" / "a.png", spoilt(1)).read_bytes()
    shutil.copy(tmp_path / "p" / "a.png", tmp_path / "p" / "b.png")
    with keeping(recipe, tmp_path) as kept:
        assert len(inspect(tmp_path / "p", kept).inspections) == 2
    (record,) = records(tmp_path)
    assert record.picture == hashlib.sha256(data).hexdigest()
    assert np.isfinite(record.score)
