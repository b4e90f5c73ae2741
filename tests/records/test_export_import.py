"""Tables out of the records and into them."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from flawline.cli.main import run
from flawline.data.table_format import stated_format
from flawline.errors import ManifestError, SourceError, StoreError, UsageError
from flawline.records import DefectRecord, Record, open_store
from flawline.records.export import export_tables
from flawline.records.imports import Reading, import_table
from flawline.records.where import Where
from flawline.records.write import Added
from helpers.inspected_records import START, record
from helpers.spreadsheets import Day, write_xlsx


def all_of(store):
    return [kept.record for kept in store.page(count=10_000, newest=False).items]


@pytest.fixture
def own(tmp_path):
    with open_store(str(tmp_path / "own.db")) as store:
        yield store


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_exported_can_be_imported_elsewhere(store, tmp_path, form):
    made = [record(n) for n in range(30)]
    made.append(record(30, lot="007", part="=1+1", step="-3", reasons=("a", "b, c"), spec=""))
    made.append(Record("nothing.png", START - timedelta(1), None, ("the file is empty",)))
    made.append(record(31, measures={"score": 4.0}, captured=None, size=None))
    store.add(made)
    inspections, defects, decisions = export_tables(store, tmp_path / "out", form=form)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{name}.{form}" for name in ("inspections", "defects", "decisions")
    }
    with open_store(str(tmp_path / "other.db")) as other:
        done = import_table(other, inspections)
        assert done.added == Added(len(made), 0)
        assert done.defects == sum(len(r.defects) for r in made)
        same = {r.image: r for r in all_of(other)}
        # A measure with the name of a field gets another one.
        renamed = same.pop("cam1/000031.png")
        assert renamed.measures == {"measure_score": 4.0}
        assert same == {r.image: r for r in made if r.image in same}
        assert len(same) == len(made) - 1
        assert import_table(other, inspections).added == Added(0, len(made))
    read = pl.read_parquet if form == "parquet" else pl.read_csv
    assert len(read(defects)) == done.defects
    assert len(read(decisions)) == 0


def test_exports_have_decisions_and_only_what_was_asked_for(own, tmp_path):
    own.add([record(n) for n in range(12)])
    (kept,) = own.page(Where(names={"part": "P000003"})).items
    own.decide(kept.id, "accept", who="Ada", why="dust", when=START)
    own.decide(kept.id, "review", who="Bob", why="unsure", when=START)
    paths = export_tables(own, tmp_path, Where(names={"lot": "L0"}), form="csv")
    with paths[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [record(n).image for n in range(10)]
    assert (rows[3]["verdict"], rows[3]["decision"], rows[2]["decision"]) == (
        "reject",
        "review",
        "",
    )
    assert rows[3]["captured"] == "2026-03-01T06:00:03+00:00"
    with paths[2].open(newline="") as file:
        decisions = list(csv.DictReader(file))
    assert [(d["who"], d["verdict"], d["machine"]) for d in decisions] == [
        ("Ada", "accept", "reject"),
        ("Bob", "review", "reject"),
    ]
    with pytest.raises(UsageError):
        export_tables(own, tmp_path, form="xlsx")


def test_an_export_of_nothing_has_its_columns(own, tmp_path):
    for form in ("csv", "parquet"):
        paths = export_tables(own, tmp_path, form=form)
        read = pl.read_parquet if form == "parquet" else pl.read_csv
        assert read(paths[0]).columns[:2] == ["id", "image"]
        assert len(read(paths[0])) == 0


def test_a_table_that_flawline_measure_wrote(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("masks").mkdir()
    for name, half in (("a", 3), ("b", 10), ("c", 0)):
        mask = np.zeros((80, 100), np.uint8)
        mask[40 - half : 40 + half, 50 - half : 50 + half] = 1
        cv2.imwrite(f"masks/{name}.png", mask)
    assert run(["measure", "masks", "--classes", "stain", "-q"]) == 0
    done = import_table(own, Path("defects-parts.parquet"))
    assert (done.added.new, done.defects) == (3, 2)
    assert done.ordered
    columns = own.columns("LargestStainArea", by=["image"])
    # Of the contour, as the published table has it: the outermost half pixel is not in it.
    assert columns["LargestStainArea"] == [25.0, 361.0, 0.0]
    assert columns["image"] == ["a.png", "b.png", "c.png"]
    areas = own.columns("area", by=["class"], level="defect")
    assert (areas["area"], areas["class"]) == ([36.0, 400.0], ["stain", "stain"])


def test_any_table_with_its_own_names(own, tmp_path):
    table = tmp_path / "old.csv"
    table.write_text(
        "Teil;Charge;Zeit;Rauheit;Bemerkung\n"
        "1;007;2026-03-01 06:00:00;0.5;ok\n"
        "2;007;2026-03-01 06:00:01;0.75;\n"
        "3;008;2026-03-01 06:00:02;;fiel herunter\n"
    )
    how = Reading(
        {"part": "Teil", "lot": "Charge", "captured": "Zeit"},
        {"station": "press"},
        timezone(timedelta(hours=1)),
    )
    done = import_table(own, table, how=how)
    assert (done.added, done.measures, done.ordered) == (Added(3, 0), ("Rauheit",), False)
    first, _, third = all_of(own)
    assert first.captured == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert (first.lot, first.station, first.part) == ("007", "press", "1")
    assert (first.measures, first.further) == ({"Rauheit": 0.5}, {"Bemerkung": "ok"})
    assert (third.measures, third.verdict) == ({}, None)
    assert own.columns("Rauheit")["Rauheit"] == [0.5, 0.75]
    assert import_table(own, table, how=how).added == Added(0, 3)


def test_rows_without_times_keep_their_order(own, tmp_path):
    table = tmp_path / "old.csv"
    names = [f"{n * 7919 % 100:02}.png" for n in range(100)]
    table.write_text("image,x\n" + "".join(f"{name},{n}\n" for n, name in enumerate(names)))
    assert import_table(own, table).ordered
    assert own.columns("x")["x"] == list(range(100))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image,x\na.png,1\na.png,2\n", "rows 1 and 2"),
        ("x,y\n1,2\n", "row 1"),
        ("image,verdict\na.png,good\n", "row 1"),
        ("image,captured\na.png,2026-01-01T00:00:00\n", "zone"),
        ("image,captured\na.png,yesterday\n", "row 1"),
        ("image,sha256\na.png,xyz\n", "SHA-256"),
        ("image,score\na.png,high\n", "row 1"),
        ("image,height,width\na.png,1,\nb.png,2,x\n", "row 2"),
        ("image,further\na.png,[1]\n", "further"),
    ],
)
def test_rows_that_cannot_be_used_are_named_and_nothing_is_written(own, tmp_path, text, expected):
    table = tmp_path / "t.csv"
    table.write_text(text)
    with pytest.raises(ManifestError) as caught:
        import_table(own, table)
    assert expected in caught.value.message
    assert own.count() == 0


def test_tables_that_are_none_are_said(own, tmp_path):
    with pytest.raises(SourceError):
        import_table(own, tmp_path / "missing.csv")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError):
        import_table(own, tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("image,x\na.png,1\n")
    (tmp_path / "d.csv").write_text("image,class,area\nb.png,stain,1\n")
    with pytest.raises(ManifestError, match=r"b\.png"):
        import_table(own, tmp_path / "a.csv", defects=tmp_path / "d.csv")
    with pytest.raises(ManifestError, match="'Charge'"):
        import_table(own, tmp_path / "a.csv", how=Reading({"lot": "Charge"}))
    with pytest.raises(UsageError):
        Reading({"lott": "Charge"})


def test_defects_keep_their_boxes(own, tmp_path):
    made = record(3, defects=(DefectRecord("a", (1, 2, 3, 4)), DefectRecord("b", None, {"x": 1.0})))
    own.add([made])
    paths = export_tables(own, tmp_path, form="csv")
    with open_store(str(tmp_path / "other.db")) as other:
        import_table(other, paths[0])
        assert all_of(other) == [made]


def test_tables_of_spreadsheets_are_imported_and_no_column_is_dropped_unsaid(own, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(
        "captured;part;area;width [mm];ok;note;split\n"
        "01.03.2026 06:00:00;A1;0,25;1.234,5;OK;;1\n"
        ";;;;;;\n"
        "02.03.2026 06:00;A2;0,50;n/a;NOK;dust;2\n"
        "02.03.2026 06:01;A3;;9,5;OK;;2\n;;;;;;\n",
        encoding="cp1252",
    )
    done = import_table(own, table, how=Reading(zone=UTC))
    assert done.added == Added(3, 0)
    assert done.measures == ("area",)
    assert done.notes == (
        "t.csv: separated by semicolons",
        "t.csv: decimal commas in area",
        "kept as text, not as measures: width [mm], ok, note",
        "width [mm] is no measure: 'n/a' in row 3 is no number",
        "left out: split",
    )
    first, second, third = all_of(own)
    assert [r.measures for r in (first, second, third)] == [{"area": 0.25}, {"area": 0.5}, {}]
    assert first.captured == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert dict(second.further) == {"width [mm]": "n/a", "ok": "NOK", "note": "dust"}


def test_numbers_and_dates_of_two_readings_are_not_imported(own, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text('part,x\nA,"1,234"\nB,"2,345"\n')
    with pytest.raises(SourceError, match="column 'x'"):
        import_table(own, table)
    stated = stated_format({"decimal": "comma"})
    assert import_table(own, table, how=Reading({"image": "part"}, stated=stated)).added.new == 2
    assert sorted(r.measures["x"] for r in all_of(own)) == [1.234, 2.345]
    table.write_text("captured,x\n03/04/2026 06:00,1\n")
    with pytest.raises(SourceError, match="day 3 of month 4"):
        import_table(own, table, how=Reading(zone=UTC))
    assert own.count() == 2


def test_sheets_and_columns_of_every_type_are_imported(own, tmp_path):
    rows = [["part", "captured", "ok", "x", "made"], ["A", Day(46082.25), True, 1.5, Day(46081)]]
    path = write_xlsx(tmp_path / "m.xlsx", {"Messung": rows})
    done = import_table(own, path, how=Reading(zone=UTC))
    (kept,) = all_of(own)
    assert (done.measures, kept.measures) == (("ok", "x"), {"ok": 1.0, "x": 1.5})
    assert kept.captured == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert dict(kept.further) == {"made": "2026-02-28T00:00:00"}
    pl.DataFrame({"image": ["a"], "path": [[1.0, 2.0]]}).write_parquet(tmp_path / "t.parquet")
    assert "left out: path" in import_table(own, tmp_path / "t.parquet").notes


@pytest.mark.parametrize(
    "text",
    ["image,x\na.png,1\nb.png,2\n", "captured,x\n2026-03-01T06:00Z,1\n2026-03-01T07:00Z,2\n"],
)
def test_rows_of_another_lot_are_refused_or_imported_again(own, tmp_path, text):
    table = tmp_path / "t.csv"
    table.write_text(text)
    assert import_table(own, table, how=Reading(constant={"lot": "A"})).added == Added(2, 0)
    assert import_table(own, table, how=Reading(constant={"lot": "A"})).added == Added(0, 2)
    other = Reading(constant={"lot": "B"})
    with pytest.raises(
        StoreError, match=r"row 1 and 1 more are in .* already under lot A"
    ) as caught:
        import_table(own, table, how=other)
    assert caught.value.code == "record-repeated"
    assert own.count() == 2
    assert import_table(own, table, how=other, again=True).added == Added(2, 0)
    assert import_table(own, table, how=other, again=True).added == Added(0, 2)
    assert sorted(r.lot for r in all_of(own)) == ["A", "A", "B", "B"]
