import json

import polars as pl
import pytest

from flawline.cli.main import run
from helpers.networks import write_network
from helpers.pictures import parts
from helpers.raw_zip import raw_zip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "parts"
    parts(folder, good=9, bad=6)
    return folder


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return str(write_network(tmp_path_factory.mktemp("network") / "n.onnx"))


def test_features_writes_a_table_and_says_what_it_holds(folder, backbone, tmp_path, capsys):
    out = tmp_path / "deep" / "t.parquet"
    assert run(["features", str(folder), "-o", str(out), "--backbone", backbone, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    frame = pl.read_parquet(out)
    assert document["pictures"] == len(frame) == 15
    assert document["source_columns"] == ["image", "label", "defective", "group", "split"]
    assert [c["name"] for c in document["columns"]] == frame.columns[5:]
    assert frame.width == 5 + 234 + 6
    assert [path.name for path in out.parent.iterdir()] == ["t.parquet"]


def test_features_goes_on_where_it_was_stopped(folder, tmp_path, monkeypatch):
    out = tmp_path / "t.csv"
    arguments = ["features", str(folder), "-o", str(out), "--features", "dimensions", "-q"]
    from flawline.features import files

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(files, "write_table", stop)
        assert run(arguments) == 130
    kept = tmp_path / ".t.csv.unfinished"
    assert kept.stat().st_size > 15 * 16
    assert run(arguments) == 0
    assert not kept.exists()
    assert len(pl.read_csv(out)) == 15


def test_what_an_earlier_version_left_unfinished_starts_over_with_a_note(folder, tmp_path, capsys):
    out = tmp_path / "t.csv"
    kept = tmp_path / ".t.csv.unfinished"
    kept.write_bytes(b'{"computation": "a", "shape": [6], "check": "crc32"}\n' + bytes(44))
    arguments = ["features", str(folder), "-o", str(out), "--features", "dimensions"]
    assert run(arguments) == 0
    told = capsys.readouterr().err
    assert f"{kept} was left by an earlier version" in told
    assert "that work starts over" in told
    assert not kept.exists()
    assert run(arguments) == 0
    assert "earlier version" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["features", "-o", "{}/t.csv"], {"t.csv"}),
        (
            ["cluster", "-o", "{}", "--clusters", "2"],
            {"clusters.csv", "clusters.json", "report.html"},
        ),
        (
            ["classify", "-o", "{}", "--folds", "3"],
            {"predictions.csv", "classification.json", "report.html", "classifier.flc"},
        ),
    ],
)
def test_what_cannot_be_read_is_told_and_gives_exit_code_2(command, written, tmp_path, capsys):
    parts(tmp_path / "parts", good=5, bad=4)
    (tmp_path / "parts" / "bad" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    arguments = [part.format(tmp_path / "out") for part in command]
    arguments[1:1] = [str(tmp_path / "parts"), "--features", "average_pixels"]
    assert run([*arguments, "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert [item["image"] for item in document["unjudged"]] == ["bad/x.png"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == written
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert "could not be judged: bad/x.png" in shown.err
    if "report.html" in written:
        assert "bad/x.png" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_cluster_prints_the_table_and_writes_the_same_bytes_twice(folder, tmp_path, capsys):
    command = ["cluster", str(folder), "--features", "average_pixels", "--clusters", "2"]
    for name in ("one", "two"):
        assert run([*command, "-o", str(tmp_path / name)]) == 0
    assert "agreement with 15 labels: adjusted Rand index" in capsys.readouterr().out
    for file in ("clusters.csv", "clusters.json", "report.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_classify_trains_and_applies(folder, backbone, tmp_path, capsys):
    train = ["classify", str(folder), "-o", str(tmp_path / "a"), "--folds", "3"]
    assert run([*train, "--backbone", backbone, "--json"]) == 0
    learned = json.loads(capsys.readouterr().out)
    assert "names no groups" in learned["warnings"][0]
    assert len(learned["evaluation"]["confusion"]) == 2
    use = ["classify", str(folder / "good"), "-o", str(tmp_path / "b")]
    use += ["--apply", learned["classifier"]]
    assert run([*use, "--json"]) == 0
    applied = json.loads(capsys.readouterr().out)
    assert len(applied["predictions"]) == 9
    assert "classifier" not in applied
    assert run([*use, "--model", "forest", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert "--model cannot be given with --apply" in error["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["features", "{}", "-o", "t.txt"], "ends in .parquet or .csv"),
        (["cluster", "{}", "--clusters", "many"], "number from 1 up"),
        (["classify", "{}", "--apply", "{}"], "no classifier at"),
        (["classify", "{}/good"], "at least two labels"),
    ],
)
def test_mistakes_get_a_message_and_no_traceback(
    arguments, message, folder, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert run([part.format(folder) for part in arguments]) == 2
    shown = capsys.readouterr().err
    assert message in " ".join(shown.split())
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    "command",
    [
        ["cluster", "--clusters", "2"],
        ["classify", "--folds", "3"],
        ["groups", "--threshold", "0.05"],
    ],
)
def test_control_characters_in_names_and_labels_do_not_reach_the_terminal(
    command, tmp_path, capsys
):
    parts(tmp_path / "parts", good=6, bad=4)
    (tmp_path / "parts" / "bad").rename(tmp_path / "parts" / "odd\x1b[2J")
    for path in sorted((tmp_path / "parts" / "good").iterdir()):
        path.rename(path.with_name(f"\x1b]0;owned\x07{path.name}"))
    name, *options = command
    run([name, str(tmp_path / "parts"), "-o", str(tmp_path / "out"), *options])
    said = capsys.readouterr()
    assert "\\x1b" in said.out
    assert not {"\x1b", "\x07"} & set(said.out + said.err)


def test_the_encoding_of_names_in_an_archive_is_told_and_can_be_given(folder, tmp_path, capsys):
    picture = next(folder.rglob("*.png")).read_bytes()
    path = raw_zip(tmp_path / "a.zip", {"不良/1.png".encode("gbk"): picture})
    out = tmp_path / "t.csv"
    arguments = ["features", str(path), "-o", str(out), "--features", "dimensions"]
    assert run(arguments) == 0
    assert "read as gbk, such as '不良/1.png'; if they look wrong, give --encoding" in (
        capsys.readouterr().err.replace("\n", " ")
    )
    assert pl.read_csv(out)["label"].to_list() == ["不良"]
    out.unlink()
    assert run([*arguments, "--encoding", "cp949"]) == 0
    assert pl.read_csv(out)["label"].to_list() == ["不良".encode("gbk").decode("cp949")]
    assert run([*arguments, "--encoding", "klingon"]) == 2
    assert "--encoding" in capsys.readouterr().err
