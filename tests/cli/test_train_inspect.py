"""`flawline train anomaly`, `flawline inspect` and `flawline update` as a user runs them."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile

import polars as pl
import pytest

from flawline.cli.main import run
from flawline.recipe import read_recipe, thresholds_of, write_recipe
from helpers.discs import disc, spoilt, write, write_discs
from helpers.networks import write_network

HOSTILE = [
    "\x1b]0;owned\x07\x1b[2J.png",
    "<script>alert(1)<script>.png",
    "=cmd|' '!A0.png",
    "a\nrejected: nothing.png",
    "\u202egnp.exe.png",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A network, parts to train on, a recipe, and parts to inspect."""
    root = tmp_path_factory.mktemp("shop")
    write_network(root / "small.onnx")
    write_discs(root / "parts", good=30, bad=2)
    assert run([*train_arguments(root), "-o", str(root / "disc.flaw"), "-q"]) == 0
    write_discs(root / "new", good=6, bad=2, first=100)
    return root


def train_arguments(root, source="parts"):
    return [
        "train",
        "anomaly",
        str(root / source),
        "--backbone",
        str(root / "small.onnx"),
        "--window",
        "64",
        "--precision",
        "f32",
        "--held-out",
        "0.3",
        "--effort",
        "none",
        "--self-test",
        "off",
    ]


def json_of(capsys):
    out = capsys.readouterr().out
    assert "NaN" not in out
    return json.loads(out)


def inspect(shop, tmp_path, source, *options):
    return run(["inspect", str(shop / "disc.flaw"), str(source), "-o", str(tmp_path), *options])


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_training_writes_a_recipe_and_a_report_and_says_what_it_can_promise(shop, tmp_path, capsys):
    out = tmp_path / "new" / "disc.flaw"
    assert run([*train_arguments(shop), "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert "21 good pictures of 21 parts to learn from" in said.out
    assert "9 good pictures of 9 parts held out for calibration" in said.out
    assert "95 % confidence, n = 9" in said.out
    assert "wrote" in said.err
    assert {path.name for path in out.parent.iterdir()} == {"disc.flaw", "disc.html"}
    assert out.read_bytes() == (shop / "disc.flaw").read_bytes()
    assert read_recipe(out).settings.part == "parts"


def test_the_json_of_training(shop, tmp_path, capsys):
    assert run([*train_arguments(shop), "-o", str(tmp_path / "disc"), "--json"]) == 0
    document = json_of(capsys)
    recipe = read_recipe(tmp_path / "disc")
    assert document["sha256"] == recipe.sha256
    limit = recipe.settings.threshold
    assert document["threshold"] == {
        "review": limit.review,
        "reject": limit.reject,
        "region": limit.region,
        "basis": limit.basis,
    }
    assert len(document["held_out"]["good"]) == 9
    assert len(document["held_out"]["bad"]) == 2
    assert document["unjudged"] == []
    # Noise lets one of these discs stand out.
    assert [item["image"] for item in document["set_aside"]] == ["good/21.png"]
    assert document["set_aside"][0]["reason"]
    assert document["metrics"]["calibration"]["parts"] == 9


def test_training_lists_what_it_could_not_read(shop, tmp_path, capsys):
    write_discs(tmp_path / "parts", good=5)
    (tmp_path / "parts" / "good" / "cut.png").write_bytes(b"cut")
    arguments = [*train_arguments(tmp_path), "-o", str(tmp_path / "a.flaw"), "--json"]
    arguments[arguments.index("--backbone") + 1] = str(shop / "small.onnx")
    assert run(arguments) == 2
    assert [item["image"] for item in json_of(capsys)["unjudged"]] == ["good/cut.png"]
    assert read_recipe(tmp_path / "a.flaw")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--overkill", "0.01"], "calibration-too-few"),
        (["--method", "padim"], "usage"),
        (["--window", "big"], "usage"),
        (["--roi", "0,0 1,1"], "usage"),
        (["--min-defect", "0.3 mm"], "usage"),
        (["--light", "sun"], "usage"),
        (["--align", "somehow"], "usage"),
        (["--cost-escape", "5"], "usage"),
        (["--backbone", "nothing.onnx"], "model-missing"),
        (["--held-out", "0"], "usage"),
        (["--roi-mask", "nothing.png"], "system"),
    ],
)
def test_errors_have_a_code_and_leave_no_recipe(options, code, shop, tmp_path, capsys):
    out = tmp_path / "disc.flaw"
    assert run([*train_arguments(shop), "-o", str(out), "--json", *options]) == 2
    error = json_of(capsys)["error"]
    assert error["code"] == code
    assert error["message"]
    assert not out.exists()


