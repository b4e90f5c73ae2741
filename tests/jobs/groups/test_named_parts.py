"""Parts by codes, names and order, on drawn pictures and on public ones where they are there."""

import csv
import sys

import cv2
import numpy as np
import pytest
import zxingcpp

import flawline
from flawline.cli.main import run
from flawline.data.part_names import part_pattern
from flawline.errors import DependencyError, SourceError, UsageError


def pictures(folder, *names, code=None):
    folder.mkdir(exist_ok=True)
    for name in names:
        pixels = np.random.default_rng(len(name)).integers(150, 250, (240, 480), dtype=np.uint8)
        if code is not None:
            drawn = np.array(zxingcpp.create_barcode(*code).to_image(scale=3))
            pixels[20 : 20 + drawn.shape[0], 30 : 30 + drawn.shape[1]] = drawn
        cv2.imwrite(str(folder / name), pixels)
    return folder


@pytest.mark.parametrize(
    ("pattern", "name", "fields"),
    [
        ("{lot}_{part}_{view}", "A7_0012_left.png", {"lot": "A7", "part": "0012", "view": "left"}),
        ("{lot}/{part}", "L1/p9.jpg", {"lot": "L1", "part": "p9"}),
        ("cam*-{part}", "x/cam3-run-12.png", {"part": "run-12"}),
        (
            "{spindle}_{captured}_{part}_*",
            "01_200828110014_277500_315_crop_2.jpg",
            {"spindle": "01", "captured": "2020-08-28T11:00:14", "part": "277500"},
        ),
        ("{lot}_{part}", "A7.png", None),
        ("{part}_{captured}", "p_20201399.png", None),
    ],
)
def test_patterns_read_names(pattern, name, fields):
    assert part_pattern(pattern).read(name) == fields


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{lot}_{view}", "needs the field {part}"),
        ("{part}_{part}", "{part} twice"),
        ("{Part}", "fields such as"),
        ("{part}_{label}", "fields such as"),
    ],
)
def test_patterns_without_sense_are_refused(pattern, message):
    with pytest.raises(UsageError, match=message):
        part_pattern(pattern)


@pytest.mark.parametrize(
    ("kind", "text"), [("DataMatrix", "SN-00421"), ("QRCode", "SN-00422"), ("Code128", "SN00423")]
)
def test_a_code_in_the_picture_names_the_part(tmp_path, kind, text):
    folder = pictures(
        tmp_path / "in", "a_1.png", code=(text, getattr(zxingcpp.BarcodeFormat, kind))
    )
    pictures(folder, "b_2.png")
    found = flawline.name_parts(folder, codes=True, part_from="*_{part}")
    assert [(one.fields.get("part"), one.by) for one in found.pictures] == [
        (text, "code"),
        ("2", "name"),
    ]
    assert any("code and name disagree in 1 picture" in note for note in found.notes)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    with pytest.raises(DependencyError) as caught:
        flawline.name_parts(pictures(tmp_path / "in", "a.png"), codes=True)
    assert "flawline[codes]" in caught.value.hint


def test_a_sequence_goes_by_numbers_and_names_its_gaps(tmp_path):
    folder = pictures(
        tmp_path / "in", *(f"k{n:03d}.png" for n in [*range(4), *range(8, 12), 13, 14])
    )
    found = flawline.name_parts(folder, sequence=4)
    assert found.parts == {"1": 4, "3": 4, "4": 2}
    assert found.gaps == ("4 to 7", "12")
    assert found.uncertain == ("3", "4")


def test_a_sequence_without_numbers_goes_by_order(tmp_path):
    folder = pictures(tmp_path / "in", "a.png", "b.png", "c.png", "d.png")
    assert flawline.name_parts(folder, sequence=2).parts == {"1": 2, "2": 2}


def test_the_command_previews_and_writes_a_manifest(tmp_path, capsys):
    folder = pictures(tmp_path / "in", "L1_p1_a.png", "L1_p1_b.png", "L1_p2_a.png", "other.png")
    out = tmp_path / "out"
    assert (
        run(["groups", str(folder), "--part-from", "{lot}_{part}_{view}", "--out", str(out)]) == 0
    )
    text = capsys.readouterr()
    assert "3 pictures of 2 parts, mostly 2 each; 1 picture without a part" in text.out
    assert "These are suggestions" in text.out
    assert "1 name does not fit" in text.err
    with (out / "parts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["group"] for row in rows] == ["p1", "p1", "p2", ""]
    assert {row["suggested"] for row in rows} == {"true"}
    # It is a manifest: every command takes it.
    with flawline.open_source(out / "parts.csv", root=tmp_path) as source:
        assert len(list(source.samples())) == 4


def test_nothing_asked_for_and_no_pictures_are_refused(tmp_path):
    with pytest.raises(UsageError, match="`part_from`, `codes` and `sequence`"):
        flawline.name_parts(pictures(tmp_path / "in", "a.png"))
    with pytest.raises(UsageError, match="at least 2 pictures"):
        flawline.name_parts(tmp_path / "in", sequence=1)
    (tmp_path / "none").mkdir()
    with pytest.raises(SourceError):
        flawline.name_parts(tmp_path / "none", sequence=2)


def test_places_of_a_ball_screw_are_named(real_data):
    folder = real_data / "bsdata" / "images"
    if not folder.is_dir():
        pytest.skip("bsdata is not there")
    found = flawline.name_parts(folder, part_from="{spindle}_{captured}_{part}_{angle}_crop_{crop}")
    assert len(found.parts) == 5
    assert set(found.parts.values()) == {69}
    assert not found.notes


def test_surfaces_of_commutators_go_by_their_numbers(real_data):
    folder = real_data / "kolektorsdd" / "images"
    if not folder.is_dir():
        pytest.skip("kolektorsdd is not there")
    found = flawline.name_parts(folder, sequence=8)
    assert len(found.pictures) == 72
    assert set(found.parts.values()) == {8}
