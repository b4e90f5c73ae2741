"""Every command that takes a table takes one whose name has brackets, and semicolons in it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from flawline.cli.main import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, object]:
    capsys.readouterr()
    assert run([*command, "--json", "--quiet"]) in (0, 1), capsys.readouterr().err
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def series(folder: Path) -> str:
    rows = "".join(f"p{n}.png;{10 + n % 3};stain\n" for n in range(40))
    Path("r[1].csv").write_text("image;area;kind\n" + rows)
    return "r[1].csv"


def test_chart(series: str, capsys: pytest.CaptureFixture[str]) -> None:
    chart = document(capsys, "chart", series, "--measure", "area", "-o", "out")
    assert Path("out/chart.html").is_file()
    assert chart["measure"] == "area"


def test_pareto(series: str, capsys: pytest.CaptureFixture[str]) -> None:
    pareto = document(
        capsys, "chart", series, "--chart", "pareto", "--measure", "kind", "-o", "out"
    )
    assert "stain" in json.dumps(pareto)


def test_import(series: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["records", "import", "new.db", series]) == 0
    assert "40" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_judge(folder: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    Path("masks").mkdir()
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 10:20] = 1
    cv2.imwrite("masks/a.png", mask)
    table = f"r[1]{suffix}"
    assert run(["measure", "masks", "--classes", "stain", "-q", "-o", table]) == 0
    Path("spec.toml").write_text('limits = [{ limit = "area", max = "50 px2" }]')
    judged = document(capsys, "judge", table, "--spec", "spec.toml")
    assert "reject" in json.dumps(judged)
    if suffix == ".csv":  # as a spreadsheet saves it again
        for name in ("r[1].csv", "r[1]-parts.csv"):
            pl.read_csv(name, glob=False, infer_schema=False).write_csv(name, separator=";")
        assert document(capsys, "judge", table, "--spec", "spec.toml") == judged


def test_judge_names_the_missing_table_of_parts(
    series: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("spec.toml").write_text('limits = [{ limit = "area", max = "50 px2" }]')
    assert run(["judge", series, "--spec", "spec.toml"]) == 2
    assert "r[1]-parts.csv" in capsys.readouterr().err