def test_the_json_of_inspecting(shop, tmp_path, capsys):
    assert inspect(shop, tmp_path, shop / "new", "--json") == 1
    document = json_of(capsys)
    assert [item["image"] for item in document["inspections"]] == [
        *(f"bad/{i}.png" for i in (100, 101)),
        *(f"good/{i}.png" for i in range(100, 106)),
    ]
    limit = read_recipe(shop / "disc.flaw").settings.threshold
    for item in document["inspections"]:
        assert item.keys() >= {
            "image",
            "label",
            "score",
            "p_value",
            "verdict",
            "reasons",
            "defects",
        }
        assert 0 < item["p_value"] <= 1
        assert item["reasons"]
        assert (item["verdict"] == "accept") == (item["score"] <= limit.review)
        for defect in item["defects"]:
            assert len(defect["box"]) == 4
            assert defect["peak"] > limit.region
    assert document["unjudged"] == []
    assert sum(document["counts"].values()) == 8
    assert document["recipe"] == read_recipe(shop / "disc.flaw").sha256


def test_inspecting_writes_tables_overlays_and_a_report(shop, tmp_path, capsys):
    assert inspect(shop, tmp_path, shop / "new") == 1
    said = capsys.readouterr()
    assert "8 pictures: " in said.out
    assert "bad/100.png" in said.out
    written = files(tmp_path)
    assert {
        "inspections.csv",
        "inspections.parquet",
        "inspections.jsonl",
        "report.html",
        "overlays/bad/100.png.jpg",
        "overlays/bad/101.png.jpg",
    } <= set(written)
    assert ".unfinished" not in written
    with (tmp_path / "inspections.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == pl.read_parquet(tmp_path / "inspections.parquet")[
        "image"
    ].to_list()


def test_all_accepted_is_exit_code_0_and_an_unreadable_picture_2(shop, tmp_path, capsys):
    write(tmp_path / "fine" / "a.png", disc(3))
    assert inspect(shop, tmp_path / "out", tmp_path / "fine", "--overlays", "none") == 0
    assert not (tmp_path / "out" / "overlays").exists()
    (tmp_path / "fine" / "page.jpg").write_text("<html>not found</html>")
    capsys.readouterr()
    assert inspect(shop, tmp_path / "out", tmp_path / "fine", "--json") == 2
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert [item["image"] for item in document["unjudged"]] == ["page.jpg"]
    assert document["unjudged"][0]["reason"]
    assert [item["image"] for item in document["inspections"]] == ["a.png"]
    assert "could not be judged: page.jpg" in said.err


