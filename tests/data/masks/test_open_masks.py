"""The same drawing in every format gives the same masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import flawline
from flawline.data.masks import MaskedSource, open_masks
from flawline.data.source import open_source
from flawline.errors import FlawlineError, ImageError, SourceError, UsageError

HEIGHT, WIDTH = 30, 40
CLASSES = ("background", "scratch", "stain")
SCRATCH = [[4, 4], [30, 8], [30, 11], [4, 7]]
STAIN = [[20, 2], [36, 2], [36, 26], [20, 26]]
COLOURS = {"scratch": (0, 0, 255), "stain": (255, 0, 0)}


def region(points: list[list[int]]) -> NDArray[np.bool_]:
    """Pixels whose centres lie inside, worked out one by one."""
    from matplotlib.path import Path as Outline

    rows, columns = np.indices((HEIGHT, WIDTH))
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    inside = Outline([*points, points[0]], closed=True).contains_points(centres)
    return inside.reshape(HEIGHT, WIDTH)


def drawing() -> NDArray[np.uint8]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[region(SCRATCH)] = 1
    mask[region(STAIN)] = 2
    return mask


def runs(flat: NDArray[np.bool_]) -> list[int]:
    ends = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    lengths = np.diff([0, *ends, len(flat)]).tolist()
    return [0, *lengths] if flat[0] else lengths


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Pictures 1 (with a mask), 2 (without defects) and 3 (not annotated)."""
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in (1, 2, 3):
        pixels = rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), pixels)
    return folder


def save_json(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def save_png(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def coco(outlines: list[Any]) -> dict[str, Any]:
    return {
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "height": HEIGHT, "width": WIDTH} for n in (1, 2)
        ],
        "categories": [{"id": 9, "name": "stain"}, {"id": 3, "name": "scratch"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 3 if n == 0 else 9, "segmentation": outline}
            for n, outline in enumerate(outlines)
        ],
    }


def flat(points: list[list[int]]) -> list[int]:
    return [number for point in points for number in point]


def coco_polygons(folder: Path) -> Path:
    return save_json(folder / "coco.json", coco([[flat(SCRATCH)], [flat(STAIN)]]))


def coco_runs(folder: Path) -> Path:
    lengths = [runs(region(points).ravel(order="F")) for points in (SCRATCH, STAIN)]
    outlines = [{"size": [HEIGHT, WIDTH], "counts": counts} for counts in lengths]
    return save_json(folder / "coco.json", coco(outlines))


def yolo(folder: Path) -> Path:
    labels = folder / "labels"
    labels.mkdir()
    lines = [
        " ".join([str(number), *(f"{x / WIDTH:.9f} {y / HEIGHT:.9f}" for x, y in points)])
        for number, points in enumerate((SCRATCH, STAIN))
    ]
    (labels / "1.txt").write_text("\n".join(lines))
    (labels / "2.txt").write_text("")
    (folder / "data.yaml").write_text("path: .\ntrain: images\nnames:\n  0: scratch\n  1: stain\n")
    return folder / "data.yaml"


def label_studio(folder: Path) -> Path:
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[..., 3] = 255 * region(STAIN)
    values = rgba.ravel().tolist()
    bits = f"{len(values):032b}{7:05b}" + "0010" * 3 + f"{15:04b}"
    for at in range(0, len(values), 65536):
        part = values[at : at + 65536]
        bits += f"011{len(part) - 1:016b}" + "".join(f"{value:08b}" for value in part)
    bits += "0" * (-len(bits) % 8)
    brush = [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]
    size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    points = [[x / WIDTH * 100, y / HEIGHT * 100] for x, y in SCRATCH]
    results = [
        {"id": "a", "type": "polygonlabels", **size}
        | {"value": {"points": points, "polygonlabels": ["scratch"]}},
        {"id": "c", "type": "brushlabels", **size}
        | {"value": {"format": "rle", "rle": brush, "brushlabels": ["stain"]}},
        {"id": "d", "type": "choices", "value": {"choices": ["bad"]}},
    ]
    tasks = [
        {
            "data": {"image": "/data/upload/1/0a1b2c3d-1.png", "note": "x"},
            "annotations": [
                {"result": [], "was_cancelled": True},
                {"result": results},
            ],
        },
        {
            "data": {"image": "/data/local-files/?d=set%2Fimages%2F2.png"},
            "annotations": [{"result": []}],
        },
        {"data": {"image": "3.png"}, "annotations": []},
    ]
    return save_json(folder / "studio.json", tasks)


