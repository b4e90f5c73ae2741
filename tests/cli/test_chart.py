"""`flawline chart` and `flawline study` as a person and a program meet them."""

import csv
import json
import re

import numpy as np
import pytest

from flawline.cli.main import run
from flawline.records import open_store
from helpers.inspected_records import record


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(5)
    path = tmp_path / "parts.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["part", "lot", "area", "diameter", "defects", "units", "kind"])
        for part in range(1, 161):
            area = 0 if random.random() < 0.5 else round(float(random.lognormal(-2, 0.6)), 4)
            kind = random.choice(["stain", "scratch", "dent"], p=[0.7, 0.2, 0.1])
            rows.writerow(
                [
                    f"P{part}",
                    f"L{(part - 1) // 8:02d}",
                    3.0 if part == 120 else area,
                    round(10 + 0.1 * float(np.sin(2.3 * part)), 4),
                    int(random.binomial(1, 0.2)),
                    1,
                    kind,
                ]
            )
    return path


def test_a_signal_is_exit_code_1_and_the_finding_comes_first(table, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["chart", str(table), "--measure", "area", "--unit", "mm²", "--label", "part"]
    assert run([*arguments, "-o", str(out)]) == 1
    shown = capsys.readouterr()
    assert "P120 is above the upper limit" in " ".join(shown.out.split())
    assert "exactly zero" in shown.err
    page = (out / "chart.html").read_text(encoding="utf-8")
    assert "P120 is above the upper limit" in page
    assert not re.search(r"(src|href)=\W?https?:", page)
    assert sorted(p.name for p in out.iterdir()) == [
        "chart.html",
        "chart.json",
        "chart.png",
        "chart.svg",
    ]


def test_json_is_one_document_and_the_same_each_time(table, tmp_path, capsys):
    documents = []
    for name in ("one", "two"):
        arguments = ["chart", str(table), "--measure", "area", "--json", "--quiet"]
        assert run([*arguments, "-o", str(tmp_path / name)]) == 1
        shown = capsys.readouterr()
        assert shown.err == ""
        documents.append(shown.out)
    assert documents[0] == documents[1]
    told = json.loads(documents[0])
    assert told["in_control"] is False
    assert told["signals"][0]["rule"] == 1
    for name in ("chart.html", "chart.svg", "chart.png", "chart.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_limits_are_frozen_and_judge_another_day(table, tmp_path, capsys):
    limits = tmp_path / "limits.json"
    measure = ["--measure", "diameter", "--quiet", "-o", str(tmp_path / "out")]
    assert run(["chart", str(table), *measure, "--freeze", str(limits)]) == 0
    assert "In control" in capsys.readouterr().out
    assert run(["chart", str(table), *measure, "--limits", str(limits)]) == 0
    assert "given" in capsys.readouterr().out
    later = tmp_path / "later.csv"
    later.write_text("diameter\n" + "\n".join(["10.0", "13.0", "10.1"]) + "\n")
    assert run(["chart", str(later), *measure, "--limits", str(limits)]) == 1
    assert "Part 2 is above the upper limit" in capsys.readouterr().out
    assert run(["chart", str(later), *measure, "--limits", str(limits), "--freeze", "x.json"]) == 2
    assert "these are given" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--measure", "diameter", "--chart", "xbar-r", "--by", "lot"],
        ["--measure", "diameter", "--chart", "xbar-s", "--subgroup", "8", "--rules", "we"],
        ["--measure", "area", "--by", "lot", "--summary", "max"],
        ["--measure", "diameter", "--chart", "ewma", "--weight", "0.3"],
        ["--measure", "diameter", "--chart", "cusum", "--centre", "10", "--sigma", "0.1"],
        ["--measure", "diameter", "--chart", "run"],
        ["--measure", "diameter", "--chart", "ma", "--span", "5", "--subgroup", "4"],
        ["--measure", "diameter", "--chart", "zone"],
        ["--measure", "diameter", "--product", "lot", "--product-sigma", "relative"],
        ["--measure", "diameter", "--chart", "i-mr-r", "--by", "lot"],
        ["--measure", "diameter", "--chart", "i-mr-s", "--by", "lot", "--zones"],
        ["--measure", "defects", "--chart", "p", "--by", "lot"],
        ["--measure", "defects", "--chart", "laney-u", "--subgroup", "lot", "--size", "units"],
        ["--measure", "kind", "--chart", "pareto"],
        ["--measure", "diameter", "--stage", "lot", "--chart", "run"],
        ["--measure", "area", "--set-aside", "120", "--set-aside", "auto", "--zones"],
    ],
    ids=lambda options: "-".join(options).replace("--", ""),
)
def test_the_kinds_of_charts(table, tmp_path, options, capsys):
    assert run(["chart", str(table), *options, "-o", str(tmp_path / "out")]) in (0, 1)
    assert capsys.readouterr().out.strip()


