"""Where the class names of a YOLO set come from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.errors import FlawlineError, SourceError, UsageError

HEIGHT, WIDTH = 30, 40
LINE = "0.1 0.2 0.35 0.2 0.35 0.5 0.1 0.5"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A set of two pictures, with the classes 0 and 1."""
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for n in (0, 1):
        path = str(tmp_path / "images" / f"{n}.png")
        cv2.imwrite(path, np.full((HEIGHT, WIDTH), n, np.uint8))
        (tmp_path / "labels" / f"{n}.txt").write_text(f"{n} {LINE}\n")
    return tmp_path


def classes(root: Path, annotations: str = "labels", **options: object) -> tuple[str, ...]:
    with open_masks(root / "images", annotations=root / annotations, **options) as masked:  # type: ignore[arg-type]
        for place, sample in enumerate(masked.samples(), 1):
            assert np.bincount(masked.mask(sample).ravel(), minlength=3)[place] == 90
        return masked.classes[1:]


@pytest.mark.parametrize("name", ["classes.txt", "obj.names", "predefined_classes.txt"])
@pytest.mark.parametrize("folder", [".", "labels"])
def test_a_list_of_names(root: Path, name: str, folder: str) -> None:
    (root / folder / name).write_text("pore, open\nL\u00fccke # 2\n\n", encoding="utf-8")
    assert classes(root) == ("pore, open", "L\u00fccke # 2")
    with open_masks(root / "images", annotations=root / "labels") as masked:
        assert masked.notes == ()


def test_a_data_yaml_without_names_leaves_them_to_a_list(root: Path) -> None:
    (root / "data.yaml").write_text("nc: 2\nnames:\n")
    (root / "obj.names").write_text("pore\ncrack")
    assert classes(root) == ("pore", "crack")
    assert classes(root, "data.yaml") == ("pore", "crack")


def test_names_of_a_data_yaml_come_before_a_list(root: Path) -> None:
    (root / "data.yaml").write_text("names: {'0': \"pore, open\", '1': crack}")
    (root / "classes.txt").write_text("a\nb\n")
    assert classes(root) == ("pore, open", "crack")


def test_a_number_of_classes_alone_numbers_them(root: Path) -> None:
    (root / "data.yaml").write_text("nc: 2\ntrain: images\n")
    assert classes(root) == ("class_0", "class_1")
    with open_masks(root / "images", annotations=root / "data.yaml") as masked:
        assert (
            masked.notes[0] == "data.yaml gives no names: the classes are called class_0 and so on"
        )
    assert classes(root, classes=["pore", "crack"]) == ("pore", "crack")


def test_a_name_that_two_numbers_have_is_one_class(root: Path) -> None:
    (root / "data.yaml").write_text("names: [pore, pore]")
    with open_masks(root / "images", annotations=root / "labels") as masked:
        assert masked.classes == ("background", "pore")
        assert [int(masked.mask(sample).sum()) for sample in masked.samples()] == [90, 90]


@pytest.mark.parametrize(
    "text", ["train: images", "nc: none", "nc: 0", "nc: 999999999", "nc: -1", "- nc"]
)
def test_neither_names_nor_a_number_of_classes(root: Path, text: str) -> None:
    (root / "data.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"data\.yaml"):
        classes(root)


def test_a_list_with_a_gap_is_refused(root: Path) -> None:
    (root / "classes.txt").write_text("pore\n\ncrack\n")
    with pytest.raises(SourceError, match=r"classes\.txt, line 2: expected the name of a class"):
        classes(root)


def test_a_list_of_another_encoding_is_refused(root: Path) -> None:
    (root / "classes.txt").write_bytes("L\u00fccke\nRiss".encode("utf-16"))
    with pytest.raises(FlawlineError, match="UTF-8"):
        classes(root)


def test_lists_of_pictures_are_no_label_files(root: Path) -> None:
    for name in ("train.txt", "val.txt", "README.roboflow.txt"):
        (root / name).write_text("data/images/0.png\n")
    (root / "classes.txt").write_text("a\nb\n")
    (root / "0.txt").write_text("0 " + LINE)
    (root / "1.txt").write_text("1 " + LINE)
    for n in (0, 1):
        (root / "labels" / f"{n}.txt").unlink()
    (root / "labels").rmdir()
    assert classes(root, ".") == ("a", "b")
    with open_masks(root / "images", annotations=root) as masked:
        assert masked.notes == ()


def test_four_corners_in_pixels_with_the_name_of_the_class(root: Path) -> None:
    (root / "labels" / "0.txt").write_text("4 6 14 6 14 15 4 15 pore 0\n")
    (root / "labels" / "1.txt").write_text("4 6 14 6 14 15 4 15 crack\n")
    (root / "data.yaml").write_text("names: [pore, crack]")
    assert classes(root) == ("pore", "crack")