def cvat(folder: Path) -> Path:
    x, y, width, height = 20, 2, 16, 24
    inside = region(STAIN)[y : y + height, x : x + width].ravel()
    text = ";".join(f"{x}.00,{y}.00" for x, y in SCRATCH)
    path = folder / "cvat.xml"
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task><labels>'
        "<label><name>scratch</name></label><label><name>stain</name></label></labels></task></meta>\n"
        f'<image id="0" name="images/1.png" width="{WIDTH}" height="{HEIGHT}">\n'
        f'<mask label="stain" rle="{", ".join(map(str, runs(inside)))}" left="{x}" top="{y}" '
        f'width="{width}" height="{height}" z_order="2"/>\n'
        f'<polygon label="scratch" points="{text}" z_order="1"><attribute name="a">b</attribute></polygon>'
        '<tag label="stain"/></image>\n'
        f'<image id="1" name="images/2.png" width="{WIDTH}" height="{HEIGHT}"/></annotations>'
    )
    return path


def grey_folder(folder: Path) -> Path:
    save_png(folder / "truth" / "1.png", drawing())
    save_png(folder / "truth" / "2_mask.png", np.zeros_like(drawing()))
    return folder / "truth"


def class_folders(folder: Path) -> Path:
    save_png(folder / "truth" / "scratch" / "1.png", 255 * region(SCRATCH).astype(np.uint8))
    save_png(folder / "truth" / "stain" / "1.png", region(STAIN).astype(np.uint8))
    save_png(folder / "truth" / "stain" / "2.png", np.zeros_like(drawing()))
    return folder / "truth"


def class_endings(folder: Path) -> Path:
    save_png(folder / "truth" / "1_scratch.png", 255 * region(SCRATCH).astype(np.uint8))
    save_png(folder / "truth" / "1_stain.png", region(STAIN).astype(np.uint8))
    save_png(folder / "truth" / "2_stain.png", np.zeros_like(drawing()))
    return folder / "truth"


FORMATS = {
    coco_polygons: "COCO",
    coco_runs: "COCO",
    yolo: "YOLO",
    label_studio: "Label Studio",
    cvat: "CVAT",
    grey_folder: "index",
    class_folders: "per class",
    class_endings: "per class",
}


def names(masked: MaskedSource) -> list[str]:
    return [sample.name for sample in masked.samples()]


@pytest.mark.parametrize(("made", "format"), FORMATS.items())
def test_every_format_gives_the_same_masks(images: Path, made: Any, format: str) -> None:
    with open_masks(
        images, annotations=made(images.parent), classes=["scratch", "stain"]
    ) as masked:
        assert masked.format == format
        assert masked.classes == CLASSES
        found = {sample.name: masked.mask(sample) for sample in masked.samples()}
        picture, mask = masked.pair(masked.samples()[0])
    assert found["1.png"].dtype == np.uint8
    assert np.array_equal(found["1.png"], drawing())
    assert np.array_equal(mask, drawing())
    assert picture.pixels.shape == (HEIGHT, WIDTH, 3)
    assert not found["2.png"].any()
    # A picture without a label file has no objects in YOLO's own convention.
    assert list(found) == (["1.png", "2.png", "3.png"] if format == "YOLO" else ["1.png", "2.png"])
    assert masked.unlabelled == (() if format == "YOLO" else ("3.png",))


@pytest.mark.parametrize(("made", "format"), FORMATS.items())
def test_every_format_can_be_measured(images: Path, made: Any, format: str) -> None:
    alone = flawline.measure({"1.png": drawing()}, classes=["scratch", "stain"])
    annotations = made(images.parent)
    found = flawline.measure(images, annotations=annotations, classes=["scratch", "stain"])
    assert (found.format, found.classes) == (format, CLASSES)
    assert found.class_names() == alone.class_names()
    assert found.defects["area"].tolist() == alone.defects["area"].tolist()
    assert "contrast" in found.defects.columns
    left = [] if format == "YOLO" else ["3.png"]
    assert [one.image for one in found.unjudged] == left
    assert [row.sample.name for row in found.rows] == ["1.png", "2.png", "3.png"][: 3 - len(left)]


def test_colours_and_palettes_can_be_measured(images: Path, tmp_path: Path) -> None:
    colours = np.array([(0, 0, 0), *COLOURS.values()], np.uint8)[drawing()]
    save_png(tmp_path / "truth" / "1.png", colours[..., ::-1])
    found = flawline.measure(images, annotations=tmp_path / "truth", palette=COLOURS)
    alone = flawline.measure(tmp_path / "truth", palette=COLOURS)
    for one in (found, alone):
        assert (one.format, one.classes) == ("colour", CLASSES)
        assert sorted(one.defects["area"].tolist()) == sorted(
            flawline.measure([drawing()]).defects["area"].tolist()
        )


