"""Which annotation, or mask file, belongs to which picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.data.masks.matching import match
from flawline.errors import SourceError
from flawline.types import Sample

HEIGHT, WIDTH = 30, 40


def matched(pictures: list[str], entries: list[str], **options: Any) -> dict[str, str]:
    return dict(match([Sample(name) for name in pictures], entries, **options))


@pytest.mark.parametrize(
    ("pictures", "entries", "expected"),
    [
        # Only the extension of a picture or label file is cut off.
        (["plate.jpg", "plate.2.jpg"], ["plate.2.txt"], {"plate.2.jpg": "plate.2.txt"}),
        (["plate.jpg"], ["plate.2"], {}),
        (["images/a_png.rf.0a1b.jpg"], ["labels/a_png.rf.0a1b.txt"], None),
        # The extension of the picture may stay in the name of its mask or label file.
        (["a.jpg", "a.png"], ["a.jpg.png", "a.png.png"], None),
        (["a.png.jpg", "a.png"], ["a.png.txt", "a.txt"], None),
        # Names at two depths.
        (["1.png", "sub/1.png"], ["1.jpg", "sub/1.jpg"], None),
        (["1.png", "sub/1.png"], ["data/1.png", "data/sub/1.png"], None),
        (["data/1.png", "data/sub/1.png"], ["1.png", "sub/1.png"], None),
        (["1.png", "other/sub/1.png"], ["sub/1.png"], {"other/sub/1.png": "sub/1.png"}),
        (["1.png", "sub/1.png"], ["1.png"], {"1.png": "1.png"}),
        # Folders called images, labels and the like do not count, in any case.
        (["Images/1.png"], ["Labels/1.txt"], None),
        (["train/1.png"], ["test/1.png"], {}),
        (["train/1.png", "test/1.png"], ["C:\\set\\train\\1.png"], {"train/1.png": "C:\\set\\train\\1.png"}),
        (["train/IMG_1.JPG"], ["Train/img_1.jpg"], None),
        # Eight digits of Label Studio, on either side.
        (["p1.png", "p2.png"], ["images/1a2b3c4d-p1.png", "0a1b2c3d-p2.png"], None),
        (["1a2b3c4d-p1.png"], ["p1.txt"], None),
        (["1a2b3c4d-q.png", "q.png"], ["q.png", "1a2b3c4d-q.png"], {n: n for n in ("q.png", "1a2b3c4d-q.png")}),
    ],
)  # fmt: skip
def test_what_belongs_together(
    pictures: list[str], entries: list[str], expected: dict[str, str] | None
) -> None:
    wanted = dict(zip(pictures, entries, strict=True)) if expected is None else expected
    assert matched(pictures, entries) == wanted
    assert matched(pictures[::-1], entries[::-1]) == wanted


@pytest.mark.parametrize(
    ("pictures", "entries", "words"),
    [
        (["a/1.png", "b/1.png"], ["1.png"], "fits 'a/1.png' and 'b/1.png'"),
        (["1.png"], ["a/1.png", "b/1.png"], "found 'a/1.png' and 'b/1.png'"),
        (["a.jpg", "a.png"], ["a.txt"], "fits 'a.jpg' and 'a.png'"),
        (["p.png"], ["1a2b3c4d-p.png", "0a2b3c4d-p.png"], "found '0a2b3c4d-p.png' and '1a2b3c4d-p.png'"),
    ],
)  # fmt: skip
def test_what_stays_ambiguous_names_both(
    pictures: list[str], entries: list[str], words: str
) -> None:
    with pytest.raises(SourceError) as caught:
        matched(pictures, entries)
    assert words in caught.value.message
    assert caught.value.code == "annotations-ambiguous"


def test_a_second_name_counts_where_the_first_fits_nothing() -> None:
    also = {"Train/1.png": "1.png", "Test/2.png": "2.png"}.__getitem__
    found = matched(["x/1.png", "Test/2.png", "x/2.png"], ["Train/1.png", "Test/2.png"], also=also)
    assert found == {"x/1.png": "Train/1.png", "Test/2.png": "Test/2.png"}


def save(path: Path, pixels: np.ndarray[Any, Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(path)))
    drawn = rng.integers(90, 160, (HEIGHT, WIDTH), np.uint8) if pixels is None else pixels
    assert cv2.imwrite(str(path), drawn)
    return path


def mask(pixels: int, value: int = 1) -> np.ndarray[Any, Any]:
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    drawn.ravel()[:pixels] = value
    return drawn


def areas(source: Path, annotations: Path | None, **options: Any) -> dict[str, int]:
    """Pixels that are no background, by picture."""
    with open_masks(source, annotations=annotations, **options) as masked:
        return {s.name: int((masked.mask(s) > 0).sum()) for s in masked.samples()}


def polygon(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("0 0.25 0.1 0.75 0.1 0.75 0.7 0.25 0.7\n")


AREA = 20 * 18


def test_names_of_label_files_may_have_dots(tmp_path: Path) -> None:
    for name in ("plate.jpg", "plate.2.jpg", "weld_png.rf.00aa11.jpg"):
        save(tmp_path / "images" / name)
    for name in ("plate.2.txt", "weld_png.rf.00aa11.txt"):
        polygon(tmp_path / "labels", name)
    (tmp_path / "data.yaml").write_text("names: [pore]\n")
    found = areas(tmp_path, tmp_path / "data.yaml")
    assert found == {
        "images/plate.jpg": 0,
        "images/plate.2.jpg": AREA,
        "images/weld_png.rf.00aa11.jpg": AREA,
    }


def test_a_root_with_pictures_and_label_files_is_yolo(tmp_path: Path) -> None:
    save(tmp_path / "train" / "images" / "a.png")
    polygon(tmp_path / "train" / "labels", "a.txt")
    (tmp_path / "README.dataset.txt").write_text("Exported from a tool\n")
    (tmp_path / "classes.txt").write_text("pore\nlong crack\n")
    with open_masks(tmp_path, annotations=tmp_path) as masked:
        assert masked.format == "YOLO"
        assert masked.classes == ("background", "pore", "long crack")
        assert masked.notes == ()
    assert areas(tmp_path, tmp_path) == {"train/images/a.png": AREA}
    assert areas(tmp_path / "train" / "images", tmp_path) == {"a.png": AREA}
    save(tmp_path / "train" / "masks" / "a.png", mask(9))
    with pytest.raises(SourceError, match=r"labels/a\.txt'\) and masks \('train/masks/a\.png'"):
        areas(tmp_path / "train" / "images", tmp_path)


def test_the_place_of_the_source_in_a_set_counts(tmp_path: Path) -> None:
    """The label or mask of another split is not that of a picture called the same."""
    for number in (1, 2):
        save(tmp_path / "train" / "images" / f"{number}.png")
    polygon(tmp_path / "train" / "labels", "1.txt")
    polygon(tmp_path / "valid" / "labels", "2.txt")
    (tmp_path / "data.yaml").write_text("names: [pore]\n")
    for given in (tmp_path / "data.yaml", tmp_path / "train" / "labels"):
        found = areas(tmp_path / "train" / "images", given)
        assert found == {"1.png": AREA, "2.png": 0}
    for split, number in (("train", 1), ("valid", 1), ("valid", 2)):
        save(tmp_path / "set" / split / "images" / f"{number}.png")
        save(tmp_path / "set" / split / "masks" / f"{number}.png", mask(len(split) + number))
    assert areas(tmp_path / "set" / "train" / "images", tmp_path / "set") == {"1.png": 6}
    assert areas(tmp_path / "set" / "valid" / "images", tmp_path / "set") == {
        "1.png": 6,
        "2.png": 7,
    }


def test_texts_beside_masks_are_no_label_files(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png")
    save(tmp_path / "truth" / "a.png", mask(7))
    (tmp_path / "truth" / "a.txt").write_text("drawn by hand\n")
    assert areas(tmp_path / "images", tmp_path / "truth") == {"a.png": 7}


def test_a_picture_is_never_its_own_mask(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png")
    save(tmp_path / "images" / "b.png")
    for given in (tmp_path, tmp_path / "images"):
        with pytest.raises(SourceError, match="only the pictures of the source"):
            areas(tmp_path / "images", given)
    with pytest.raises(SourceError, match="only the pictures of the source"):
        areas(tmp_path, tmp_path / "images")
    # The masks below a root are found, its pictures are none of them.
    save(tmp_path / "masks" / "a.png", mask(5))
    assert areas(tmp_path / "images", tmp_path) == {"a.png": 5}


def test_a_copy_of_a_picture_is_no_mask_of_it(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        path = save(tmp_path / "images" / name)
        save(tmp_path / "copies" / name).write_bytes(path.read_bytes())
    with pytest.raises(SourceError, match="only the pictures of the source"):
        areas(tmp_path / "images", tmp_path / "copies")


def test_a_picture_in_memory_is_never_its_own_mask(tmp_path: Path) -> None:
    from flawline.data.source import open_source

    path = save(tmp_path / "a.png")
    with (
        open_source({"a.png": path}) as source,
        pytest.raises(SourceError, match="only the pictures of the source"),
    ):
        open_masks(source, annotations=tmp_path)


def test_masks_below_the_source_are_no_pictures(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save(tmp_path / name)
        save(tmp_path / "truth" / name, mask(4))
    save(tmp_path / "truth" / "c.png", mask(4))
    with open_masks(tmp_path, annotations=tmp_path / "truth", unlabelled="empty") as masked:
        assert [sample.name for sample in masked.samples()] == ["a.png", "b.png"]
        assert masked.unlabelled == ()
        assert masked.notes == ("1 mask fits no picture",)


def truth(name: str) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        save(folder / "truth" / name, mask(11, 255))
        return folder / "truth"

    return made


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg.png",
        "a.png",
        "a_mask.png",
        "a.jpg_mask.png",
        "a_GT.png",
        "a_label.bmp",
        "A.PNG",
        "A.JPG.png",
    ],
)
def test_names_of_masks(tmp_path: Path, name: str) -> None:
    save(tmp_path / "images" / "a.jpg")
    save(tmp_path / "images" / "a.2.jpg")
    assert areas(tmp_path / "images", truth(name)(tmp_path), classes={255: "pore"}) == {"a.jpg": 11}


def test_a_number_after_the_name_is_no_class(tmp_path: Path) -> None:
    save(tmp_path / "images" / "plate.jpg")
    for name in ("plate.2.png", "plate_2.png"):
        save(tmp_path / "truth" / name, mask(3))
    with pytest.raises(SourceError, match="none of 2 files fits"):
        areas(tmp_path / "images", tmp_path / "truth")
    found = areas(tmp_path / "images", tmp_path / "truth", classes=["scratch", "2"])
    assert found == {"plate.jpg": 3}


def test_masks_at_two_depths(tmp_path: Path) -> None:
    """The nearest one counts, and the other is no class."""
    save(tmp_path / "images" / "a.png")
    save(tmp_path / "images" / "b" / "c.png")
    for name, pixels in (("a.png", 3), ("old/a.png", 4), ("b/c.png", 5), ("b/old/c.png", 6)):
        save(tmp_path / "truth" / name, mask(pixels))
    with open_masks(tmp_path / "images", annotations=tmp_path / "truth") as masked:
        assert masked.format == "index"
        assert masked.notes == ("2 masks fit no picture",)
    found = areas(tmp_path / "images", tmp_path / "truth")
    assert found == {"a.png": 3, "b/c.png": 5}


def test_masks_in_folders_of_any_case(tmp_path: Path) -> None:
    for folder in ("Train", "Test"):
        save(tmp_path / "Images" / folder / "a.png")
        save(tmp_path / "Truth" / "Masks" / folder.lower() / "a.png", mask(len(folder)))
    found = areas(tmp_path / "Images", tmp_path / "Truth")
    assert found == {"Test/a.png": 4, "Train/a.png": 5}


def test_subsets_of_a_cvat_project_are_folders(tmp_path: Path) -> None:
    for folder in ("images/Train", "images/Test", "other"):
        save(tmp_path / folder / "a.png")
    save(tmp_path / "other" / "b.png")
    shape = '<polygon label="pore" points="0,0;{x},0;{x},10;0,10"/>'
    pictures = "".join(
        f'<image id="{x}" name="{name}.png" subset="{subset}" width="{WIDTH}" height="{HEIGHT}">'
        f"{shape.format(x=x)}</image>"
        for name, subset, x in (("a", "Train", 5), ("a", "Test", 7), ("b", "Test", 9))
    )
    (tmp_path / "cvat.xml").write_text(f"<annotations>{pictures}</annotations>")
    assert areas(tmp_path / "images", tmp_path / "cvat.xml") == {
        "Test/a.png": 70,
        "Train/a.png": 50,
    }
    # Pictures that lie elsewhere are found by their own name.
    (tmp_path / "other" / "a.png").unlink()
    assert areas(tmp_path / "other", tmp_path / "cvat.xml") == {"b.png": 90}


def test_digits_of_label_studio_in_other_formats(tmp_path: Path) -> None:
    save(tmp_path / "images" / "part 1.png")
    save(tmp_path / "images" / "part2.png")
    document = {
        "images": [{"id": 0, "file_name": "images/1a2b3c4d-part2.png"}],
        "categories": [{"id": 0, "name": "pore"}],
        "annotations": [
            {"image_id": 0, "category_id": 0, "segmentation": [[0, 0, 5, 0, 5, 4, 0, 4]]}
        ],
    }
    (tmp_path / "result.json").write_text(json.dumps(document))
    assert areas(tmp_path / "images", tmp_path / "result.json") == {"part2.png": 20}
