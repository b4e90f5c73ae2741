"""What version 0.1 wrote opens for ever, and says what it said then (tests/fixtures/v0.1/README.md)."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path

import pytest

from flawline.cli.main import run
from flawline.core.measure.parts import former_count_name
from flawline.recipe import read_recipe, write_recipe
from flawline.specification.parse import parse_spec

OLD = Path(__file__).parent / "fixtures" / "v0.1"
RECIPES = sorted(path.name for path in (OLD / "recipes").iterdir())
# Prose may be worded better, outlines may start elsewhere, and paths and versions are those of the day.
FREE = {
    *("reasons", "notes", "text", "action", "meaning", "basis", "warnings", "contour"),
    *("outline", "flawline", "settings", "described", "maps", "judged", "opencv", "numpy"),
}
NEAR = {"rel_tol": 1e-4, "abs_tol": 1e-4}
WATCH = [
    *("chart", "--store", "line.db", "--measure", "LargestDarkArea", "--label", "part"),
    *("--where", "station=line", "--phase1", "25", "--watch", "--once", "-o", "chart", "-q"),
    *("--alert", "file:alerts.jsonl"),
]


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A copy of the old files, as the working folder."""
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def call(capsys):
    """Runs a command with --json and gives its document."""

    def call(*words, codes=(0, 1)):
        capsys.readouterr()
        code = run([*words, "--json"])
        out, err = capsys.readouterr()
        assert code in codes, out + err
        return json.loads(out)

    return call


def expected(name):
    return json.loads((OLD / "expected" / f"{name}.json").read_text("utf-8"))


def assert_same(was, now, place="document"):
    """Whatever 0.1 said is there and means the same; what came later may stand beside it."""
    if isinstance(was, dict):
        assert isinstance(now, dict), place
        # The number of defects of a class has a new name.
        now = {**{former_count_name(key): value for key, value in now.items()}, **now}
        for key in was.keys() - FREE:
            assert key in now, f"{place}.{key} is gone"
            assert_same(was[key], now[key], f"{place}.{key}")
    elif isinstance(was, list):
        assert isinstance(now, list), place
        assert len(was) == len(now), place
        for index, (one, other) in enumerate(zip(was, now, strict=True)):
            assert_same(one, other, f"{place}[{index}]")
    elif isinstance(was, float):
        assert math.isclose(was, now, **NEAR), f"{place}: {was} was, {now} is"
    else:
        assert was == now, f"{place}: {was!r} was, {now!r} is"


def test_a_difference_is_found():
    was = {"a": [1.0, {"b": "x"}]}
    assert_same(was, {"a": [1.00001, {"b": "x", "c": 2}], "d": 1})
    for now in ({}, {"a": [1.0]}, {"a": [1.01, {"b": "x"}]}, {"a": [1.0, {"b": "y"}]}):
        with pytest.raises(AssertionError):
            assert_same(was, now)


def test_there_is_a_recipe_of_every_kind():
    kinds = [read_recipe(OLD / "recipes" / name).settings for name in RECIPES]
    detectors = [kind.detector.method for kind in kinds if kind.detector]
    assert set(detectors) == {"patch-gaussian", "patch-memory", "fast"}
    assert {kind.alignment.method for kind in kinds if kind.alignment} >= {
        "shift",
        "rigid",
        "polar",
    }
    assert sum(kind.segmenter is not None for kind in kinds) == 3
    assert sum(kind.spec is not None for kind in kinds) == 3
    assert {name.endswith(".flaw") for name in RECIPES} == {True, False}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_the_same_of_the_same_pictures(old, call, name):
    then = expected(f"inspect-{Path(name).stem.removesuffix('-folder')}")
    assert len(then["inspections"]) == 12
    assert {each["verdict"] for each in then["inspections"]} >= {"accept", "reject"}
    options = ["-o", "out", "--overlays", "none", "-q"]
    assert_same(then, call("inspect", f"recipes/{name}", "parts", *options))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_is_written_again_is_the_same_recipe(old, name):
    recipe = read_recipe(old / "recipes" / name)
    again = read_recipe(write_recipe(recipe, old / "again.flaw"))
    assert again.sha256 == recipe.sha256
    assert again.model == recipe.model
    assert again.arrays.keys() == recipe.arrays.keys()


def test_a_detector_learns_on(old, call):
    call("update", "recipes/gaussian.flaw", "parts/good", "-o", "more.flaw", "-q")
    inspected = call("inspect", "more.flaw", "parts", "-o", "out", "--overlays", "none", "-q")
    verdicts = {each["image"]: each["verdict"] for each in inspected["inspections"]}
    good = [verdict for image, verdict in verdicts.items() if image.startswith("good/")]
    assert good == ["accept"] * 6


@pytest.mark.parametrize("kind", ["comparison", "forest"])
def test_a_kept_ranking_scores_the_same(old, call, kind):
    kept = f"rankings/{kind}.flawrank"
    now = call("rank", "parts", "--model", kept, "-o", "out", "-q")
    then = expected(f"rank-{kind}")
    assert len(then["ranking"]) == 12
    assert_same(then, now)


@pytest.mark.parametrize("name", ["logistic", "forest", "boosting", "embedded"])
def test_a_classifier_predicts_the_same(old, call, name):
    applied = call("classify", "parts", "--apply", f"classifiers/{name}.flc", "-o", "out", "-q")
    then = expected(f"classify-{name}")
    assert len(then["predictions"]) == 12
    assert_same(then, applied)


