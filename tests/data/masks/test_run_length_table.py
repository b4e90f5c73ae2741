"""Tables of run lengths as the Severstal set has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks
from flawline.errors import SourceError

RUNS = tools.run_lengths(tools.inside(tools.STAIN))


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "train.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_picture_and_class_may_share_a_column(tmp_path: Path, separator: str) -> None:
    images = tools.pictures(tmp_path)
    lines = ["ImageId_ClassId,EncodedPixels", f"1.png_1,{RUNS}", "1.png_2,", "2.png_1,"]
    path = table(tmp_path, *(line.replace(",", separator) for line in lines))
    found = tools.read(images, path)
    assert list(found) == ["1.png", "2.png"]
    assert np.array_equal(found["1.png"], tools.inside(tools.STAIN))


def test_classes_are_named_as_they_are_written(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    rows = ("1.png,10,1 2", "1.png,2.0,5 1", "1.png,pit,9 1")
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", *rows)
    with open_masks(images, annotations=path) as masked:
        assert masked.classes == ("background", "2", "10", "pit")
        counts = np.bincount(masked.mask(masked.samples()[0]).ravel())
    assert counts.tolist() == [tools.HEIGHT * tools.WIDTH - 4, 1, 2, 1]


def test_runs_go_down_the_columns_from_one(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    runs = f"1 2 {tools.HEIGHT} 2 {tools.HEIGHT} 1 {tools.HEIGHT * tools.WIDTH} 1"
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", f"1.png,1,{runs}")
    mask = tools.read(images, path)["1.png"]
    assert isinstance(mask, np.ndarray)
    marked = [(0, 0), (0, 1), (1, 0), (tools.HEIGHT - 1, 0), (tools.HEIGHT - 1, tools.WIDTH - 1)]
    assert sorted(map(tuple, np.argwhere(mask).tolist())) == sorted(marked)


@pytest.mark.parametrize("empty", ["", "-1", "NaN"])
def test_rows_without_runs_are_no_defects(tmp_path: Path, empty: str) -> None:
    images = tools.pictures(tmp_path)
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", f"1.png,1,{RUNS}", f"2.png,1,{empty}")
    found = tools.read(images, path)["2.png"]
    assert isinstance(found, np.ndarray)
    assert not found.any()


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ("5", "pairs of a first pixel and a length, got '5'"),
        ("1 2 3", "pairs of a first pixel"),
        ("a b", "pairs of a first pixel"),
        ("1.5 2", "pairs of a first pixel"),
        ("0 2", "pixels from 1 to 1200"),
        ("1 0", "pixels from 1 to 1200"),
        ("1200 2", "pixels from 1 to 1200"),
        ("1 999999999999999999", "pixels from 1 to 1200"),
        ("1 " + "9" * 30, "pairs of a first pixel"),
    ],
)
def test_broken_runs_spoil_their_picture(tmp_path: Path, runs: str, words: str) -> None:
    rows = (f"1.png,1,{RUNS}", f"1.png,1,{runs}", "2.png,1,")
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", *rows)
    why = tools.spoiled(tools.pictures(tmp_path), path, classes=["1"])
    assert why.startswith("train.csv, row 3: expected ")
    assert words in why


def test_a_row_without_a_class_spoils_its_picture(tmp_path: Path) -> None:
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", f"1.png,,{RUNS}", "2.png,1,")
    assert "expected a class" in tools.spoiled(tools.pictures(tmp_path), path)


def test_runs_of_any_length_are_read(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", f"1.png,1,{'7 1 ' * 60_000}")
    assert np.sum(tools.read(images, path)["1.png"]) == 1


def test_a_row_that_names_no_picture_is_listed(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    path = table(tmp_path, "ImageId,ClassId,EncodedPixels", f"1.png,1,{RUNS}", ",1,5 1")
    with open_masks(images, annotations=path) as masked:
        assert any("row 3: expected the name of a picture" in note for note in masked.notes)


@pytest.mark.parametrize("header", ["ImageId,EncodedPixels", "ClassId,EncodedPixels"])
def test_columns_that_are_missing_are_named(tmp_path: Path, header: str) -> None:
    images = tools.pictures(tmp_path)
    with pytest.raises(SourceError, match="expected the columns ImageId, ClassId") as caught:
        open_masks(images, annotations=table(tmp_path, header, "1.png,5 1"))
    assert "ClassId" in caught.value.hint