def test_a_zip_is_judged_like_the_folder(shop, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        for path in sorted((shop / "new").rglob("*.png")):
            archive.write(path, path.relative_to(shop / "new"))
    outputs = []
    for place, source in enumerate((shop / "new", tmp_path / "new.zip")):
        assert inspect(shop, tmp_path / str(place), source, "--overlays", "all", "-q") == 1
        outputs.append(files(tmp_path / str(place)))
    one, two = outputs
    assert one.keys() == two.keys()
    for name in one:
        assert one[name] == two[name].replace(b"new.zip", b"new"), name
    assert run([*train_arguments(shop), "-o", str(tmp_path / "a.flaw"), "-q"]) == 0
    archive_of_parts = shutil.make_archive(str(tmp_path / "parts"), "zip", shop / "parts")
    arguments = train_arguments(shop)
    arguments[2] = archive_of_parts
    assert run([*arguments, "-o", str(tmp_path / "b.flaw"), "-q"]) == 0
    assert (tmp_path / "a.flaw").read_bytes() == (tmp_path / "b.flaw").read_bytes()


def test_an_interrupted_inspection_goes_on(shop, tmp_path, monkeypatch, capsys):
    class Interrupted:
        def __init__(self, *, quiet):
            pass

        def __call__(self, items, *, title, total):
            for place, item in enumerate(items):
                if place == 3:
                    raise KeyboardInterrupt
                yield item

    whole, out = tmp_path / "whole", tmp_path / "out"
    options = ["--overlays", "all"]
    assert inspect(shop, whole, shop / "new", *options) == 1
    with monkeypatch.context() as patch:
        patch.setattr("flawline.cli.inspect.ProgressBar", Interrupted)
        capsys.readouterr()
        assert inspect(shop, out, shop / "new", *options) == 130
        assert "run the same command again" in capsys.readouterr().err
    assert (out / ".unfinished").is_file()
    assert inspect(shop, out, shop / "new", *options) == 1
    assert "3 pictures were judged before" in capsys.readouterr().err
    assert files(out) == files(whole)


def test_a_recipe_without_thresholds_is_an_error(shop, tmp_path, capsys):
    write_recipe(read_recipe(shop / "disc.flaw"), tmp_path / "bare")
    text = (tmp_path / "bare" / "recipe.toml").read_text(encoding="utf-8")
    before, _, after = text.partition("[threshold]")
    _, _, rest = after.partition("\n[")
    (tmp_path / "bare" / "recipe.toml").write_text(before + (f"[{rest}" if rest else ""))
    code = run(
        ["inspect", str(tmp_path / "bare"), str(shop / "new"), "-o", str(tmp_path / "o"), "--json"]
    )
    assert code == 2
    assert json_of(capsys)["error"]["code"] == "recipe-uncalibrated"


def test_thresholds_can_be_edited(shop, tmp_path, capsys):
    write_recipe(read_recipe(shop / "disc.flaw"), tmp_path / "strict")
    page = tmp_path / "strict" / "recipe.toml"
    review, _ = thresholds_of(read_recipe(tmp_path / "strict"))
    lines = [
        "review = -100.0" if line.startswith("review =") else line
        for line in page.read_text(encoding="utf-8").splitlines()
    ]
    assert "review = -100.0" in lines
    page.write_text("\n".join(lines) + "\n")
    assert review > -100
    arguments = ["inspect", str(tmp_path / "strict"), str(shop / "new"), "-o", str(tmp_path / "o")]
    assert run([*arguments, "--json"]) == 1
    assert json_of(capsys)["counts"]["accept"] == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_strangers_do_no_harm(name, shop, tmp_path, capsys):
    write_discs(tmp_path / "parts", good=4)
    for label, pixels in (("good", disc(50)), ("bad", spoilt(51))):
        source = write(tmp_path / "a.png", pixels)
        (tmp_path / "parts" / label).mkdir(exist_ok=True)
        source.rename(tmp_path / "parts" / label / name)
    arguments = train_arguments(tmp_path)
    arguments[arguments.index("--backbone") + 1] = str(shop / "small.onnx")
    assert run([*arguments, "-o", str(tmp_path / "a.flaw")]) in (0, 2)
    out = tmp_path / "out"
    assert inspect(shop, out, tmp_path / "parts", "--overlays", "all") in (1, 2)
    said = capsys.readouterr()
    assert "\x1b]" not in said.out + said.err
    assert "\x1b[2J" not in said.out + said.err
    for page in (tmp_path / "a.html", out / "report.html"):
        assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert len((out / "inspections.jsonl").read_text(encoding="utf-8").splitlines()) == len(
        list((out / "overlays").rglob("*.jpg"))
    )


# Learning more.


def test_updating_in_place_and_elsewhere(shop, tmp_path, capsys):
    recipe = tmp_path / "disc.flaw"
    shutil.copy(shop / "disc.flaw", recipe)
    write_discs(tmp_path / "more", good=3, first=200)
    other = tmp_path / "sub" / "other.flaw"
    assert run(["update", str(recipe), str(tmp_path / "more"), "-o", str(other), "--json"]) == 0
    document = json_of(capsys)
    assert document["sha256"] == read_recipe(other).sha256
    assert [item["image"] for item in document["learnt"]] == [
        f"good/{i}.png" for i in range(200, 203)
    ]
    assert all(item["after"] is not None for item in document["learnt"])
    basis = document["threshold"]["basis"]
    assert "n = 12" in basis
    assert basis.endswith("; cross-calibrated, so about")
    kept = ["--keep-thresholds", "-o", str(tmp_path / "kept.flaw"), "--json"]
    assert run(["update", str(recipe), str(tmp_path / "more"), *kept]) == 0
    assert json_of(capsys)["threshold"]["basis"].endswith("set before 3 pictures were added")
    assert recipe.read_bytes() == (shop / "disc.flaw").read_bytes()
    assert run(["update", str(recipe), str(tmp_path / "more")]) == 0
    assert "learnt 3 more good pictures" in capsys.readouterr().out
    assert recipe.read_bytes() == other.read_bytes()
    assert run(["update", str(recipe), str(tmp_path / "more"), "--json"]) == 2
    assert "nothing new to learn" in json_of(capsys)["error"]["message"]
    run(["inspect", str(recipe), str(shop / "new"), "-o", str(tmp_path / "out"), "--json"])
    assert len(json_of(capsys)["inspections"]) == 8


def test_updating_with_calibration(shop, tmp_path, capsys):
    write_discs(tmp_path / "more", good=3, first=200)
    write_discs(tmp_path / "held", good=5, first=300)
    arguments = ["update", str(shop / "disc.flaw"), str(tmp_path / "more")]
    out = ["-o", str(tmp_path / "new.flaw"), "--json"]
    assert run([*arguments, "--calibration", str(tmp_path / "held"), *out]) == 0
    assert "n = 5" in json_of(capsys)["threshold"]["basis"]
    assert run([*arguments, "--calibration", str(shop / "parts"), *out]) == 2
    assert json_of(capsys)["error"]["code"] == "calibration-leak"


def test_an_unreadable_picture_does_not_stop_an_update(shop, tmp_path, capsys):
    write_discs(tmp_path / "more", good=2, first=200)
    (tmp_path / "more" / "good" / "cut.png").write_bytes(b"cut")
    out = str(tmp_path / "new.flaw")
    assert (
        run(["update", str(shop / "disc.flaw"), str(tmp_path / "more"), "-o", out, "--json"]) == 2
    )
    document = json_of(capsys)
    assert [item["image"] for item in document["unjudged"]] == ["good/cut.png"]
    assert len(document["learnt"]) == 2
