"""`flawline groups` as a person and a program meet it."""

import json
import re

import cv2
import numpy as np
import pytest

from flawline.cli.main import run


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "parts"
    place.mkdir()
    for seed in range(4):
        small = np.random.default_rng(seed).normal(130, 40, (30, 30)).astype(np.float32)
        grey = np.clip(cv2.resize(small, (90, 90)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(place / f"{seed}.png"), grey)
        if seed == 0:
            cv2.imwrite(str(place / "0_mirrored.png"), grey[:, ::-1])
    return place


def test_files_and_output(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["groups", str(folder), "-o", str(out)]) == 0
    shown = capsys.readouterr()
    assert "2 of 5 pictures lie in 1 groups" in shown.out
    assert "suggestions" in shown.out
    assert "manifest of suggestions" in shown.err
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "These are suggestions" in page
    assert "mirrored" in page
    assert not re.search(r"(src|href)=\W?https?:", page)
    header, *rows = (out / "groups.csv").read_text(encoding="utf-8").splitlines()
    assert header == "image,label,group,similarity,suggested"
    assert len(rows) == 5
    assert rows[0].startswith("../parts/0.png,,1,")
    assert rows[0].endswith(",true")


def test_json_is_one_document_and_the_same_each_time(folder, tmp_path, capsys):
    documents = []
    for name in ("one", "two"):
        assert run(["groups", str(folder), "-o", str(tmp_path / name), "--json", "--quiet"]) == 0
        shown = capsys.readouterr()
        assert shown.err == ""
        documents.append(shown.out)
    assert documents[0] == documents[1]
    told = json.loads(documents[0])
    assert [image["image"] for image in told["groups"][0]["images"]] == ["0.png", "0_mirrored.png"]
    assert told["alone"] == ["1.png", "2.png", "3.png"]
    for name in ("groups.csv", "groups.json", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_cannot_be_judged_is_listed_and_is_the_exit_code(folder, tmp_path, capsys):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    assert run(["groups", str(folder), "-o", str(tmp_path / "out"), "--quiet"]) == 2
    assert "could not be judged: broken.png" in capsys.readouterr().err
    assert "../parts/broken.png,,,," in (tmp_path / "out" / "groups.csv").read_text(
        encoding="utf-8"
    )
    assert "broken.png" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_senseless_threshold_is_an_error(folder, tmp_path, capsys):
    assert run(["groups", str(folder), "-o", str(tmp_path / "out"), "--threshold", "1.5"]) == 2
    assert "threshold must be above 0" in capsys.readouterr().err