def test_between_and_within_takes_no_single_sigma(table, capsys):
    given = ["--chart", "i-mr-r", "--by", "lot", "--centre", "10", "--sigma", "1"]
    assert run(["chart", str(table), "--measure", "diameter", *given]) == 2
    assert "within subgroups too" in capsys.readouterr().err


def test_short_runs_take_their_own_options(table, capsys):
    given = ["chart", str(table), "--measure", "diameter"]
    for options, told in (
        (["--chart", "z-mr"], "name the column that holds it with --product"),
        (["--product", "lot", "--centre", "10", "--sigma", "1"], "mean and sigma for each product"),
        (["--product-sigma", "constant"], "--product-sigma goes with the chart z-mr"),
        (["--product", "lot", "--product-sigma", "all"], "for --product-sigma, got 'all'"),
        (["--chart", "ewma", "--product", "lot"], "--product goes with the chart z-mr, got ewma"),
    ):
        assert run([*given, *options]) == 2
        assert told in " ".join(capsys.readouterr().err.split())


def test_rows_that_cannot_be_charted_are_listed_and_are_exit_code_2(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "\n".join([*"1 2 1 2 1 2 x".split(), ""]) + "\n")
    assert run(["chart", str(path), "--measure", "a", "-o", str(tmp_path / "out"), "--quiet"]) == 2
    assert "could not be charted: 7: 'x' is not a number" in capsys.readouterr().err
    assert "could not be charted" in (tmp_path / "out" / "chart.html").read_text(encoding="utf-8")


def test_a_blank_cell_does_not_hide_a_signal(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a,n\n" + "10,x\n11,x\n" * 8 + "50,x\n10,x\n,x\n")
    arguments = ["chart", str(path), "--measure", "a", "-o", str(tmp_path / "out"), "--json"]
    assert run(arguments) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["in_control"]
    assert document["skipped"] == [{"label": "19", "reason": "the cell is empty"}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--measure", "nothing"], "no column 'nothing'"),
        (["--measure", "kind"], "no row can be charted by the column"),
        (["--measure", "units"], "do not vary"),
        (["--measure", "area", "--chart", "bar"], "expected a chart of"),
        (["--measure", "area", "--rules", "9"], "expected a rule of 1 to 8"),
        (["--measure", "area", "--by", "lot", "--subgroup", "5"], "give one of them"),
        (["--measure", "area", "--centre", "1"], "--centre and --sigma"),
        (["--measure", "area", "--limits", "missing.json"], "cannot read frozen limits"),
        (["--measure", "area", "--transform", "cube"], "expected a transform"),
        (["--measure", "area", "--weight", "2"], "weight must be above 0"),
        (["--measure", "diameter", "--chart", "xbar-r"], "only single ones"),
    ],
)
def test_nonsense_says_what_was_expected(table, tmp_path, options, words, capsys):
    assert run(["chart", str(table), *options, "-o", str(tmp_path / "out")]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_capability_study(table, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["study", "capability", str(table), "--measure", "diameter", "-o", str(out)]
    assert run([*arguments, "--lsl", "9.5", "--usl", "10.5", "--target", "10"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(r"(Cpk|Ppk) is \d\.\d\d \(95 % interval", shown)
    written = sorted(path.name for path in out.iterdir())
    assert written == [f"capability.{end}" for end in ("html", "json", "png", "svg")]
    assert run([*arguments, "--usl", "10.5", "--transform", "none", "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["indices"]) == {"Cpu", "Cpk", "Ppu", "Ppk"}
    assert told["ppm"]["observed"] == {"below": None, "above": 0.0, "total": 0.0}
    with open_store(str(tmp_path / "records.db")) as store:
        store.add([record(n, measures={"width": 10 + (n * 7 % 11) / 10}) for n in range(40)])
    records = ["--store", str(tmp_path / "records.db"), "--measure", "width", "-o", str(out)]
    assert run(["study", "capability", *records, "--lsl", "9", "--usl", "12", "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["in_control"]) == (40, True)
    assert told["usable"] == "not alone"
    assert told["finding"].startswith("Only 40 measurements, 50 or more are usual")
    strict = ["study", "capability", *records, "--lsl", "9", "--usl", "12", "--strict"]
    assert run(strict) == 2
    assert capsys.readouterr().out.startswith("Only 40 measurements")
    assert run(["study", "capability", "--measure", "width", "--lsl", "9"]) == 2
    assert "expected either a table or a store" in capsys.readouterr().err
    assert run(arguments) == 2
    assert "capability needs a specification limit" in capsys.readouterr().err
    assert run([*arguments, "--lsl", "11", "--usl", "10"]) == 2
    assert "must be below the upper one" in " ".join(capsys.readouterr().err.split())
