from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from flawline.cli.main import run

SPEC = """
name = "plates"
version = {version}
limits = [
  {{ limit = "area", class = "stain", max = "{area} px2" }},
  {{ limit = "count", class = "scratch", max = 0 }},
]
"""


@pytest.fixture
def plates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three masks with their pictures: a small stain, a large one, a scratch."""
    monkeypatch.chdir(tmp_path)
    for folder in ("masks", "images"):
        Path(folder).mkdir()
    for name, half, value in (("a", 3, 2), ("b", 10, 2), ("c", 2, 1)):
        mask = np.zeros((80, 100), np.uint8)
        mask[40 - half : 40 + half, 50 - half : 50 + half] = value
        cv2.imwrite(f"masks/{name}.png", mask)
        cv2.imwrite(f"images/{name}.png", np.where(mask, 90, 180).astype(np.uint8))
    Path("new.toml").write_text(SPEC.format(version=2, area=100))
    Path("old.toml").write_text(SPEC.format(version=1, area=1000))
    Path("lax.toml").write_text('limits = [{ limit = "area", max = "9999 px2" }]')
    return tmp_path


def measured(*more: str) -> str:
    assert run(["measure", "masks", "--classes", "scratch,stain", "-q", *more]) == 0
    return "defects.parquet"


def test_from_masks_to_verdicts(plates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = measured()
    code = run(
        [
            "judge",
            table,
            "--spec",
            "new.toml",
            "--against",
            "old.toml",
            "--pictures",
            "images",
            "--json",
        ]
    )
    assert code == 1
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    verdicts = {item["image"]: item["verdict"] for item in document["judgements"]}
    assert verdicts == {"a.png": "accept", "b.png": "reject", "c.png": "reject"}
    assert document["against"]["ways"] == {"accept to reject": 1}
    assert document["against"]["changes"] == [
        {"image": "b.png", "before": "accept", "after": "reject"}
    ]
    (violation,) = document["judgements"][1]["violations"]
    assert (violation["value"], violation["limit"], violation["margin"]) == (400, 100, -300)
    assert violation["defects"] == [1]
    assert document["judgements"][0]["closest"]["margin"] == 0  # no scratch against at most none
    assert len({item["spec"] for item in document["judgements"]}) == 1
    report = Path("flawline-verdicts/report.html").read_text(encoding="utf-8")
    assert report.count("<img") == 3, "two that are not accepted, and the one that changed"
    assert "accept to reject" in report
    assert "http" not in report.replace("http-equiv", "")
    rows = Path("flawline-verdicts/verdicts.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 4


def test_exit_codes(plates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = measured()
    assert run(["judge", table, "--spec", "lax.toml"]) == 0
    assert run(["judge", table, "--spec", "new.toml"]) == 1
    Path("mm.toml").write_text('limits = [{ limit = "area", max = "1 mm2" }]')
    assert run(["judge", table, "--spec", "mm.toml", "--json"]) == 2
    error = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert error["code"] == "spec"
    assert error["message"].startswith("mm.toml: line 1:")
    Path("p.toml").write_text('limits = [{ limit = "p_value", min = 0.01 }]')
    assert run(["judge", table, "--spec", "p.toml"]) == 2
    assert "could not be judged: a.png" in capsys.readouterr().err


def test_an_unreadable_mask_is_measured_as_such_and_never_accepted(
    plates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("masks/d.png").write_bytes(b"\x89PNG\r\n\x1a\ntorn")
    assert run(["measure", "masks", "--classes", "scratch,stain"]) == 2
    assert "could not be judged: d.png" in capsys.readouterr().err
    assert run(["judge", "defects.parquet", "--spec", "lax.toml", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"accept": 3, "review": 0, "reject": 0, "unjudged": 1}


def test_csv_is_judged_like_parquet(plates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured("--scale", "0.1,0.001")
    measured("--scale", "0.1,0.001", "-o", "defects.csv")
    Path("mm.toml").write_text(
        'limits = [{ limit = "area", max = "1 mm2" }, { limit = "nearest_distance", min = "1 mm" }]'
    )
    said = []
    for table in ("defects.parquet", "defects.csv"):
        capsys.readouterr()
        assert run(["judge", table, "--spec", "mm.toml", "--json"]) == 1
        document = json.loads(capsys.readouterr().out)
        said.append((document["judgements"], document["counts"]))
    assert said[0] == said[1]


@pytest.mark.parametrize("table", ["none.parquet", "none.csv"])
def test_parts_without_any_defect_are_accepted(plates: Path, table: str) -> None:
    Path("clean").mkdir()
    for name in "ab":
        cv2.imwrite(f"clean/{name}.png", np.zeros((50, 60), np.uint8))
    assert run(["measure", "clean", "-o", table, "--scale", "0.1"]) == 0
    Path("s.toml").write_text(
        'limits = [{ limit = "area", max = "1 mm2" }, { limit = "nearest_distance", min = "1 px" }]'
    )
    assert run(["judge", table, "--spec", "s.toml", "--pictures", "images"]) == 0


def test_a_class_that_the_table_does_not_know_is_an_error(
    plates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = measured("--smallest", "50")  # leaves one defect: a stain
    Path("s.toml").write_text('limits = [{ limit = "count", class = "scratch", max = 0 }]')
    assert run(["judge", table, "--spec", "s.toml"]) == 1, "named, though there is none"
    assert "no clause covers 'stain'" in capsys.readouterr().out
    clauses = '{ limit = "count", class = "scratch", max = 0 }, { limit = "count", max = 9 }'
    Path("s.toml").write_text(f"limits = [{clauses}]")
    parts = pl.read_parquet("defects-parts.parquet")
    old = parts.rename({"count_scratch": "NumberOfScratches"})
    old.write_parquet("defects-parts.parquet")
    assert run(["judge", table, "--spec", "s.toml"]) == 0, "as version 0.1 wrote it"
    Path("s.toml").write_text('limits = [{ limit = "count", class = "scrach", max = 0 }]')
    assert run(["judge", table, "--spec", "s.toml"]) == 2
    assert "line 1: the table has no class 'scrach'" in capsys.readouterr().err


def test_measure_as_json(plates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["measure", "masks", "--classes", "1=scratch,2=stain", "--spec", "new.toml", "--json"])
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["defects"] == {"scratch": 1, "stain": 2}
    assert Path(document["table"]).is_file()
    assert Path(document["parts"]).is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["measure", "masks", "-o", "x.txt"], ".parquet or .csv"),
        (["measure", "masks", "--classes", "a,,b"], "--classes"),
        (["measure", "masks", "--classes", "300=a"], "1 to 255"),
        (["measure", "masks", "--scale", "0"], "--scale"),
        (["measure", "masks", "--scale", "1,2,3"], "--scale"),
        (["measure", "masks", "--frame", "1"], "--frame"),
        (["judge", "none.parquet", "--spec", "new.toml"], "cannot read the table"),
        (["judge", "new.toml", "--spec", "new.toml"], "cannot read the table"),
        (["calibrate-scale"], "expected a picture"),
        (["calibrate-scale", "--points", "1,2,3", "--distance", "4"], "--points"),
        (["calibrate-scale", "--points", "1,1,1,1", "--distance", "4"], "two different points"),
        (["calibrate-scale", "images/a.png", "--square", "5"], "no checkerboard"),
        (["calibrate-scale", "images/a.png", "--square", "5", "--corners", "9"], "--corners"),
    ],
)
def test_mistakes(
    plates: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err


def test_the_scale_of_a_board_and_of_two_points(
    plates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    squares = np.add.outer(np.arange(7), np.arange(10)) % 2
    board = np.pad(np.kron(squares, np.ones((30, 30))), 40, constant_values=1)
    cv2.imwrite("board.png", (board * 200 + 25).astype(np.uint8))
    assert run(["calibrate-scale", "board.png", "--square", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mm_per_px"] == pytest.approx(0.1, rel=1e-3)
    assert found["board"]["corners"] == [9, 6]
    assert run(["calibrate-scale", "--points", "0,0,300,400", "--distance", "50"]) == 0
    assert capsys.readouterr().out.startswith("0.1 mm/px")


def test_a_smoothed_mask_is_listed_until_a_threshold_cuts_it(
    plates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("soft").mkdir()
    sharp = cv2.circle(np.zeros((50, 60), np.uint8), (25, 25), 9, 255, -1)
    cv2.imwrite("soft/a.png", sharp)
    cv2.imwrite("soft/b.png", cv2.blur(sharp, (3, 3)))
    for names in ([], ["--classes", "255=stain"]):
        assert run(["measure", "soft", *names]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "could not be judged: b.png: expected" in said
        assert "with --threshold 128" in said
        assert pl.read_parquet("defects-parts.parquet")["unjudged"].is_not_null().sum() == 1
    assert run(["measure", "soft", "--classes", "stain", "--threshold", "128"]) == 0
    areas = pl.read_parquet("defects.parquet")["area"].to_list()
    assert areas[0] == (sharp > 0).sum()
    assert areas[1] == pytest.approx(areas[0], rel=0.05)


def test_annotations_are_measured_as_they_are_read(
    plates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outline = [10, 10, 30, 10, 30, 20, 10, 20]
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 50}],
        "categories": [{"id": 1, "name": "dent"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [outline]}],
    }
    Path("coco.json").write_text(json.dumps(document))
    for number, size in enumerate(((50, 60), (50, 60))):
        Path("shots").mkdir(exist_ok=True)
        cv2.imwrite(f"shots/{'ab'[number]}.png", np.full(size, 90, np.uint8))
    assert run(["measure", "shots", "--annotations", "coco.json"]) == 2
    said = capsys.readouterr().err
    assert "class masks (COCO): dent" in said
    assert "could not be judged: b.png: the picture has no mask" in said
    assert "state it with --unlabelled empty" in " ".join(said.split())
    assert pl.read_parquet("defects.parquet")["area"].to_list() == [200]
    options = ["--annotations", "coco.json", "--unlabelled", "empty"]
    assert run(["measure", "shots", *options]) == 0
    assert pl.read_parquet("defects-parts.parquet")["count_dent"].to_list() == [1, 0]


def test_an_annotated_box_is_listed_and_filled_on_request(
    plates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = '<box label="stain" xtl="10" ytl="10" xbr="20" ybr="15"/>'
    ellipse = '<ellipse label="stain" cx="50" cy="40" rx="9" ry="6"/>'
    images = "".join(
        f'<image name="{name}.png" width="100" height="80">{shape}</image>'
        for name, shape in (("a", box), ("b", ellipse), ("c", ""))
    )
    Path("cvat.xml").write_text(f"<annotations>{images}</annotations>")
    command = ["measure", "images", "--annotations", "cvat.xml", "--json"]
    assert run(command) == 2
    unjudged = json.loads(capsys.readouterr().out)["unjudged"]
    assert [(item["image"], item["code"]) for item in unjudged] == [("a.png", "image-mask-outline")]
    assert "cvat.xml, line 1: expected an outline, got a box" in unjudged[0]["reason"]
    assert run([*command, "--boxes", "fill"]) == 0
    assert json.loads(capsys.readouterr().out)["defects"] == {"stain": 2}
    assert run([*command, "--boxes", "guess"]) == 2
    assert "--boxes takes refuse, fill or grabcut, got 'guess'" in capsys.readouterr().out
