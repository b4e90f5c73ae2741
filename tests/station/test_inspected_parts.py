"""The verdict of a part from those of its pictures."""

from __future__ import annotations

import csv
import json

import pytest

from flawline.cli.main import run
from flawline.data.source import opened
from flawline.inspector import Inspector
from flawline.recipe import write_recipe
from flawline.station.inspect_source import inspect_source
from flawline.station.inspected_parts import calibration_notes, part_counts, part_name
from flawline.station.inspection_tables import run_as_dict
from flawline.station.station import Station
from flawline.types import Sample
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=30), network).recipe


@pytest.fixture
def table(tmp_path):
    """Part a: three good surfaces; b: one bad among three; c: one that cannot be read; and a picture of no part."""
    rows = ["image,group"]
    for part in "abc":
        for side in range(3):
            name = f"{part}{side}.png"
            pixels = spoilt(1000) if (part, side) == ("b", 1) else disc(100 + ord(part) + 7 * side)
            write(tmp_path / name, pixels)
            rows.append(f"{name},{part}")
    (tmp_path / "c2.png").write_bytes(b"no picture")
    write(tmp_path / "alone.png", disc(300))
    path = tmp_path / "surfaces.csv"
    path.write_text("\n".join([*rows, "alone.png,"]) + "\n", encoding="utf-8")
    return path


def inspected(recipe, table):
    with opened(table) as source, Station(Inspector(recipe)) as station:
        return inspect_source(source, station)


def test_a_part_has_the_verdict_of_its_strictest_picture(recipe, table):
    found = inspected(recipe, table)
    by_name = {item.sample.name: item.inspection for item in found.inspections}
    a, b, c = found.parts
    assert [part.part for part in found.parts] == ["a", "b", "c"]
    assert b.verdict == by_name["b1.png"].verdict == "reject"
    assert (b.image, b.score, b.p_value) == (
        "b1.png",
        by_name["b1.png"].score,
        by_name["b1.png"].p_value,
    )
    assert b.reasons == by_name["b1.png"].reasons
    assert b.pictures == ("b0.png", "b1.png", "b2.png")
    severity = ["accept", "review", "reject"]
    own = [by_name[name] for name in a.pictures]
    assert a.verdict == max((one.verdict for one in own), key=severity.index)
    assert a.score == max(one.score for one in own if one.verdict == a.verdict)
    assert c.unjudged == ("c2.png",)
    assert "1 picture of it could not be judged" in c.reasons
    assert c.verdict != "accept"
    assert sum(part_counts(found.parts).values()) == 3


def test_a_part_of_which_nothing_could_be_judged_is_reviewed(recipe, tmp_path):
    write(tmp_path / "good.png", disc(7))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "s.csv").write_text("image,part\ngood.png,p1\nbad.png,p2\n", encoding="utf-8")
    first, second = inspected(recipe, tmp_path / "s.csv").parts
    assert (first.part, first.pictures) == ("p1", ("good.png",))
    assert (second.verdict, second.score, second.image) == ("review", None, None)


def test_a_source_without_parts_has_none(recipe, tmp_path):
    assert inspected(recipe, write_discs(tmp_path / "plain", good=2)).parts == ()


def test_the_column_part_comes_before_the_group():
    assert part_name(Sample("a.png", group="g", metadata={"part": 7})) == "7"
    assert part_name(Sample("a.png", group="g", metadata={"part": None})) == "g"
    assert part_name(Sample("a.png")) is None


def test_more_pictures_a_part_than_in_calibration_are_noted(recipe, table, tmp_path):
    found = inspected(recipe, table)
    (note,) = calibration_notes(recipe, found.parts)
    assert "parts here have 2.67 pictures each, those of the calibration 1" in note
    assert note in found.notes
    assert calibration_notes(recipe, found.parts[:0]) == ()
    single = inspected(recipe, _singles(tmp_path)).parts
    assert len(single) == 2
    assert calibration_notes(recipe, single) == ()


def _singles(folder):
    for name in ("x.png", "y.png"):
        write(folder / name, disc(ord(name[0])))
    path = folder / "singles.csv"
    path.write_text("image,group\nx.png,x\ny.png,y\n", encoding="utf-8")
    return path


def test_the_command_shows_parts_in_every_output(recipe, table, tmp_path, capsys):
    write_recipe(recipe, tmp_path / "part.flaw")
    out = tmp_path / "out"
    arguments = ["inspect", str(tmp_path / "part.flaw"), str(table), "-o", str(out)]
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert "\n3 parts: " in shown.out
    assert "parts here have" in shown.err
    with (out / "parts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["part"] for row in rows] == ["a", "b", "c"]
    assert (rows[1]["verdict"], rows[1]["image"], rows[1]["pictures"]) == ("reject", "b1.png", "3")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h2>Parts</h2>" in page
    assert page.index("<td>b</td>") < page.index("<td>a</td>")
    assert run([*arguments, "--json", "--quiet"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert [part["part"] for part in told["parts"]] == ["a", "b", "c"]
    assert told["parts"] == json.loads(json.dumps(run_as_dict(inspected(recipe, table))["parts"]))
