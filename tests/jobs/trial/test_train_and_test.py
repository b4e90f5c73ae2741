"""Training that holds out a test first: nothing of it is learnt or calibrated on, and the verdict rests on it."""

from __future__ import annotations

import json
import shutil

import pytest

import flawline
from flawline.cli.main import run
from flawline.core.metrics import Share
from flawline.core.recipe_verdict import recipe_verdict
from flawline.data.splits import part_of
from flawline.errors import UsageError
from flawline.jobs.train.training_verdict import counts_of_test, training_verdict
from helpers.discs import disc, roles, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    write_network(root / "small.onnx")
    write_discs(root / "parts", good=40, bad=10)
    return root


def options(shop):
    named = {"backbone": shop / "small.onnx", "window": 64, "precision": "f32"}
    return {**named, "effort": "none", "self_test": "off"}


def words(shop, source, *more):
    named = ["--backbone", str(shop / "small.onnx"), "--window", "64", "--precision", "f32"]
    quick = ["--effort", "none", "--self-test", "off"]
    return ["train", "anomaly", str(source), *named, *quick, *more]


@pytest.fixture(scope="module")
def trained(shop):
    return flawline.train_anomaly(shop / "parts", test=0.2, **options(shop))


def test_the_held_out_pictures_are_nowhere_in_the_recipe(trained):
    tested = {picture.sample.name for picture in trained.test.pictures}
    assert len(tested) == 10
    assert sum(name.startswith("bad/") for name in tested) == 2
    assert len(roles(trained)) == 40
    assert not tested & set(roles(trained))
    assert not tested & (set(trained.good) | set(trained.bad))
    assert trained.messages[0] == "40 to learn from, 10 to test (2 of 10 bad)"


def test_the_counts_are_those_of_the_verdicts_by_part(trained):
    counts = counts_of_test(trained)
    verdicts = [(p.defective, p.verdict) for p in trained.test.pictures]
    assert (counts["bad"], counts["good"]) == (2, 8)
    assert counts["escapes"] == verdicts.count((True, "accept"))
    assert counts["overkill"] == verdicts.count((False, "reject"))
    assert counts["good_to_review"] == verdicts.count((False, "review"))
    assert len(counts["missed"]) == counts["escapes"]


def test_the_same_seed_holds_out_the_same(shop, trained):
    again = flawline.train_anomaly(shop / "parts", test=0.2, **options(shop))
    assert again.recipe.sha256 == trained.recipe.sha256
    assert counts_of_test(again) == counts_of_test(trained)


