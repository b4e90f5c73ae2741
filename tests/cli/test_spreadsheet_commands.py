"""Commands on tables as spreadsheets write them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from flawline.cli.main import run

GERMAN = "Teil;Länge;Prüfung\n" + "".join(
    f"{n};10,{n * 7 % 11:02}0;{'n.i.O.' if n % 13 == 0 else 'i.O.'}\n" for n in range(1, 41)
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "teile.csv"
    path.write_text("sep=;\n" + GERMAN, encoding="utf-8-sig")
    return path


def test_charts_and_studies_say_what_they_understood(table, tmp_path, capsys):
    arguments = ["--measure", "Länge", "-o", str(tmp_path / "out")]
    for command in (["chart", str(table)], ["study", "capability", str(table), "--usl", "11"]):
        assert run([*command, *arguments]) == 0
        shown = capsys.readouterr().err
        assert "teile.csv: separated by semicolons" in shown
        assert "teile.csv: decimal commas in Länge" in shown
    assert run(["chart", str(table), *arguments, "--phase1", "20", "--json"]) == 0
    assert "decimal commas in Länge" in " ".join(json.loads(capsys.readouterr().out)["notes"])


def test_words_are_counted_on_charts_of_counts_alone(table, tmp_path, capsys):
    arguments = ["chart", str(table), "--measure", "Prüfung", "-o", str(tmp_path / "out")]
    assert run([*arguments, "--chart", "p", "--subgroup", "10", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "in Prüfung, 'i.O.' counts as 0, 'n.i.O.' counts as 1" in document["notes"]
    assert run(arguments) == 2
    assert "'i.O.' is not a number" in capsys.readouterr().err


def test_a_stated_format_settles_what_can_be_read_in_two_ways(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("kind\tx\n" + "".join(f"k\t{n % 3 + 1},{500 + n}\n" for n in range(30)))
    arguments = ["chart", str(path), "--measure", "x", "-o", str(tmp_path / "out")]
    assert run(arguments) == 2
    assert "--table-format decimal=comma or --table-format decimal=point" in capsys.readouterr().err
    centres = []
    for decimal in ("comma", "point"):
        run([*arguments, "--table-format", f"decimal={decimal}", "--transform", "none", "--json"])
        centres.append(json.loads(capsys.readouterr().out)["stages"][0]["limits"]["centre"])
    assert centres[1] == pytest.approx(1000 * centres[0])
    assert run([*arguments, "--table-format", "decimals=comma"]) == 2
    assert "Did you mean 'decimal'?" in capsys.readouterr().err
    pareto = ["chart", str(path), "--measure", "kind", "--size", "x", "--chart", "pareto"]
    assert run([*pareto, "-o", str(tmp_path / "out")]) == 2
    assert run([*pareto, "-o", str(tmp_path / "out"), "--table-format", "decimal=comma"]) == 0
    assert "separated by tabs" in capsys.readouterr().err


def test_measured_tables_saved_by_a_spreadsheet_are_judged_as_before(tmp_path, capsys):
    (tmp_path / "masks").mkdir()
    for n in range(3):
        mask = np.zeros((60, 60), np.uint8)
        mask[5 : 10 + 5 * n, 5:12] = 1
        cv2.imwrite(str(tmp_path / "masks" / f"{n}.png"), mask)
    (tmp_path / "spec.toml").write_text(
        'limits = [{ limit = "area", class = "stain", max = "40 px2" }]', encoding="utf-8"
    )
    own = tmp_path / "d.csv"
    assert run(["measure", str(tmp_path / "masks"), "--classes", "stain", "--out", str(own)]) == 0
    capsys.readouterr()
    documents = []
    for path in (own, tmp_path / "saved.csv"):
        if path != own:
            for ending in ("", "-parts"):
                text = (tmp_path / f"d{ending}.csv").read_text("utf-8")
                text = text.replace(",", ";").replace(".", ",").replace(",png", ".png")
                (tmp_path / f"saved{ending}.csv").write_bytes(text.encode("utf-16"))
        run(
            [
                "judge",
                str(path),
                "--spec",
                str(tmp_path / "spec.toml"),
                "-o",
                str(tmp_path),
                "--json",
            ]
        )
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0]["counts"]["reject"] == 2
    assert documents[0]["judgements"] == documents[1]["judgements"]