def test_records_hold_the_same_rows(old, call):
    call("records", "export", "line.db", "--format", "csv", "-o", "exported", "-q")
    for table in ("inspections", "defects", "decisions"):
        then = _rows(OLD / "expected" / "records" / f"{table}.csv")
        now = _rows(old / "exported" / f"{table}.csv")
        assert then, table
        assert len(then) == len(now), table
        for was, row in zip(then, now, strict=True):
            assert was == {name: row.get(name) for name in was}


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("number", [33, 34, 40])
def test_a_record_shows_its_defects_measures_and_decisions(old, call, number):
    assert_same(expected(f"records-show-{number}"), call("records", "show", "line.db", str(number)))


def test_records_are_found_by_what_pages_filter_by(old, call):
    everything = call("records", "list", "line.db", "--count", "100")["records"]
    assert len(everything) == 48
    for options, count in (
        (["--where", "station=line"], 36),
        (["--where", "part=P033"], 1),
        (["--verdict", "accept"], sum(each["verdict"] == "accept" for each in everything)),
        (["--undecided"], 46),
        (["--at-least", "defects=1"], sum(len(each["defects"]) > 0 for each in everything)),
        (["--at-least", "count_dark=1"], _having(everything, "dark", 0)),
        (["--at-least", "largest_area_dark=500"], _having(everything, "dark", 500)),
        (["--at-least", "largest_area=500"], _having(everything, "", 500)),
        (["--at-most", "count_dark=0"], 48 - _having(everything, "dark", 0)),
    ):
        found = call("records", "list", "line.db", "--count", "100", *options)
        assert len(found["records"]) == count, options


def _having(records, label, area):
    """How many records have a defect of such a label, at least as large."""
    return sum(
        any(d["class"].startswith(label) and d["measures"]["area"] >= area for d in each["defects"])
        for each in records
    )


def test_records_take_more(old, call):
    """A run with the same pictures is known already; another station's is new; people decide about old ones."""
    options = ["-o", "out", "--overlays", "none", "-q", "--store", "line.db", "--keep", "none"]
    call("inspect", "recipes/gaussian.flaw", "parts", *options, "--set", "station=cell",
         "--set", "product=plate")  # fmt: skip
    assert len(call("records", "list", "line.db", "--count", "100")["records"]) == 48
    call("inspect", "recipes/segmenter.flaw", "parts", *options, "--set", "station=cell")
    assert len(call("records", "list", "line.db", "--count", "100")["records"]) == 60
    words = ["40", "accept", "--who", "Cem", "--why", "a reflection"]
    call("records", "decide", "line.db", *words)
    assert call("records", "show", "line.db", "40")["decisions"][-1]["who"] == "Cem"


def test_a_kept_picture_is_judged_again(old, call):
    """The recipe and the picture come out of the folder that 0.1 kept them in."""
    rejected = call("records", "list", "line.db", "--where", "station=cell", "--verdict", "reject")
    number = rejected["records"][0]["id"]
    assert call("records", "replay", "line.db", str(number), codes=(0,))


def test_alerts_are_known_and_can_be_acknowledged(old, call):
    then = expected("alerts-list")
    assert then["alerts"]
    assert_same(then, call("alerts", "list", "--store", "line.db"))
    key = then["alerts"][0]["key"]
    call("alerts", "acknowledge", key, "--store", "line.db", "--by", "Ben")
    [alert] = [a for a in call("alerts", "list", "--store", "line.db")["alerts"] if a["key"] == key]
    assert alert["acknowledgements"][-1]["who"] == "Ben"


def test_a_watched_chart_goes_on_and_sends_what_it_owes(old, call):
    """Nothing rings twice, and alerts that 0.1 could not deliver arrive, each once."""
    owed = expected("alerts-owed")
    assert owed
    assert call(*WATCH, codes=(0,))["alerts"] == []
    sent = [json.loads(line) for line in Path("alerts.jsonl").read_text("utf-8").splitlines()]
    assert_same(owed, sent)
    call(*WATCH, codes=(0,))
    assert len(Path("alerts.jsonl").read_text("utf-8").splitlines()) == len(owed)


def test_frozen_limits_judge(old, call):
    words = ["--measure", "LargestDarkArea", "--where", "station=line", "--label", "part"]
    chart = call(
        "chart", "--store", "line.db", *words, "--limits", "limits.json", "-o", "out", "-q"
    )
    assert [signal["points"] for signal in chart["signals"]] == [["P033"], ["P034"], ["P035"]]


def test_an_interrupted_run_is_finished(old, call, monkeypatch):
    """Every picture is judged as by the run that was not interrupted, and is in the records once."""
    monkeypatch.chdir("interrupted")
    words = ["inspect", "../recipes/gaussian.flaw", "../parts", "-o", "out", "--store", "run.db"]
    assert_same(
        expected("inspect-gaussian"), call(*words, "--overlays", "none", "--keep", "none", "-q")
    )
    listed = call("records", "list", "run.db", "--count", "100")["records"]
    names = sorted(each["image"] for each in listed)
    assert names == [each["image"] for each in expected("inspect-gaussian")["inspections"]]


def test_what_an_interrupted_run_owed_the_records_gets_there_by_another_run(old, call, monkeypatch):
    """The killed run had judged seven pictures, which the next one does not see."""
    shutil.copytree("parts/good", "others")
    monkeypatch.chdir("interrupted")
    words = ["inspect", "../recipes/gaussian.flaw", "../others", "-o", "out", "--store", "run.db"]
    call(*words, "--overlays", "none", "--keep", "none", "-q")
    listed = call("records", "list", "run.db", "--count", "100")["records"]
    names = {each["image"] for each in listed}
    assert len({name for name in names if name.startswith("bad/")}) == 6


def test_a_specification_is_read(old, call):
    spec = parse_spec(
        Path("spec.toml").read_text("utf-8"), classes=["dark", "bright"], has_scale=True
    )
    assert (spec.name, len(spec.limits)) == ("marks", 2)