def test_one_command_from_a_folder_to_an_evaluation(shop, tmp_path, capsys):
    out = tmp_path / "disc.flaw"
    assert run(words(shop, shop / "parts", "--test", "0.2", "-o", str(out))) == 0
    shown = capsys.readouterr()
    first, then, *rest = shown.out.splitlines()
    assert first.startswith("Misses ")
    assert " of 2 held-out bad parts (" in first
    assert then.startswith("next: flawline ")
    assert "40 to learn from, 10 to test (2 of 10 bad)" in rest
    page = (tmp_path / "disc.html").read_text(encoding="utf-8")
    assert first in page
    assert 'href="disc-test/report.html"' in page
    names = {path.name for path in (tmp_path / "disc-test").iterdir()}
    assert names == {"evaluation.json", "report.html", "scores.csv"}
    # The same folder is evaluated without what was learnt: exactly the test is left.
    told = ["evaluate", str(out), str(shop / "parts"), "-o", str(tmp_path / "again"), "--json"]
    assert run([*told, "--drop-known"]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert (counts["good"]["parts"], counts["bad"]["parts"]) == (8, 2)


def test_the_json_of_a_training_with_a_test(shop, tmp_path, capsys):
    out = tmp_path / "disc.flaw"
    assert run(words(shop, shop / "parts", "--test", "0.3", "-o", str(out), "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"].startswith("Misses ")
    assert told["usable"] in ("yes", "not alone", "no")
    assert told["next"].startswith("flawline ")
    assert {"bad": 3, "good": 12}.items() <= told["test"].items()
    assert {"escapes", "overkill"} <= set(told["test"])


def test_a_stated_test_split_is_judged_without_asking(shop, tmp_path, capsys):
    for split, first, bad in (("train", 0, 0), ("test", 100, 4)):
        write_discs(tmp_path / "set" / split, good=12, bad=bad, first=first)
    out = tmp_path / "disc.flaw"
    assert run(words(shop, tmp_path / "set", "-o", str(out), "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["test"]["bad"], told["test"]["good"]) == (4, 12)
    assert run(words(shop, tmp_path / "set", "-o", str(out), "--test", "0.2")) == 2
    assert "the source states splits: test, train" in capsys.readouterr().err


def test_a_manifest_of_split_is_judged_the_same_way(shop, tmp_path, capsys):
    manifest = tmp_path / "samples.csv"
    assert run(["split", str(shop / "parts"), "-o", str(manifest)]) == 0
    root = ["--root", str(shop)]
    assert run(words(shop, manifest, *root, "-o", str(tmp_path / "disc.flaw"), "--json")) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["test"]["bad"], told["test"]["good"]) == (2, 8)


def test_groups_are_held_out_whole(shop, tmp_path):
    rows = ["image,label,group"]
    for number in range(40):
        write(tmp_path / f"{number}.png", disc(number))
        rows.append(f"{number}.png,good,p{number // 4}")
    (tmp_path / "parts.csv").write_text("\n".join(rows), encoding="utf-8")
    found = flawline.train_anomaly(tmp_path / "parts.csv", test=0.2, **options(shop))
    tested = {part_of(picture.sample) for picture in found.test.pictures}
    assert len(tested) == 2
    assert len(found.test.pictures) == 8
    counts = counts_of_test(found)
    assert (counts["good"], counts["bad"]) == (2, 0)


@pytest.mark.parametrize("labelled", [True, False])
def test_without_bad_parts_it_says_so(shop, tmp_path, labelled, capsys):
    write_discs(tmp_path, good=30)
    source = tmp_path if labelled else tmp_path / "good"
    assert run(words(shop, source, "--test", "0.2", "-o", str(tmp_path / "disc.flaw"))) == 0
    shown = capsys.readouterr()
    first = shown.out.splitlines()[0]
    assert first.startswith("No known bad parts to judge by: what it misses is not known; ")
    assert "of 6 good parts)" in first


def test_known_bad_parts_give_a_verdict_without_a_test(shop, tmp_path, capsys):
    assert run(words(shop, shop / "parts", "-o", str(tmp_path / "disc.flaw"), "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["test"] is None
    assert " of 10 known bad parts (" in told["verdict"]
    assert "% overkill: " in told["verdict"]


def test_a_test_that_cannot_be_judged_keeps_the_recipe(shop, tmp_path, capsys):
    write_discs(tmp_path / "set" / "train", good=12)
    # The same files again: a stated test of which nothing is left.
    shutil.copytree(tmp_path / "set" / "train" / "good", tmp_path / "set" / "test" / "good")
    out = tmp_path / "disc.flaw"
    assert run(words(shop, tmp_path / "set", "-o", str(out))) == 2
    assert "the test could not be judged" in capsys.readouterr().err
    assert out.exists()


def test_everything_known_gives_the_way_out(shop, tmp_path, capsys):
    out = tmp_path / "disc.flaw"
    assert run(words(shop, shop / "parts", "-o", str(out))) == 0
    capsys.readouterr()
    for more in ([], ["--drop-known"]):
        told = ["evaluate", str(out), str(shop / "parts"), "-o", str(tmp_path / "e"), *more]
        assert run(told) == 2
        assert "--test 0.2" in capsys.readouterr().err


@pytest.mark.parametrize("test", [0, 1, -0.1, 1.5])
def test_a_share_that_makes_no_sense_is_refused(shop, test):
    with pytest.raises(UsageError, match="share `test`"):
        flawline.train_anomaly(shop / "parts", test=test, **options(shop))


@pytest.mark.parametrize(
    ("missed", "overkill", "usable", "text"),
    [
        (
            (10, 149),
            None,
            "not alone",
            "Misses 10 of 149 known bad parts (3 to 12 %) at up to 5 % overkill",
        ),
        (
            (69, 149),
            None,
            "no",
            "Misses 69 of 149 known bad parts (38 to 55 %) at up to 5 % overkill",
        ),
        (
            (0, 149),
            (2, 120),
            "yes",
            "Misses 0 of 149 known bad parts (0 to 2 %) at 1.67 % overkill",
        ),
        ((0, 6), None, "not alone", "too few bad parts to rely on it alone"),
        ((0, 149), (40, 120), "not alone", "rejects too many good parts"),
        ((0, 149), (100, 120), "no", "rejects too many good parts"),
        (None, None, "unknown", "No known bad parts to judge by"),
    ],
)
def test_verdicts_in_plain_words(missed, overkill, usable, text):
    found = recipe_verdict(
        missed and Share(*missed), overkill=overkill and Share(*overkill), promised=0.05
    )
    assert found.usable == usable
    assert text in found.text


def test_a_recipe_of_one_part_judges_nothing(shop, tmp_path):
    write_discs(tmp_path, good=1)
    found = training_verdict(flawline.train_anomaly(tmp_path, **options(shop)))
    assert found.usable == "no"
    assert "every part goes to review" in found.text
