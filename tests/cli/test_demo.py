"""`flawline demo`: sample parts, the main job, a report."""

import json

from flawline.cli.main import run


def test_the_demo_makes_parts_ranks_them_and_says_where_the_report_lies(tmp_path, capsys):
    out = tmp_path / "demo"
    assert run(["demo", "-o", str(out), "--good", "12", "--bad", "2", "--no-open"]) == 0
    printed = capsys.readouterr().out
    assert "2 of 2 defective within the top" in printed
    assert f"report: {out / 'report.html'}" in printed.replace("\n", "")
    assert len(list((out / "castings" / "good").iterdir())) == 12
    assert (out / "report.html").stat().st_size > 50_000


def test_the_demo_in_json_is_one_document_and_repeats(tmp_path, capsys):
    documents = []
    for name in ("one", "two"):
        arguments = ["demo", "-o", str(tmp_path / name), "--good", "8", "--bad", "1", "--json"]
        assert run(arguments) == 0
        documents.append(json.loads(capsys.readouterr().out))
    reports = [document.pop("report") for document in documents]
    assert documents[0] == documents[1]
    assert reports[0].endswith("report.html")


def test_a_smaller_demo_forgets_the_larger_one(tmp_path, capsys):
    castings = tmp_path / "castings"
    for label in ("good", "bad"):
        (castings / label).mkdir(parents=True)
        (castings / label / "casting_0099.jpg").write_bytes(b"old")
    arguments = ["demo", "-o", str(tmp_path), "--good", "4", "--bad", "1", "--json"]
    assert run(arguments) == 0
    assert len(json.loads(capsys.readouterr().out)["ranking"]) == 5
    (castings / "good" / "mine.png").write_bytes(b"no picture")
    assert run(arguments) == 2
    assert len(json.loads(capsys.readouterr().out)["unjudged"]) == 1
