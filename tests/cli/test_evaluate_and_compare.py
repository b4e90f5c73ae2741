"""`flawline evaluate` and `flawline compare` on the command line."""

import hashlib
import json

import pytest

from flawline.api.evaluate import distinct_names
from flawline.cli.main import run
from flawline.jobs.evaluate import figures
from flawline.recipe.manifest import PictureRecord
from helpers.stub_inspector import BrightnessInspector, write_parts


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(autouse=True)
def recipes(parts, monkeypatch):
    """Recipes by name that open without a file: loose, strict, and leaky, which learnt from the first test picture."""
    data = (parts.parent / "good/g0_0.png").read_bytes()
    seen = (PictureRecord(hashlib.sha256(data).hexdigest(), "g0_0.png", "train"),)
    made = {
        "loose": BrightnessInspector(),
        "strict": BrightnessInspector(review=0.2, reject=0.25),
        "leaky": BrightnessInspector(known=seen),
    }
    opened = staticmethod(lambda path, precision=None: made[path.stem])
    monkeypatch.setattr("flawline.inspector.Inspector.open", opened)
    monkeypatch.setattr(figures, "DRAWS", 100)


def test_evaluate_prints_figures_and_writes_files(parts, tmp_path, capsys):
    code = run(["evaluate", "loose.flaw", str(parts), "-o", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "2 of 6 bad parts accepted; 1 of 10 good parts rejected" in out
    assert "'test'" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evaluation.json",
        "report.html",
        "scores.csv",
    ]


def test_evaluate_prints_one_document(parts, tmp_path, capsys):
    assert run(["evaluate", "loose", str(parts), "-o", str(tmp_path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert printed == written
    assert printed["split"] == "test"


def test_a_leak_is_an_error_and_leaves_no_files(parts, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["evaluate", "leaky", str(parts), "-o", str(out), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "evaluation-leak"
    assert "good/g0_0.png (train of the recipe)" in error["message"]
    assert not out.exists()
    assert run(["evaluate", "leaky", str(parts), "-o", str(out), "--drop-known"]) == 0
    assert "left out: training or calibration saw them" in capsys.readouterr().err


def test_a_bad_part_accepted_is_a_finding_and_no_exit_code(parts, tmp_path):
    assert run(["evaluate", "loose", str(parts), "-o", str(tmp_path), "-q"]) == 0


def test_what_could_not_be_judged_makes_exit_code_2(parts, tmp_path, capsys):
    folder = parts.parent
    text = parts.read_text(encoding="utf-8") + "good/broken.png,good,,z,test\n"
    (folder / "good" / "broken.png").write_bytes(b"x")
    (folder / "more.csv").write_text(text, encoding="utf-8")
    assert run(["evaluate", "loose", str(folder / "more.csv"), "-o", str(tmp_path), "-q"]) == 2
    assert "could not be judged: good/broken.png" in capsys.readouterr().err


def test_compare_prints_differences_to_the_first(parts, tmp_path, capsys):
    arguments = ["compare", "loose", "strict", str(parts), "-o", str(tmp_path / "out")]
    costs = ["--cost-escape", "50", "--cost-overkill", "1", "--prevalence", "0.01"]
    code = run([*arguments, *costs])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "strict less loose" in " ".join(out.split())
    assert "cost per part" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "comparison.json",
        "report.html",
        "scores.csv",
    ]


def test_compare_takes_more_than_two_and_prints_one_document(parts, tmp_path, capsys):
    names = ["loose", "strict", "a/loose.flaw"]
    assert run(["compare", *names, str(parts), "-o", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in document["recipes"]] == ["loose", "strict", "loose (2)"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["loose"], "two recipes"),
        (["loose", "strict", "--cost-escape", "5"], "--prevalence together"),
        (["loose", "strict", "--split", "none"], "no split 'none'"),
        (["loose", "leaky"], "good/g0_0.png (train of leaky)"),
    ],
)
def test_what_cannot_be_compared_is_an_error(arguments, said, parts, tmp_path, capsys):
    names = [name for name in arguments if name in ("loose", "strict", "leaky")]
    options = arguments[len(names) :]
    assert run(["compare", *names, str(parts), *options, "-o", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_names_of_recipes_are_told_apart(tmp_path):
    paths = [tmp_path / "x" / "a.flaw", tmp_path / "a", tmp_path / "b.v2.flaw"]
    assert distinct_names(paths) == ["a", "a (2)", "b.v2"]
