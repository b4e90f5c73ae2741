"""A running station takes another recipe of its file; what is in work is judged by the one before."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest

from flawline.data.frame import Frame
from flawline.errors import FlawlineError, UsageError
from flawline.records import open_store
from flawline.station.answering import AnswerSettings
from flawline.station.recipe_change import RecipeChange
from flawline.station.station import Station
from flawline.station.station_file import read_station_file
from helpers.discs import disc
from helpers.stub_inspector import BrightnessInspector

FILE = """\
recipe = "disc.flaw"
[recipes]
discs = "disc.flaw"
damaged = "damaged.flaw"
{more}
[[feeds]]
folder = "in"
"""


class Named(BrightnessInspector):
    def inspect(self, picture, **more):
        return super().inspect(picture)


def plain(level):
    return np.full((8, 16, 3), level, np.uint8)


def planned(place, more=""):
    file = place / "station.toml"
    file.write_text(FILE.format(more=more), "utf-8")
    return read_station_file(file, {})


def test_what_is_in_work_is_recorded_under_the_recipe_before(tmp_path):
    begun, go = threading.Event(), threading.Event()

    class Slow(Named):
        def inspect(self, picture, **more):
            begun.set()
            assert go.wait(90)
            return super().inspect(picture)

    answers = []
    with open_store(str(tmp_path / "line.db")) as store:
        with Station(
            Slow(name="1"),
            records=store,
            keep="none",
            answers=AnswerSettings(),
            answer=answers.append,
        ) as station:
            first = threading.Thread(target=station.inspect, args=(Frame(plain(1), "first"),))
            first.start()
            assert begun.wait(90)
            station.use(Named(name="2"))
            station.inspect(Frame(plain(2), "second"))
            go.set()
            first.join(90)
        rows = {one.record.image: one.record.recipe for one in store.page(count=10).items}
    assert rows == {"first": "1" * 64, "second": "2" * 64}
    assert answers[0].recipe == "2" * 64


def test_a_recipe_is_chosen_by_name_and_one_that_cannot_be_used_is_not(tmp_path, disc_recipe):
    shutil.copy(disc_recipe, tmp_path / "disc.flaw")
    (tmp_path / "damaged.flaw").write_bytes(b"no recipe")
    said = []
    change = RecipeChange(planned(tmp_path), said.append)
    assert change.used == "discs"
    with pytest.raises(UsageError, match="the station begins"):
        change.choose("discs")
    with Station(Named()) as station:
        change.station = station
        with pytest.raises(FlawlineError):
            change.choose("damaged")
        assert station.inspector.recipe.sha256 == "1" * 64
        identity = change.choose("discs")
        assert station.inspector.recipe.sha256 == identity != "1" * 64
        assert station.inspect(Frame(disc(1), "a")).recipe == identity
    assert said == ["the recipe discs is in use, as a client asked"]


def test_recipes_of_the_file_are_paths_beside_it(tmp_path):
    plan = planned(tmp_path)
    assert plan.recipes == {name: tmp_path / f"{name}.flaw" for name in ("damaged",)} | {
        "discs": tmp_path / "disc.flaw"
    }


@pytest.mark.parametrize("more", ["x = 3", 'x = ""', '"" = "a.flaw"', '"a\\nb" = "a.flaw"'])
def test_names_and_paths_that_cannot_be_meant(tmp_path, more):
    with pytest.raises(UsageError, match="recipes"):
        planned(tmp_path, more)
