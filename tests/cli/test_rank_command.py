"""`flawline rank` as a user runs it."""

import csv
import json
import os
import subprocess
import sys

import pytest

from flawline.cli.main import run
from helpers.networks import write_network
from helpers.pictures import parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    parts(root / "parts")
    write_network(root / "small.onnx")
    return root


@pytest.fixture
def arguments(folder, tmp_path):
    network = str(folder / "small.onnx")
    return [
        "rank",
        str(folder / "parts"),
        "-o",
        str(tmp_path / "out"),
        "--backbone",
        network,
        "--top-n",
        "4",
    ]


def test_it_writes_csv_json_and_report_and_says_what_it_found(arguments, tmp_path, capsys):
    assert run(arguments) == 0
    out, err = capsys.readouterr()
    assert "2 of 2 defective within the top" in out
    assert "labels: bad (2) = bad, good (12) = good" in err
    document = json.loads((tmp_path / "out" / "ranking.json").read_text(encoding="utf-8"))
    with (tmp_path / "out" / "ranking.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [item["image"] for item in document["ranking"]]
    assert [item["rank"] for item in document["ranking"]] == list(range(1, 15))
    scores = [item["score"] for item in document["ranking"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(bool(item["reasons"]) for item in document["ranking"]) == 4
    assert sorted(os.listdir(tmp_path / "out")) == ["ranking.csv", "ranking.json", "report.html"]


def test_a_forest_names_every_field_that_played_a_part(arguments, tmp_path, capsys):
    assert run([*arguments, "--method", "forest", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for item in document["ranking"][:4]:
        shares = [reason["share"] for reason in item["reasons"]]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert shares == sorted(shares, reverse=True)
        assert len(shares) > 10
        assert len({reason["about"] for reason in item["reasons"]}) == len(shares)
    with (tmp_path / "out" / "ranking.csv").open() as file:
        assert len(next(csv.DictReader(file))["reasons"].split("; ")) == 3


def test_json_is_the_only_thing_on_standard_output(arguments, capsys):
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["settings"]["backbone"] == "small"
    assert document["ranking"][0].keys() == {
        "rank",
        "image",
        "label",
        "group",
        "score",
        "reasons",
        "notes",
    }


@pytest.mark.parametrize("method", ["forest", "auto"])
def test_the_same_pictures_give_the_same_bytes_from_folder_and_zip(
    arguments, folder, tmp_path, method, capsys
):
    archive = tmp_path / "parts.zip"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "zipfile",
            "-c",
            str(archive),
            *map(str, (folder / "parts").iterdir()),
        ],
        check=True,
    )
    outputs = []
    for source in (folder / "parts", archive, archive):
        assert run(["rank", str(source), *arguments[2:], "--method", method, "-q"]) == 0
        text = {
            name: (tmp_path / "out" / name)
            .read_text(encoding="utf-8")
            .replace("parts.zip", "parts")
            for name in ("ranking.json", "ranking.csv", "report.html")
        }
        outputs.append(text)
    assert outputs[1] == outputs[2] == outputs[0]


def test_a_picture_that_cannot_be_read_is_listed_and_the_rest_is_ranked(
    arguments, folder, tmp_path, capsys
):
    mixed = tmp_path / "mixed"
    parts(mixed)
    whole = (mixed / "good" / "part_0.png").read_bytes()
    (mixed / "good" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (mixed / "good" / "page.jpg").write_text("<html>not found</html>")
    assert run(["rank", str(mixed), *arguments[2:], "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert {item["image"] for item in document["unjudged"]} == {"good/cut.png", "good/page.jpg"}
    assert all(item["reason"] for item in document["unjudged"])
    assert len(document["ranking"]) == 14
    with (tmp_path / "out" / "ranking.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert last["rank"] == ""
    assert "could not be judged" in last["reasons"]


def test_an_interrupted_run_goes_on_where_it_stopped(arguments, tmp_path, monkeypatch, capsys):
    import flawline.features.table as table

    whole = table.map_pictures
    computed = []

    def interrupted(source, samples, function, **options):
        def counted(picture):
            computed.append(1)
            return function(picture)

        for index, item in enumerate(whole(source, samples, counted, **options)):
            if index == 5 and limit:
                raise KeyboardInterrupt
            yield item

    monkeypatch.setattr(table, "map_pictures", interrupted)
    limit = True
    arguments = [*arguments, "--method", "forest"]
    assert run(arguments) == 130
    assert (tmp_path / "out" / ".unfinished").stat().st_size > 0
    done, limit = len(computed), False
    assert run(arguments) == 0
    assert len(computed) == 14
    assert done >= 6
    assert not (tmp_path / "out" / ".unfinished").exists()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (["rank", "nowhere.zip"], "source-missing", "nowhere.zip"),
        (["--features", "histogram"], "usage", "no feature is called"),
        (["--backbone", "missing.onnx"], "model-missing", "missing.onnx"),
        (["--value-range", "9,3"], "usage", "LOW,HIGH"),
        (["--precision", "int8"], "model", "precision"),
        (["--forest-size", "0"], "usage", "forest-size"),
        (["--unknown-option"], "usage", "unknown-option"),
        (["--good", "nothing"], "usage", "nothing"),
        (["--method", "magic"], "usage", "magic"),
    ],
)
def test_mistakes_are_told_in_words_and_in_json(arguments, capsys, change, code, words):
    changed = change if change[0] == "rank" else [*arguments, "--method", "forest", *change]
    assert run(changed) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert run([*changed, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == code
    assert words in error["message"]


def test_one_picture_cannot_be_ranked(arguments, tmp_path, capsys):
    lone = tmp_path / "lone"
    parts(lone, good=1, bad=0)
    assert run(["rank", str(lone), *arguments[2:]]) == 2
    assert "only 1 of 1" in capsys.readouterr().err


def test_formulas_in_names_are_quoted_in_the_csv(arguments, tmp_path, capsys):
    odd = tmp_path / "odd"
    parts(odd, good=3, bad=0)
    (odd / "good" / "part_0.png").rename(odd / "good" / "x.png")
    (odd / "=cmd").mkdir()
    (odd / "good" / "x.png").rename(odd / "=cmd" / "x.png")
    assert run(["rank", str(odd), *arguments[2:]]) == 0
    text = (tmp_path / "out" / "ranking.csv").read_text(encoding="utf-8")
    assert "'=cmd/x.png" in text
    assert ",=cmd" not in text


def test_an_interrupted_comparison_gives_the_bytes_of_an_unbroken_one(
    arguments, tmp_path, monkeypatch, capsys
):
    from flawline.jobs.rank import rank_by_comparison as by_comparison

    monkeypatch.setattr(by_comparison, "reference_limit", lambda width: 8)
    monkeypatch.setattr(by_comparison, "CHUNK", 2)
    assert run(arguments) == 0
    whole = (tmp_path / "out" / "ranking.json").read_bytes()
    compare, calls = by_comparison.compare_rows, []

    def interrupted(*details, **more):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return compare(*details, **more)

    monkeypatch.setattr(by_comparison, "compare_rows", interrupted)
    assert run(arguments) == 130
    assert {path.name for path in (tmp_path / "out").glob(".unfinished*")} == {
        ".unfinished-maps",
        ".unfinished-scores",
    }
    monkeypatch.setattr(by_comparison, "compare_rows", compare)
    capsys.readouterr()
    assert run(arguments) == 0
    assert "starts over" not in capsys.readouterr().err
    assert (tmp_path / "out" / "ranking.json").read_bytes() == whole
    assert not list((tmp_path / "out").glob(".unfinished*"))


def test_scores_kept_by_an_interrupted_run_are_not_mixed_with_those_of_other_neighbours(
    arguments, tmp_path, monkeypatch, capsys
):
    from flawline.jobs.rank import rank_by_comparison as by_comparison

    monkeypatch.setattr(by_comparison, "reference_limit", lambda width: 8)
    monkeypatch.setattr(by_comparison, "CHUNK", 2)
    more = [*arguments, "--neighbours", "5"]
    assert run(more) == 0
    whole = (tmp_path / "out" / "ranking.json").read_bytes()
    compare, calls = by_comparison.compare_rows, []

    def interrupted(*details, **named):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return compare(*details, **named)

    monkeypatch.setattr(by_comparison, "compare_rows", interrupted)
    assert run(arguments) == 130
    monkeypatch.setattr(by_comparison, "compare_rows", compare)
    assert run(more) == 0
    assert (tmp_path / "out" / "ranking.json").read_bytes() == whole