@pytest.mark.parametrize("made", [coco_polygons, yolo, label_studio, cvat, class_folders])
def test_names_of_classes_come_from_the_annotations(images: Path, made: Any) -> None:
    annotations = made(images.parent)
    with open_masks(images, annotations=annotations) as masked:
        assert masked.classes == CLASSES
    with open_masks(images, annotations=annotations, classes=["stain", "scratch"]) as masked:
        assert masked.classes == ("background", "stain", "scratch")
        mask = masked.mask(masked.samples()[0])
    # Files for each class are painted in the order of the classes, regions in the order of the file.
    overlap = region(SCRATCH) & region(STAIN)
    values = np.array([0, 2, 1], np.uint8)[drawing()]
    assert np.array_equal(mask, np.where(overlap, 2, values) if made == class_folders else values)


def test_what_is_passed_over_is_said(images: Path) -> None:
    with open_masks(images, annotations=label_studio(images.parent)) as masked:
        assert "1 tasks without an annotation are left out" in masked.notes


def test_pictures_without_a_label_file_are_counted(images: Path) -> None:
    with open_masks(images, annotations=yolo(images.parent)) as masked:
        assert masked.notes == ("1 picture without a label file counts as without defects",)


def test_unlabelled_pictures_may_be_stated_to_be_without_defects(images: Path) -> None:
    annotations = coco_polygons(images.parent)
    with open_masks(images, annotations=annotations, unlabelled="empty") as masked:
        assert names(masked) == ["1.png", "2.png", "3.png"]
        assert not masked.mask(masked.samples()[2]).any()
        assert masked.mask(masked.samples()[2]).shape == (HEIGHT, WIDTH)


def test_masks_beside_the_pictures_need_no_annotations(images: Path) -> None:
    save_png(images.parent / "masks" / "1.png", drawing())
    with open_source(images.parent) as source:
        masked = open_masks(source, classes=["scratch", "stain"])
        assert names(masked) == ["images/1.png"]
        assert np.array_equal(masked.mask(masked.samples()[0]), drawing())
        masked.close()
        source.read("images/1.png")


def test_good_parts_have_empty_masks(tmp_path: Path) -> None:
    for label, name in (("good", "1.png"), ("scratch", "2.png"), ("scratch", "3.png")):
        save_png(tmp_path / label / name, drawing() + len(label))
    with open_masks(
        tmp_path, annotations=grey_folder(tmp_path.parent), classes=["scratch", "stain"]
    ) as masked:
        assert "good/1.png" in names(masked)


def test_indexed_png_and_values_that_are_stated(images: Path, tmp_path: Path) -> None:
    image = Image.new("P", (WIDTH, HEIGHT))
    image.putdata(np.where(drawing() == 2, 9, drawing()).ravel().tolist())
    image.putpalette([0, 0, 0, *[200, 10, 10] * 9])
    (tmp_path / "truth").mkdir()
    image.save(tmp_path / "truth" / "1.png")
    with open_masks(
        images, annotations=tmp_path / "truth", classes={1: "scratch", 9: "stain"}
    ) as masked:
        assert np.array_equal(masked.mask(masked.samples()[0]), drawing())
    with open_masks(images, annotations=tmp_path / "truth") as masked:
        assert masked.classes == ("background", "class 1", "class 9")
        assert np.array_equal(masked.mask(masked.samples()[0]), drawing())
    with open_masks(
        images, annotations=tmp_path / "truth", classes=["scratch"], ignore=9
    ) as masked:
        assert masked.mask(masked.samples()[0]).max() == 255
    with (
        open_masks(images, annotations=tmp_path / "truth", classes=["a", "b"]) as masked,
        pytest.raises(ImageError, match=r"values 0, 1, 2, got 9 in \d+ px"),
    ):
        masked.mask(masked.samples()[0])


def test_colours_are_classes_with_a_palette(images: Path, tmp_path: Path) -> None:
    palette = {"background": (9, 9, 9), **COLOURS, "doubtful": (1, 2, 3)}
    lookup = np.array([palette["background"], COLOURS["scratch"], COLOURS["stain"], (1, 2, 3)])
    mask = drawing()
    mask[25:] = 3
    save_png(tmp_path / "truth" / "1.png", lookup[mask][..., ::-1].astype(np.uint8))
    expected = np.where(mask == 3, 255, mask)
    for ignore in ("doubtful", (1, 2, 3)):
        with open_masks(
            images, annotations=tmp_path / "truth", palette=palette, ignore=ignore
        ) as masked:
            assert masked.classes == CLASSES
            assert np.array_equal(masked.mask(masked.samples()[0]), expected)
    with (
        open_masks(images, annotations=tmp_path / "truth", palette=COLOURS) as masked,
        pytest.raises(ImageError, match=r"got \(1, 2, 3\) in \d+ px, \(9, 9, 9\) in \d+ px"),
    ):
        masked.mask(masked.samples()[0])


