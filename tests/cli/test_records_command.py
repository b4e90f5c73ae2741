from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flawline.cli.main import app, run
from flawline.cli.records import records
from flawline.inspector import Inspector
from flawline.recipe import write_recipe
from flawline.records import DefectRecord, Record, open_store
from flawline.records.pictures import default_pictures, open_pictures
from flawline.station.stored_recipe import store_recipe
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.inspected_records import START, record
from helpers.networks import write_network

if not any(group.typer_instance is records for group in app.registered_groups):
    app.add_typer(records)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """records.db with 30 inspections; returns the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    with open_store("records.db") as store:
        store.add([record(n) for n in range(30)])
    return tmp_path


def as_json(capsys, *arguments, code=0):
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def test_the_newest_are_listed_page_by_page(kept, capsys):
    assert run(["records", "list", "records.db", "--count", "3"]) == 0
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == ["id", "30", "29", "28"]
    assert "cam1/000029.png" in told.out
    after = re.search(r"--after=(\S+)", told.err)[1]
    page = as_json(capsys, "records", "list", "records.db", "--count", "3", "--after", after)
    assert [item["id"] for item in page["records"]] == [27, 26, 25]
    assert page["records"][0]["measures"]["LargestStainArea"] == 39.0


def test_conditions_choose(kept, capsys):
    listed = ["records", "list", "records.db"]
    found = as_json(capsys, *listed, "--where", "lot=L1", "--verdict", "reject")
    assert [item["image"] for item in found["records"]] == ["cam1/000017.png", "cam1/000010.png"]
    span = ["--since", "2026-03-01T06:00:05Z", "--until", "2026-03-01T06:00:07Z"]
    found = as_json(capsys, *listed, *span)
    assert [item["image"] for item in found["records"]] == ["cam1/000006.png", "cam1/000005.png"]
    found = as_json(capsys, *listed, "--at-least", "count_stain=1", "--at-most", "largest_area=22")
    assert [item["image"] for item in found["records"]] == ["cam1/000010.png", "cam1/000003.png"]
    for wrong in (
        ["--at-least", "count_stain=many"],
        ["--at-least", "count_stain=nan"],
        ["--at-most", "areas=1"],
        ["--where", "lot"],
        ["--where", "batch=1"],
        ["--since", "today"],
        ["--since", "2026-03-01T06:00:05"],
        ["--verdict", "bad"],
        ["--after", "x"],
        ["--count", "0"],
    ):
        error = as_json(capsys, *listed, *wrong, code=2)["error"]
        assert error["code"] == "usage", error


def test_a_decision_is_added_and_shown(kept, capsys):
    decide = ["records", "decide", "records.db", "4"]
    assert run([*decide, "accept", "--who", "Ada", "--why", "dust"]) == 0
    assert "accept, decided by Ada; the machine said reject" in capsys.readouterr().out
    assert run(["records", "show", "records.db", "4"]) == 0
    shown = capsys.readouterr().out
    assert "verdict: reject" in shown
    assert re.search(r"decision \S+: accept by Ada: dust", shown)
    assert "defect 2: stain at (5, 7, 4, 3), area 14, peak 0.9" in shown
    document = as_json(capsys, "records", "show", "records.db", "4")
    assert (document["verdict"], document["decisions"][0]["verdict"]) == ("reject", "accept")
    undecided = ["records", "list", "records.db", "--verdict", "reject", "--undecided"]
    assert {item["id"] for item in as_json(capsys, *undecided)["records"]} == {11, 18, 25}
    assert run([*decide, "good", "--who", "Ada", "--why", "x"]) == 2
    assert run([*decide, "accept", "--who", "", "--why", "x"]) == 2
    assert run(["records", "decide", "records.db", "99", "accept", "--who", "A", "--why", "b"]) == 2
    assert "no inspection 99" in capsys.readouterr().err


def test_out_and_in_again(kept, capsys):
    tables = as_json(capsys, "records", "export", "records.db", "-o", "out", "--format", "csv")
    assert [Path(path).name for path in tables["tables"]] == [
        "inspections.csv",
        "defects.csv",
        "decisions.csv",
    ]
    done = as_json(capsys, "records", "import", "other.db", "out/inspections.csv")
    assert (done["new"], done["known"], done["defects"]) == (30, 0, 8)
    assert run(["records", "import", "other.db", "out/inspections.csv"]) == 0
    assert "0 inspections new, 30 known before" in capsys.readouterr().out
    one = as_json(capsys, "records", "list", "records.db", "--count", "30")["records"]
    two = as_json(capsys, "records", "list", "other.db", "--count", "30")["records"]
    assert [{**item, "id": 0} for item in one] == [{**item, "id": 0} for item in two]


def test_a_strange_table_is_told_how_to_be_read(kept, capsys):
    Path("old.csv").write_text("Teil;Charge;Zeit;Rauheit\n1;007;2026-03-01 06:00:00;0.5\n")
    columns = ["--column", "part=Teil", "--column", "lot=Charge", "--column", "captured=Zeit"]
    command = ["records", "import", "new.db", "old.csv", *columns, "--set", "station=press"]
    assert as_json(capsys, *command, code=2)["error"]["code"] == "manifest"
    assert as_json(capsys, *command, "--zone", "Mars", code=2)["error"]["code"] == "usage"
    assert as_json(capsys, *command, "--zone", "+01:00")["new"] == 1
    (item,) = as_json(capsys, "records", "list", "new.db")["records"]
    assert (item["captured"], item["station"], item["lot"]) == (
        "2026-03-01T05:00:00+00:00",
        "press",
        "007",
    )
    Path("plain.csv").write_text("image,x\na.png,1\n")
    assert run(["records", "import", "plain.db", "plain.csv"]) == 0
    assert "no times" in capsys.readouterr().err


def test_reading_never_begins_a_store(kept, capsys):
    for command in (["list", "none.db"], ["show", "none.db", "1"], ["export", "none.db"]):
        error = as_json(capsys, "records", *command, code=2)["error"]
        assert error["code"] == "store-missing"
    assert not Path("none.db").exists()


def test_a_verdict_is_judged_again(kept, capsys):
    recipe = train(write_discs(kept / "parts", good=20), write_network(kept / "n.onnx")).recipe
    inspector, pictures = Inspector(recipe), open_pictures(default_pictures("judged.db"))
    with open_store("judged.db") as store:
        store_recipe(store, pictures, recipe)
        for number, pixels in enumerate((disc(100), spoilt(1000))):
            data = write(kept / f"{number}.png", pixels).read_bytes()
            found = inspector.inspect(data)
            store.add(
                [
                    Record(
                        f"{number}.png",
                        START,
                        # As if the second had been accepted by another machine.
                        "accept",
                        picture=pictures.put(data),
                        score=found.score,
                        recipe=recipe.sha256,
                        defects=tuple(DefectRecord(r.label, r.box) for r in found.regions),
                    )
                ]
            )
    assert run(["records", "replay", "judged.db", "1"]) == 0
    assert "the same" in capsys.readouterr().out
    document = as_json(capsys, "records", "replay", "judged.db", "2", code=1)
    assert not document["same"]
    assert document["differences"] == ["the verdict is reject, it was accept"]
    write_recipe(recipe, kept / "r.flaw")
    options = ["--recipe", "r.flaw", "--pictures", "judged-pictures"]
    assert as_json(capsys, "records", "replay", "judged.db", "1", *options)["same"]
    error = as_json(capsys, "records", "replay", "records.db", "1", code=2)["error"]
    assert error["code"] == "picture-missing"
