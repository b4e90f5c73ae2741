"""`flawline evaluate` and `flawline compare` of recipes of the task "segment" on the command line."""

import json

import pytest

from flawline.cli.main import run
from flawline.jobs.evaluate import figures, timing
from flawline.recipe import write_recipe
from helpers.drawn_segmenter import segment_recipe
from helpers.segmented_parts import write_segmented


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmented")
    write_segmented(folder)
    write_recipe(segment_recipe(folder / "a.onnx"), folder / "strict.flaw")
    sharp = segment_recipe(folder / "b.onnx", thresholds=(0.36, 0.9))
    write_recipe(sharp, folder / "sharp.flaw")
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(figures, "DRAWS", 100)
    monkeypatch.setattr(timing, "TIMED", 0.1)


def test_evaluate_prints_classes_and_writes_their_tables(tmp_path, capsys):
    code = run(["evaluate", "strict.flaw", "samples.csv", "--ignore", "255", "-o", str(tmp_path)])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "mean IoU of defects" in out
    assert "a90/95, px" in out
    assert "class masks (index): dark, bright" in err
    assert (tmp_path / "classes.csv").exists()
    assert (tmp_path / "regions.csv").exists()


def test_compare_ranks_by_cost(tmp_path, capsys):
    arguments = ["compare", "strict.flaw", "sharp.flaw", "samples.csv", "--classes", "dark,bright"]
    costs = ["--cost-escape", "500", "--cost-overkill", "1", "--prevalence", "0.1"]
    code = run([*arguments, "--ignore", "255", *costs, "-o", str(tmp_path)])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "mean IoU of defects" in " ".join(out.split())
    assert "the cheapest" in " ".join(out.split())
    assert (
        len(json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))["ranking"]) == 2
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "could not be judged: masks/bad_d7.png"),
        (["--classes", "dark,scratch", "--ignore", "255"], "the masks have the class 'scratch'"),
        (["--annotations", "missing.json"], "'missing.json' does not exist"),
        (["--palette", "dark=12"], "NAME=RRGGBB"),
    ],
)
def test_masks_that_do_not_fit_are_an_error(options, said, tmp_path, capsys):
    arguments = ["evaluate", "strict.flaw", "samples.csv", "-o", str(tmp_path), *options]
    assert run(arguments) == 2
    assert said in capsys.readouterr().err