def test_a_class_can_be_ignored_by_name(images: Path) -> None:
    with open_masks(images, annotations=coco_polygons(images.parent), ignore="stain") as masked:
        assert masked.classes == ("background", "scratch")
        mask = masked.mask(masked.samples()[0])
    assert np.array_equal(mask, np.where(drawing() == 2, 255, drawing()))


def test_sizes_must_agree(images: Path) -> None:
    save_png(images / "1.png", np.zeros((HEIGHT, WIDTH + 1), np.uint8))
    with (
        open_masks(images, annotations=coco_polygons(images.parent)) as masked,
        pytest.raises(ImageError, match="40 x 30 px, its picture 41 x 30") as caught,
    ):
        masked.pair(masked.samples()[0])
    assert caught.value.code == "image-mask-size"


def test_a_later_region_covers_an_earlier_one(images: Path) -> None:
    both = save_json(images.parent / "coco.json", coco([[flat(STAIN)], [flat(SCRATCH)]]))
    with open_masks(images, annotations=both) as masked:
        mask = masked.mask(masked.samples()[0])
    assert (mask[region(SCRATCH)] == 2).all()


def test_broken_regions_spoil_their_own_picture_only(images: Path) -> None:
    document = coco([[flat(SCRATCH)], {"size": [HEIGHT, WIDTH], "counts": [5]}])
    with open_masks(images, annotations=save_json(images.parent / "c.json", document)) as masked:
        with pytest.raises(
            ImageError, match=r"c\.json, annotations\[1\]: expected runs of 1200 px"
        ):
            masked.mask(masked.samples()[0])
        assert not masked.mask(masked.samples()[1]).any()


def test_names_that_fit_twice_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save_png(tmp_path / folder / "1.png", drawing())
    annotations = coco_polygons(tmp_path)
    with pytest.raises(SourceError, match=r"fits 'a/1\.png' and 'b/1\.png'"):
        open_masks(tmp_path, annotations=annotations)
    document = coco([[flat(SCRATCH)]])
    document["images"][0]["file_name"] = "x/a/1.png"
    document["images"][1]["file_name"] = "x/b/1.png"
    save_json(annotations, document)
    with open_masks(tmp_path, annotations=annotations) as masked:
        assert masked.mask(masked.samples()[0]).any()
        assert not masked.mask(masked.samples()[1]).any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"classes": ["scratch"]}, "got 'stain'"),
        ({"classes": "scratch"}, "list of class names"),
        ({"classes": ["scratch", "stain", "stain"]}, "twice"),
        ({"classes": {1: "scratch"}}, "in their order"),
        ({"ignore": 255}, "name of the class to ignore"),
        ({"ignore": "dust"}, "got 'dust'"),
        ({"palette": COLOURS}, "no palette"),
        ({"unlabelled": "guess"}, "unlabelled"),
    ],
)
def test_options_that_contradict_the_annotations(
    images: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        open_masks(images, annotations=coco_polygons(images.parent), **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ignore": 0}, "1 to 255"),
        ({"ignore": "stain"}, "1 to 255"),
        ({"classes": {300: "a"}}, "1 to 255"),
        ({"classes": ["a"], "ignore": 1}, "no class"),
        ({"palette": {"a": (0, 0, 0)}}, "two names"),
        ({"palette": {"a": (0, 0, 256)}}, "three numbers"),
        ({"palette": {"a": (1, 2, 3)}, "ignore": 4}, "name or colour"),
    ],
)
def test_options_that_contradict_masks(images: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_masks(images, annotations=grey_folder(images.parent), **options)


def test_255_beside_other_values_must_be_explained(images: Path) -> None:
    mask = drawing()
    mask[0] = 255
    save_png(images.parent / "truth" / "1.png", mask)
    with pytest.raises(UsageError, match="255 may also mark"):
        open_masks(images, annotations=images.parent / "truth")
    with open_masks(images, annotations=images.parent / "truth", ignore=255) as masked:
        assert masked.classes == ("background", "class 1", "class 2")


def test_a_folder_without_masks_is_refused(images: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="names none"):
        open_masks(images)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="found no pictures"):
        open_masks(images, annotations=tmp_path / "empty")
    save_png(tmp_path / "other" / "99.png", drawing())
    with pytest.raises(SourceError, match=r"'99\.png' for '1\.png'"):
        open_masks(images, annotations=tmp_path / "other")


def test_the_source_is_closed_when_the_masks_cannot_be_opened(images: Path, tmp_path: Path) -> None:
    with pytest.raises(FlawlineError, match="does not exist"):
        open_masks(images, annotations=tmp_path / "none.json")


def test_real_heat_sinks(real_data: Path) -> None:
    with open_masks(real_data / "heat_sink", classes=["scratch", "stain"]) as masked:
        assert len(masked.samples()) == 7
        assert {int(masked.pair(sample)[1].max()) for sample in masked.samples()} == {2}
