"""`compare_golden` as a person and a program meet it: golden samples, templates, thresholds and files."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import UsageError
from helpers.boards import board, moved, without_pad


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def folder(tmp_path):
    """Two boards that are whole and one without its pad, with the golden sample beside them."""
    write(tmp_path / "golden.png", board(0))
    write(tmp_path / "lot" / "a.png", moved(board(1), 3, -2))
    write(tmp_path / "lot" / "b.png", without_pad(board(2)))
    write(tmp_path / "lot" / "c.png", board(3))
    return tmp_path


def test_one_golden_sample_for_a_source(folder):
    found = flawline.compare_golden(folder / "lot", folder / "golden.png")
    assert [picture.verdict for picture in found.pictures] == ["accept", "reject", "accept"]
    assert [region.label for region in found.pictures[1].regions] == ["missing"]
    assert found.counts == {"accept": 2, "reject": 1, "unjudged": 0}
    assert (found.least, found.basis) == (4.0, "as set: no known good picture")


def test_a_golden_sample_as_an_array_gives_the_same(folder):
    by_file = flawline.compare_golden(folder / "lot", folder / "golden.png")
    by_array = flawline.compare_golden(folder / "lot", board(0))
    assert [p.score for p in by_file.pictures] == [p.score for p in by_array.pictures]


def test_command_writes_tables_masks_and_a_page(folder, capsys):
    out = folder / "out"
    command = ["compare-golden", str(folder / "lot"), "--golden", str(folder / "golden.png")]
    assert run([*command, "-o", str(out)]) == 1
    shown = capsys.readouterr()
    assert "3 pictures: 2 accept, 1 reject" in shown.out
    rows = (out / "comparisons.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("image,label,group,verdict,score,missing,extra,template")
    assert len(rows) == 4
    assert len((out / "differences.csv").read_text(encoding="utf-8").splitlines()) == 2
    mask = cv2.imread(str(out / "masks" / "b.png.png"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 1}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "1 of 3 pictures differ" in page
    assert run([*command, "-o", str(folder / "again"), "--json", "--quiet"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["comparisons"][1]["regions"][0]["class"] == "missing"
    for name in ("comparisons.csv", "differences.csv", "masks/b.png.png"):
        assert (out / name).read_bytes() == (folder / "again" / name).read_bytes()


def test_all_the_same_is_exit_code_0(folder, capsys):
    (folder / "lot" / "b.png").unlink()
    arguments = [str(folder / "lot"), "--golden", str(folder / "golden.png")]
    assert run(["compare-golden", *arguments, "-o", str(folder / "out")]) == 0


def test_each_picture_beside_its_own_template(folder, capsys):
    write(folder / "temp.png", without_pad(board(4)))
    table = "image,template\nlot/a.png,golden.png\nlot/b.png,temp.png\nlot/c.png,temp.png\n"
    (folder / "pairs.csv").write_text(table)
    found = flawline.compare_golden(folder / "pairs.csv")
    told = [(p.template, [r.label for r in p.regions]) for p in found.pictures]
    assert told == [("golden.png", []), ("temp.png", []), ("temp.png", ["extra"])]


def test_a_picture_without_a_template_is_not_judged(folder, capsys):
    table = "image,template\nlot/a.png,golden.png\nlot/b.png,\nlot/c.png,nowhere.png\n"
    (folder / "pairs.csv").write_text(table)
    assert run(["compare-golden", str(folder / "pairs.csv"), "-o", str(folder / "out")]) == 2
    error = capsys.readouterr().err
    assert "lot/b.png: the source names no template for it" in error
    assert "the golden sample nowhere.png cannot be read" in error


def test_without_golden_sample_or_templates_it_says_what_to_give(folder):
    with pytest.raises(UsageError, match="`golden`") as caught:
        flawline.compare_golden(folder / "lot")
    assert "'template'" in caught.value.hint


def test_known_good_pictures_set_what_counts(tmp_path):
    """A mark that good parts may have raises the least strength; the same golden sample without them does not."""
    for seed in range(6):
        marked = board(seed)
        marked[40 : 40 + 2 * seed, 150:158] = 20
        write(tmp_path / "parts" / "good" / f"{seed}.png", marked)
    write(tmp_path / "parts" / "bad" / "0.png", without_pad(board(9)))
    write(tmp_path / "golden.png", board(20))
    found = flawline.compare_golden(tmp_path / "parts", tmp_path / "golden.png")
    assert found.least > 20
    assert "n = 6" in found.basis
    assert {p.sample.name: p.verdict for p in found.pictures if p.regions} == {
        "bad/0.png": "reject"
    }
    stated = flawline.compare_golden(tmp_path / "parts", tmp_path / "golden.png", least=4)
    assert stated.counts["reject"] > 1


def test_what_the_golden_sample_was_made_of_sets_nothing(tmp_path):
    for seed in range(3):
        write(tmp_path / "parts" / "good" / f"{seed}.png", board(seed))
    write(tmp_path / "parts" / "bad" / "0.png", without_pad(board(9)))
    found = flawline.compare_golden(tmp_path / "parts", tmp_path / "parts")
    assert found.settings["golden_pictures"] == 3
    assert found.basis == "as set: no known good picture"
    assert [p.sample.name for p in found.pictures if p.regions] == ["bad/0.png"]


def test_masks_of_an_earlier_run_go(folder):
    flawline.compare_golden(folder / "lot", folder / "golden.png", folder=folder / "out")
    (folder / "lot" / "a.png").unlink()
    flawline.compare_golden(folder / "lot", folder / "golden.png", folder=folder / "out")
    assert sorted(p.name for p in (folder / "out" / "masks").iterdir()) == [
        "b.png.png",
        "c.png.png",
    ]


def test_boards_of_real_designs(real_data):
    """DeepPCB: of the first pair of each of three designs every boxed defect is found, by the defaults."""
    found = total = 0
    for design in sorted((real_data / "deeppcb").glob("group*")):
        path = sorted(design.glob("*_test.jpg"))[0]
        template = str(path).replace("_test", "_temp")
        (picture,) = flawline.compare_golden(path, template, material="dark").pictures
        middles = [(r.box[0] + r.box[2] / 2, r.box[1] + r.box[3] / 2) for r in picture.regions]
        boxes = path.with_name(path.name.replace("_test.jpg", ".txt"))
        for line in boxes.read_text(encoding="utf-8").splitlines():
            left, top, right, bottom, _ = map(int, line.split())
            total += 1
            found += any(left <= x <= right and top <= y <= bottom for x, y in middles)
    assert found == total == 22
