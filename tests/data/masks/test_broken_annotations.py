"""Files of annotations that are broken, foreign or hostile: an error that names the file and the place."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flawline.data.masks import open_masks
from flawline.data.masks.documents import read_bytes
from flawline.data.masks.yolo_names import names_in_yaml
from flawline.errors import FlawlineError, ImageError, SourceError, UsageError

COCO = {
    "images": [{"id": 1, "file_name": "1.png", "height": 4, "width": 5}],
    "categories": [{"id": 1, "name": "stain"}],
    "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}],
}
IMAGE = '<image id="0" name="1.png" width="5" height="4">'


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1.png"), np.zeros((4, 5), np.uint8))
    return tmp_path / "images"


def changed(path: str, value: Any) -> dict[str, Any]:
    document = json.loads(json.dumps(COCO))
    *parts, last = path.split(".")
    place: Any = document
    for part in parts:
        place = place[int(part) if part.isdigit() else part]
    place[int(last) if last.isdigit() else last] = value
    return document


def refused(images: Path, name: str, text: str | bytes) -> SourceError:
    path = images.parent / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SourceError) as caught:
        open_masks(images, annotations=path)
    assert name in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: expected JSON"),
        ("{", "line 1: expected JSON"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": NaN}', "expected COCO"),
        ('{"a": ' + "9" * 5000 + "}", "numbers that JSON allows"),
        (b"\xff\xfe{}", "expected UTF-8"),
        ("{}", "expected COCO"),
        ("[]", "expected COCO"),
        ('[{"image": "1.png"}]', "expected COCO"),
        ('[{"data": 3}]', "'annotations'"),
        ('[{"data": 3, "annotations": [{"result": []}]}]', "[0].data: expected the path"),
        ('[{"data": {"image": "1.png"}}]', "'annotations'"),
        ('[{"data": {"n": 1}, "annotations": [{"result": []}]}]', "path of one picture"),
        ('[{"data": {"image": "1.png"}, "annotations": []}]', "found none"),
        (
            '[{"data": {"image": "1.png"}, "annotations": [{"result": {}}]}]',
            "result: expected a list",
        ),
    ],
)
def test_json_that_is_no_annotation(images: Path, text: str | bytes, words: str) -> None:
    assert_words(refused(images, "a.json", text), words)


def assert_words(error: FlawlineError, words: str) -> None:
    assert words in error.message


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("images", {}, "images: expected a list, got an object"),
        ("categories", 3, "categories: expected a list, got a whole number"),
        ("images.0", 3, "none of 0 annotated pictures"),
        ("images.0.file_name", None, "none of 0 annotated pictures"),
        ("images.0.file_name", "9.png", "none of 1 annotated pictures"),
        ("categories.0.name", 7, "annotations[0].category_id: expected an id of one category"),
    ],
)
def test_broken_coco_of_which_nothing_can_be_known(
    images: Path, path: str, value: Any, words: str
) -> None:
    path_of_file = images.parent / "a.json"
    path_of_file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(SourceError) as caught:
        open_masks(images, annotations=path_of_file)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("images.0.id", True, "images[0].id: expected an id, got True"),
        ("images.0.id", None, "images[0].id: expected an id, got nothing"),
        ("images.0.height", "4 px", "images[0]: expected whole numbers"),
        ("images.0.height", 4.5, "images[0]: expected whole numbers"),
        ("images.0.height", 1e400, "images[0]: expected whole numbers"),
        ("images.0.height", "1e9", "images[0]: expected whole numbers"),
        ("images.0.height", True, "images[0]: expected whole numbers"),
        ("images.0.width", None, "images[0]: expected whole numbers"),
        ("images.0.height", 10**9, "it states 5 x 1000000000"),
        ("images.0.width", -5, "it states -5 x 4"),
        ("annotations.0", [], "annotations[0].image_id: expected an id of images, got nothing"),
        ("annotations.0.image_id", 2, "annotations[0].image_id: expected an id of images, got 2"),
        ("annotations.0.image_id", 1.5, "annotations[0].image_id"),
        ("annotations.0.category_id", [], "annotations[0].category_id"),
        ("annotations.0.category_id", True, "annotations[0].category_id"),
        ("annotations.0.segmentation", None, "annotations[0]: expected a segmentation"),
        ("annotations.0.segmentation", [[]], "annotations[0]: expected a segmentation"),
    ],
)
def test_broken_coco_spoils_the_picture(images: Path, path: str, value: Any, words: str) -> None:
    path_of_file = images.parent / "a.json"
    path_of_file.write_text(json.dumps(changed(path, value)))
    with (
        open_masks(images, annotations=path_of_file) as masked,
        pytest.raises(ImageError) as caught,
    ):
        masked.mask(masked.samples()[0])
    assert f"a.json, {words}" in caught.value.message or words in caught.value.message
    assert caught.value.hint
    assert caught.value.code == "image-mask-outline"


@pytest.mark.parametrize(
    ("outline", "words"),
    [
        ([[0, 0, 4]], "x and y in turn"),
        ([[0, 0, "4 px", 4, 2, 2]], "x and y in turn"),
        ([[0, 0, True, 4, 2, 2]], "x and y in turn"),
        ([[0, 0, 1e400, 4, 2, 2]], "points on the picture"),
        ([[0, 0, "1e400", 4, 2, 2]], "x and y in turn"),
        ([{"x": 1}], "x and y in turn"),
        ("abc", "polygons or run lengths"),
        ([[0, 0, 4, 0]], "at least 3 points"),
        ({"counts": [20]}, "size"),
        ({"counts": "~~~~", "size": [4, 5]}, "run lengths"),
    ],
)
def test_broken_outlines(images: Path, outline: Any, words: str) -> None:
    path = images.parent / "a.json"
    path.write_text(json.dumps(changed("annotations.0.segmentation", outline)))
    with open_masks(images, annotations=path) as masked, pytest.raises(FlawlineError) as caught:
        masked.mask(masked.samples()[0])
    assert "a.json, annotations[0]" in caught.value.message
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected XML"),
        ("<a", "expected XML"),
        ("<svg/>", "got <svg>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "document type"),
        ("<annotations>&unknown;</annotations>", "expected XML"),
        ("<annotations>\n<image/></annotations>", "line 2: expected the attribute 'name'"),
        ('<annotations><image name="1.png" width="a" height="1"/></annotations>', "whole number"),
        ('<annotations><image name="1.png" width="99999" height="99999"/></annotations>', "pixels"),
        (f"<annotations>{IMAGE}<polygon/></image></annotations>", "with a label"),
        (f"<annotations>{IMAGE}{IMAGE}</image></image></annotations>", "one within another"),
        (f"<annotations>{IMAGE}</image>{IMAGE}</image></annotations>", "comes again"),
        ('<annotations><image name="9.png" width="5" height="4"/></annotations>', "expected"),
    ],
)
def test_broken_cvat(images: Path, text: str, words: str) -> None:
    path = images.parent / "a.xml"
    path.write_text(text)
    with pytest.raises(FlawlineError) as caught:
        open_masks(images, annotations=path)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ('<polygon label="a" points="1,2;3"/>', "x and y in turn"),
        ('<polygon label="a"/>', "attribute 'points'"),
        ('<polygon label="a" points="1,2;x,3"/>', "x and y in turn"),
        ('<polygon label="a" points="1,2;nan,3;4,4"/>', "nan"),
        ('<mask label="a" rle="1,a" left="0" top="0" width="1" height="1"/>', "run lengths"),
        ('<mask label="a" rle="1" left="9" top="0" width="1" height="1"/>', "on the picture"),
    ],
)
def test_broken_cvat_shapes(images: Path, shape: str, words: str) -> None:
    path = images.parent / "a.xml"
    path.write_text(f"<annotations>\n{IMAGE}\n{shape}</image></annotations>")
    with open_masks(images, annotations=path) as masked, pytest.raises(FlawlineError) as caught:
        masked.mask(masked.samples()[0])
    assert "a.xml, line 3" in caught.value.message
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("names: [scratch, stain]", ["scratch", "stain"]),
        ("nc: 2\nnames:\n- scratch\n- 'stain'  # dark\nval: x", ["scratch", "stain"]),
        ('names: {0: scratch, 1: "stain"}\n', ["scratch", "stain"]),
        ("names:\n  1: stain\n  0: scratch\n", ["scratch", "stain"]),
        ("names: [scratch,\n  stain]\n", ["scratch", "stain"]),
        ("names: [\"pore, open\", 'crack']", ["pore, open", "crack"]),
        ("names:\n  - 'a # b'  # said\n  - \"it's\"\n  - 'it''s'", ["a # b", "it's", "it's"]),
        ('"names":\n  [scratch,\n   stain]\n', ["scratch", "stain"]),
        ('names:\n- "L\\xFCcke"\n- Riß\n', ["Lücke", "Riß"]),
        ("names: [no, 1.0, 2024-01-01, off]", ["no", "1.0", "2024-01-01", "off"]),
        ("names:\n  '0': a\n  1: >-\n    b\n    c\n", ["a", "b c"]),
        ("x: &n [a, b]\nnames: *n", ["a", "b"]),
        ("path: C:\\parts\ndownload: |\n  names: [x]\nnames: [a]\n", ["a"]),
    ],
)
def test_names_in_yaml(text: str, expected: list[str]) -> None:
    assert names_in_yaml(text, "data.yaml") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "names:",
        "names: &a [*a]",
        "names: !!python/object x",
        "names:\n  5: a",
        "names:\n  0: a\n  0: b",
        "names: scratch",
        "names: []",
        "names: [a, [b]]",
        "names: [a, ~]",
        "names: [a, '']",
        "names: {a: b}",
        "names: {-1: b}",
        "names: [a]\nnames: [b]",
        "names: [a, !!python/name:os.system b]",
        "names: [a\nx: 1",
        "- names",
        "names",
        "\x00",
        "names: [*b]",
        "names: " + "[" * 100_000,
        "--- {names: [a]}\n--- {names: [b]}",
    ],
)
def test_names_in_yaml_that_are_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"data\.yaml"):
        names_in_yaml(text, "data.yaml")


def test_aliases_that_would_grow_without_end_are_not_followed() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)
    )
    assert names_in_yaml(f"{text}names: [a, b]", "data.yaml") == ["a", "b"]
    with pytest.raises(SourceError, match=r"data\.yaml, line \d+, names"):
        names_in_yaml(f"{text}names: *a59", "data.yaml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.5 0.5 0.1 0.1", "got a box"),
        ("0 0.1 0.1 0.5", "x and y in turn"),
        ("0 0.1 a 0.5 0.5 0.2 0.2", "x and y"),
        ("7 0.1 0.1 0.5 0.5 0.1 0.5", "class from 0 to 0"),
        ("-1 0.1 0.1 0.5 0.5 0.1 0.5", "class from 0 to 0"),
        ("0 10 20 30 40 50 60", "points on the picture"),
        ("0 nan 0.1 0.5 0.5 0.1 0.5", "nan"),
    ],
)
def test_broken_yolo_lines(images: Path, line: str, words: str) -> None:
    labels = images.parent / "labels"
    labels.mkdir()
    (labels / "1.txt").write_text("\n" + line)
    with (
        open_masks(images, annotations=labels, classes=["stain"]) as masked,
        pytest.raises(FlawlineError) as caught,
    ):
        masked.mask(masked.samples()[0])
    assert "1.txt, line 2" in caught.value.message
    assert words in caught.value.message


def test_yolo_needs_names(images: Path) -> None:
    labels = images.parent / "labels"
    labels.mkdir()
    (labels / "1.txt").write_text("")
    with pytest.raises(UsageError, match=r"data\.yaml"):
        open_masks(images, annotations=labels)


def test_annotations_of_unknown_kind(images: Path) -> None:
    path = images.parent / "a.pkl"
    path.write_bytes(b"x")
    with pytest.raises(SourceError, match=r"a\.pkl"):
        open_masks(images, annotations=path)


def test_files_over_their_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"x" * 11)
    assert read_bytes(path, 11) == b"x" * 11
    with pytest.raises(SourceError, match="at most 10 bytes"):
        read_bytes(path, 10)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "counts", "size", "name"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = [
    "images",
    "images.0",
    "images.0.id",
    "images.0.file_name",
    "images.0.height",
    "categories",
    "categories.0",
    "categories.0.id",
    "categories.0.name",
    "annotations",
    "annotations.0",
    "annotations.0.image_id",
    "annotations.0.category_id",
    "annotations.0.segmentation",
    "annotations.0.segmentation.0",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_in_a_coco_file_it_is_read_or_refused(
    images: Path, place: str, value: Any
) -> None:
    path = images.parent / "a.json"
    path.write_text(json.dumps(changed(place, value)))
    with suppress(FlawlineError), open_masks(images, annotations=path) as masked:
        for sample in masked.samples():
            assert masked.mask(sample).shape == (4, 5) or place == "images.0.height"


TASKS = [
    {
        "id": 1,
        "data": {"image": "1.png"},
        "annotations": [
            {
                "result": [
                    {
                        "id": "a",
                        "type": "ellipselabels",
                        "to_name": "image",
                        "original_width": 5,
                        "original_height": 4,
                        "value": {
                            "x": 50,
                            "y": 50,
                            "radiusX": 9,
                            "radiusY": 9,
                            "ellipselabels": ["x"],
                        },
                    },
                    {
                        "id": "b",
                        "type": "brush",
                        "value": {"format": "rle", "rle": [0, 0, 0, 80, 57]},
                    },
                ]
            }
        ],
    }
]
REGION = "0.annotations.0.result.0"
FIELDS = [
    "0",
    "0.data",
    "0.data.image",
    "0.annotations",
    "0.annotations.0",
    "0.annotations.0.result",
    REGION,
    *(f"{REGION}.{name}" for name in ("id", "type", "to_name", "original_width", "value")),
    *(f"{REGION}.value.{name}" for name in ("x", "radiusX", "ellipselabels", "ellipselabels.0")),
    *("0.annotations.0.result.1.value.rle", "0.annotations.0.result.1.value.rle.0"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FIELDS), JSON, st.sampled_from(["refuse", "fill"]))
def test_whatever_stands_in_a_label_studio_file_it_is_read_or_refused(
    images: Path, place: str, value: Any, boxes: Any
) -> None:
    document: Any = json.loads(json.dumps(TASKS))
    *parts, last = (int(part) if part.isdigit() else part for part in place.split("."))
    inner = document
    for part in parts:
        inner = inner[part]
    inner[last] = value
    path = images.parent / "a.json"
    path.write_text(json.dumps(document))
    with suppress(FlawlineError), open_masks(images, annotations=path, boxes=boxes) as masked:
        for sample in masked.samples():
            assert masked.pair(sample)[1].shape == (4, 5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" + "[]," * 4_000_000 + "[]]", "at most 4000000 lists and objects, it holds 4000002"),
        ("[" + "1," * 20_000_000 + "1]", "at most 20000000 values, it holds 20000001"),
    ],
    ids=["lists", "numbers"],
)
def test_a_file_of_more_values_than_memory_holds_is_refused(
    images: Path, text: str, told: str
) -> None:
    error = refused(images, "a.json", text)
    assert told in error.message
    assert "Split" in error.hint
