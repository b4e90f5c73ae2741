"""Folders, patterns, manifests, layouts and single pictures as sources."""

from __future__ import annotations

import csv
import datetime
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flawline.data.archive import ArchiveLimits
from flawline.data.source import Source, open_source
from flawline.errors import FlawlineError, ImageError, ManifestError, SourceError, UsageError
from flawline.types import Sample
from helpers.examples import times
from helpers.spreadsheets import write_xlsx


def fill(root: Path, names: Iterable[str]) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def names_of(source: Source) -> list[str]:
    return [sample.name for sample in source.samples()]


def code_of(location: str | Path) -> str:
    with pytest.raises(FlawlineError) as caught:
        open_source(location)
    assert caught.value.message
    assert caught.value.hint
    return caught.value.code


LABELS = ["good/10.png", "good/2.png", "good/1.jpg", "bad/a/x.png", "bad/y.tiff", "top.png"]
IN_ORDER = ["bad/a/x.png", "bad/y.tiff", "good/1.jpg", "good/2.png", "good/10.png", "top.png"]


def test_folder_of_labels(tmp_path: Path) -> None:
    with open_source(fill(tmp_path, LABELS)) as source:
        samples = list(source.samples())
        assert [sample.name for sample in samples] == IN_ORDER
        assert list(source.samples()) == samples
        assert [sample.label for sample in samples] == ["a", "bad", "good", "good", "good", None]
        assert [s.defective for s in samples] == [None, True, False, False, False, None]
        summary = source.summary()
        assert (summary.kind, summary.layout, summary.pictures) == ("folder", "labels", 6)
        assert summary.labels == {"a": (1, None), "bad": (1, True), "good": (3, False)}
        assert source.read("bad/a/x.png") == b"bad/a/x.png"


def packed(tmp_path: Path, names: list[str]) -> list[Path]:
    root = fill(tmp_path / "tree", names)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in sorted(names, reverse=True):
            archive.write(root / name, name)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(root, ".")
    return [root, tmp_path / "a.zip", tmp_path / "a.tar.gz"]


TREES = {
    "labels": LABELS,
    "unsorted": ["a/1.png", "a-b/1.png", "a.png", "a b.png", "a/b/2.png", "01/x.png", "1/x.png"],
    "mvtec": [
        "bottle/train/good/000.png",
        "bottle/test/good/000.png",
        "bottle/test/crack/001.png",
        "bottle/ground_truth/crack/001_mask.png",
    ],
    "pairs": ["images/1.jpg", "images/2.jpg", "masks/1.png", "masks/2.png"],
    "suffixed": ["a/1.jpg", "a/1_mask.png", "a/2.png"],
}


@pytest.mark.parametrize("tree", TREES)
def test_folders_and_archives_give_the_same_samples(tmp_path: Path, tree: str) -> None:
    listed: list[list[Sample]] = []
    for path in packed(tmp_path, TREES[tree]):
        with open_source(path) as source:
            listed.append(list(source.samples()))
            for sample in listed[-1]:
                assert source.read(sample.name) == sample.name.encode()
                assert sample.mask is None or source.read(sample.mask) == sample.mask.encode()
    assert listed[0] == listed[1] == listed[2]
    assert len(listed[0]) > 0


def test_flat_folder(tmp_path: Path) -> None:
    with open_source(fill(tmp_path, ["10.png", "9.png"])) as source:
        assert source.layout == "flat"
        assert list(source.samples()) == [Sample("9.png"), Sample("10.png")]


def test_labels_that_need_the_whole_set(tmp_path: Path) -> None:
    root = fill(tmp_path, ["blowhole/1.png", "crack/1.png", "free/1.png"])
    with open_source(root) as source:
        assert [sample.defective for sample in source.samples()] == [True, True, False]
        assert source.meaning == {"blowhole": True, "crack": True, "free": False}
    with open_source(root, good=["CRACK"], bad=["free"]) as source:
        assert [sample.defective for sample in source.samples()] == [None, False, True]
    with pytest.raises(UsageError, match="'fre'") as caught:
        open_source(root, good=["fre"])
    assert caught.value.hint == "Did you mean 'free'?"
    with pytest.raises(UsageError, match="good and as bad"):
        open_source(root, good=["free"], bad=["free"])


def test_split_folders_are_no_labels(tmp_path: Path) -> None:
    root = fill(tmp_path, ["train/ok_front/1.png", "test/def_front/1.png", "val/2.png"])
    with open_source(root) as source:
        found = {(s.name, s.label, s.defective, s.split) for s in source.samples()}
    assert found == {
        ("train/ok_front/1.png", "ok_front", False, "train"),
        ("test/def_front/1.png", "def_front", True, "test"),
        ("val/2.png", None, None, "validation"),
    }


def test_mvtec(tmp_path: Path) -> None:
    names = [
        "train/good/000.png",
        "test/good/000.png",
        "test/crack/000.png",
        "test/crack/001.png",
        "test/pass/000.png",
        "ground_truth/crack/000_mask.png",
        "ground_truth/crack/001.bmp",
    ]
    with open_source(fill(tmp_path, names)) as source:
        assert source.layout == "mvtec"
        samples = {s.name: s for s in source.samples()}
        assert source.summary().passed_over == {"mask": 2}
    assert samples["train/good/000.png"] == Sample(
        "train/good/000.png", "good", False, split="train"
    )
    assert samples["test/crack/000.png"] == Sample(
        "test/crack/000.png", "crack", True, "ground_truth/crack/000_mask.png", split="test"
    )
    assert samples["test/crack/001.png"].mask == "ground_truth/crack/001.bmp"
    assert samples["test/good/000.png"].mask is None
    assert samples["test/pass/000.png"].defective is False
    assert len(samples) == 5


def test_mvtec_of_several_parts(tmp_path: Path) -> None:
    names = [
        f"{part}/{rest}"
        for part in ("bottle", "cable")
        for rest in ("train/good/0.png", "test/cut/0.png", "ground_truth/cut/0_mask.png")
    ]
    with open_source(fill(tmp_path, names)) as source:
        assert [(s.name, s.mask) for s in source.samples()] == [
            ("bottle/test/cut/0.png", "bottle/ground_truth/cut/0_mask.png"),
            ("bottle/train/good/0.png", None),
            ("cable/test/cut/0.png", "cable/ground_truth/cut/0_mask.png"),
            ("cable/train/good/0.png", None),
        ]


def test_image_and_mask_folders(tmp_path: Path) -> None:
    names = ["images/1.jpg", "images/2.bmp", "images/3.jpg", "masks/1.png", "masks/2_mask.tif"]
    with open_source(fill(tmp_path, names)) as source:
        assert source.layout == "pairs"
        assert list(source.samples()) == [
            Sample("images/1.jpg", mask="masks/1.png"),
            Sample("images/2.bmp", mask="masks/2_mask.tif"),
            Sample("images/3.jpg"),
        ]
        assert source.summary().passed_over == {"mask": 2}


def test_image_and_mask_folders_with_labels_and_splits(tmp_path: Path) -> None:
    names = [
        "train/images/crack/1.jpg",
        "train/masks/crack/1.png",
        "test/images/crack/1.jpg",
        "test/images/good/2.jpg",
        "test/masks/crack/1.png",
    ]
    with open_source(fill(tmp_path, names)) as source:
        assert list(source.samples()) == [
            Sample(names[2], "crack", True, names[4], split="test"),
            Sample(names[3], "good", False, split="test"),
            Sample(names[0], "crack", True, names[1], split="train"),
        ]


def test_image_folders_inside_label_folders(tmp_path: Path) -> None:
    names = [
        f"set/{label}/{kind}/1.png" for label in ("cut", "good") for kind in ("images", "masks")
    ]
    with open_source(fill(tmp_path, names)) as source:
        assert [(s.name, s.label, s.mask) for s in source.samples()] == [
            ("set/cut/images/1.png", "cut", "set/cut/masks/1.png"),
            ("set/good/images/1.png", "good", "set/good/masks/1.png"),
        ]
    with open_source(fill(tmp_path / "other", ["set/images/1.png", "set/masks/1.png"])) as source:
        assert [sample.label for sample in source.samples()] == [None]


def test_masks_beside_their_pictures(tmp_path: Path) -> None:
    names = ["a/1.jpg", "a/1_mask.png", "a/2.jpg", "a/lone_mask.png", "b/face_mask.png"]
    with open_source(fill(tmp_path, names)) as source:
        assert source.layout == "pairs"
        assert [(s.name, s.mask) for s in source.samples()] == [
            ("a/1.jpg", "a/1_mask.png"),
            ("a/2.jpg", None),
            ("a/lone_mask.png", None),
            ("b/face_mask.png", None),
        ]
        assert source.summary().pictures == 4


def test_what_a_folder_passes_over(tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", ["secret.png"])
    root = fill(
        tmp_path / "root",
        ["1.png", ".2.png", "._3.png", "x.csv", "more.zip", ".git/4.png", "__MACOSX/5.png"],
    )
    (root / "loop").symlink_to(root)
    (root / "away").symlink_to(outside)
    (root / "6.png").symlink_to(outside / "secret.png")
    (root / "7.png").symlink_to(root / "1.png")
    (root / "8.png").symlink_to(root / "nowhere.png")
    (root / "folder.png").mkdir()
    os.mkfifo(root / "9.png")
    (root / os.fsdecode(b"b\xff.png")).write_bytes(b"")
    with open_source(root) as source:
        assert names_of(source) == ["1.png", "7.png"]
        assert source.summary().passed_over == {
            "broken link": 1,
            "hidden file": 1,
            "hidden folder": 1,
            "link that leaves the folder": 1,
            "name is not valid Unicode": 1,
            "nested archive": 1,
            "not a picture file": 3,
            "not a regular file": 1,
            "system file": 2,
        }
        # A picture that cannot be listed cannot be judged, which an outcome must say.
        assert sorted(source.summary().problems) == [
            "'b\\\\udcff.png': name is not valid Unicode",
            "6.png: link that leaves the folder",
            "8.png: broken link",
            "9.png: not a regular file",
        ]
        json.dumps(names_of(source))
        for name in ("6.png", "../outside/secret.png", str(outside / "secret.png"), "nul\0"):
            with pytest.raises(ImageError) as caught:
                source.read(name)
            assert caught.value.code == "image-unreadable"


def test_folder_files_have_a_limit(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png", "a_long_name.png"])
    with open_source(tmp_path, limits=ArchiveLimits(max_member_bytes=5)) as source:
        assert source.read("1.png") == b"1.png"
        with pytest.raises(ImageError) as caught:
            source.read("a_long_name.png")
        assert caught.value.code == "image-too-large"
        with pytest.raises(ImageError, match="No such file"):
            source.read("2.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_folders_without_permission(tmp_path: Path) -> None:
    root = fill(tmp_path, ["a/1.png", "b/2.png"])
    (root / "a").chmod(0)
    try:
        with open_source(root) as source:
            assert names_of(source) == ["b/2.png"]
            assert source.summary().passed_over == {"unreadable folder": 1}
            assert len(source.summary().problems) == 1
        assert code_of(root / "a") == "source-unreadable"
    finally:
        (root / "a").chmod(0o755)


def test_missing_and_empty_sources(tmp_path: Path) -> None:
    root = fill(tmp_path / "parts", ["a.txt"])
    with pytest.raises(SourceError, match="1 not a picture file") as caught:
        open_source(root)
    assert caught.value.code == "source-empty"
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path / "prats")
    assert (caught.value.code, caught.value.hint) == ("source-missing", "Did you mean 'parts'?")
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path / "prats" / "good" / "*.png")
    assert (caught.value.code, caught.value.hint) == ("source-missing", "Did you mean 'parts'?")
    assert code_of("https://example.org/parts.zip") == "source-missing"
    assert code_of(root / "a.txt") == "source-unsupported"
    assert code_of("nul\0byte") in ("source-missing", "source-unreadable")
    assert code_of("") in ("source-missing", "source-empty")


def test_patterns(tmp_path: Path) -> None:
    names = [
        "p/good/1.png",
        "p/good/2.jpg",
        "p/bad/deep/3.png",
        "p/4.png",
        "q/5.png",
        "p/[x]/6.png",
    ]
    fill(tmp_path, names)
    for pattern, expected in {
        "p/**/*.png": ["4.png", "[x]/6.png", "bad/deep/3.png", "good/1.png"],
        "*/*.png": ["p/4.png", "q/5.png"],
        "p/*/?.png": ["[x]/6.png", "good/1.png"],
        "p/g*/*": ["good/1.png", "good/2.jpg"],
        "**/[1-3].*": ["p/bad/deep/3.png", "p/good/1.png", "p/good/2.jpg"],
        "**/[!1-5].png": ["p/[x]/6.png"],
        "p/**": ["4.png", "[x]/6.png", "bad/deep/3.png", "good/1.png", "good/2.jpg"],
    }.items():
        with open_source(f"{tmp_path}/{pattern}") as source:
            assert names_of(source) == expected, pattern
            assert source.kind == "glob"
            assert source.read(expected[0])
    with open_source(tmp_path / "p" / "[x]") as source:
        assert names_of(source) == ["6.png"]
    assert code_of(f"{tmp_path}/*.gif") == "source-empty"


def test_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "part.bin"
    path.write_bytes(b"\xff\xd8\xff\xe0 picture")
    with open_source(path) as source:
        assert list(source.samples()) == [Sample("part.bin")]
        assert (source.kind, source.layout, source.summary().pictures) == ("file", "flat", 1)
        assert source.read("part.bin").endswith(b"picture")
        with pytest.raises(ImageError):
            source.read("other.bin")


def write_csv(path: Path, rows: list[list[str]], **options: str) -> Path:
    with open(path, "w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        csv.writer(file, **options).writerows(rows)  # type: ignore[arg-type]
    return path


ROWS = [
    ["Image", "label", "mask", "group", "split", "lot"],
    ["images/2.png", "crack", "masks/2.png", "p1", "train", "A7"],
    ["images/1.png", "free", "", "p2", "test", ""],
    ["images/ö.png", "", "", "", "", "A8"],
]
EXPECTED = [
    Sample("images/2.png", "crack", True, "masks/2.png", "p1", "train", {"lot": "A7"}),
    Sample("images/1.png", "free", False, None, "p2", "test", {"lot": ""}),
    Sample("images/ö.png", metadata={"lot": "A8"}),
]


@pytest.mark.parametrize(
    "options",
    [{}, {"delimiter": ";"}, {"delimiter": "\t"}, {"encoding": "utf-8-sig"}],
    ids=str,
)
def test_csv_manifest(tmp_path: Path, options: dict[str, str]) -> None:
    fill(tmp_path, ["images/1.png", "images/2.png", "images/ö.png", "masks/2.png", "other.png"])
    with open_source(write_csv(tmp_path / "parts.csv", ROWS, **options)) as source:
        assert list(source.samples()) == EXPECTED == list(source.samples())
        summary = source.summary()
        assert (summary.kind, summary.layout, summary.pictures) == ("manifest", "manifest", 3)
        assert summary.labels == {"crack": (1, True), "free": (1, False)}
        assert summary.problems == ()
        assert source.read("images/1.png") == b"images/1.png"


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        ("image,label,lot,,\n1.png,free,A7,,\n2.png,crack,,,\n,,,,\n", ()),
        ('image;"label";lot\n1.png;free;A7\n2.png;crack;\n', ("m.csv: separated by semicolons",)),
        (
            "sep=;\nimage;label;lot\n1.png;free;A7;;\n2.png;crack;;;\n",
            ("m.csv: separated by semicolons",),
        ),
        (
            "Prüfliste Ö;;\nimage;label;lot\n1.png;free;A7\n2.png;crack;\n".encode("cp1252"),
            (
                "m.csv: separated by semicolons, in Windows-1252, as it is not UTF-8, 1 title row passed over",
            ),
        ),
        (
            "image\tlabel\tlot\n1.png\tfree\tA7\n2.png\tcrack\t\n".encode("utf-16"),
            ("m.csv: separated by tabs, in UTF-16",),
        ),
    ],
)
def test_manifests_of_spreadsheets(tmp_path: Path, content: str | bytes, notes: tuple[str]) -> None:
    fill(tmp_path, ["1.png", "2.png"])
    (tmp_path / "m.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with open_source(tmp_path / "m.csv") as source:
        assert list(source.samples()) == [
            Sample("1.png", "free", False, metadata={"lot": "A7"}),
            Sample("2.png", "crack", True, metadata={"lot": ""}),
        ]
        assert source.summary().problems == ()
        assert source.summary().notes == notes


def test_a_manifest_can_be_a_sheet(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png", "2.png"])
    rows = [["Image", "label", "weight"], ["1.png", "i.O.", 7], ["2.png", "n.i.O.", 1.5]]
    with open_source(write_xlsx(tmp_path / "m.xlsx", {"Teile": rows})) as source:
        assert source.kind == "manifest"
        assert [(s.name, s.defective, s.metadata["weight"]) for s in source.samples()] == [
            ("1.png", False, 7),
            ("2.png", True, 1.5),
        ]
    (tmp_path / "below").mkdir()
    rows = [["image"], ["../1.png"]]
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(write_xlsx(tmp_path / "below" / "m.xlsx", {"Teile": rows}))


def test_a_manifest_inside_a_folder_is_only_hinted_at(tmp_path: Path) -> None:
    fill(tmp_path, ["images/1.png"])
    write_csv(tmp_path / "samples.csv", [["image"], ["images/1.png"]])
    with open_source(tmp_path) as source:
        assert source.kind == "folder"
        assert len(source.summary().hints) == 1
        assert "samples.csv" in source.summary().hints[0]


def test_problems_of_a_manifest_are_listed(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png", "2.png"])
    rows = [
        ["image", "mask", "label"],
        ["1.png", "gone_mask.png", "bad"],
        ["gone.png", "", "crack"],
        ["1.png", "", "bad"],
        ["", "", ""],
        ["2.png", ""],
        [],
        ["2.png", "", "good"],
    ]
    with open_source(write_csv(tmp_path / "m.csv", rows)) as source:
        assert names_of(source) == ["1.png", "2.png"]
        summary = source.summary()
        assert summary.passed_over == {
            "listed twice": 1,
            "missing file": 1,
            "no image named": 1,
            "wrong number of columns": 1,
        }
        assert len(summary.problems) == 5
        assert summary.problems[0] == "row 2: missing mask: 'gone_mask.png'"
        assert summary.labels == {"bad": (1, True), "good": (1, False)}
        with pytest.raises(ImageError, match="gone_mask"):
            source.read("gone_mask.png")


def test_a_manifest_names_no_picture_as_its_own_mask(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png"])
    with open_source(write_csv(tmp_path / "m.csv", [["image", "mask"], ["1.png"] * 2])) as source:
        assert list(source.samples()) == [Sample("1.png")]
        problem = "row 2: the picture is named as its own mask: '1.png'"
        assert source.summary().problems == (problem,)


def test_many_problems_stay_few(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png"])
    rows = [["image"], ["1.png"], *([f"gone{i}.png"] for i in range(500))]
    with open_source(write_csv(tmp_path / "m.csv", rows)) as source:
        assert len(source.summary().problems) == 101
        assert source.summary().problems[-1] == "and 400 more"


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        (b"filename,label\n1.png,a\n", "'filename', 'label'", "'filename' to 'image'"),
        (b"imgae\n1.png\n", "'imgae'", "Did you mean 'imgae'"),
        (b"", "empty", "CSV"),
        (b"image,image\n1.png,2.png\n", "twice", "rename"),
        (b"image,Image\n1.png,2.png\n", "twice", "Rename"),
        ("image,цвет\n1.png,красный\n".encode("cp1251"), "encoding", "UTF-8"),
        (b'image\n"1.png', "unexpected end", "CSV"),
    ],
)
def test_bad_manifests(tmp_path: Path, text: bytes, words: str, hint: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(text)
    with pytest.raises(ManifestError, match=words) as caught:
        open_source(path)
    assert hint in caught.value.hint


def test_manifest_without_rows(tmp_path: Path) -> None:
    assert code_of(write_csv(tmp_path / "m.csv", [["image"]])) == "source-empty"
    assert code_of(write_csv(tmp_path / "m.csv", [["image"], ["gone.png"]])) == "source-empty"


def _outside(tmp_path: Path) -> tuple[Path, list[str]]:
    """Return a folder with one picture, and names by which a table in it could reach files beside it."""
    fill(tmp_path, ["in/1.png", "secret.png", "beside/2.png"])
    (tmp_path / "in" / "link.png").symlink_to("../secret.png")
    (tmp_path / "in" / "folder").symlink_to("../beside")
    return tmp_path / "in", [
        "../secret.png",
        "..\\secret.png",
        "./x/../../secret.png",
        str(tmp_path / "secret.png"),
        "/etc/passwd",
        "/proc/self/environ",
        "../gone.png",
        "link.png",
        "folder/2.png",
        "..",
        "folder/..",
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_manifest_names_only_files_below_its_folder(tmp_path: Path, suffix: str) -> None:
    folder, names = _outside(tmp_path)
    rows = {"image": ["1.png", *names], "mask": [*names, "1.png"]}
    path = folder / f"m{suffix}"
    if suffix == ".csv":
        write_csv(path, [list(rows), *map(list, zip(*rows.values(), strict=True))])
    else:
        polars = pytest.importorskip("polars")
        polars.DataFrame(rows).write_parquet(path)
    with open_source(path) as source:
        assert names_of(source) == ["1.png"]
        summary = source.summary()
        assert summary.passed_over == {"file outside the table's folder": len(names)}
        assert "mask outside the table's folder" in summary.problems[0]
        assert all("`root` allows a wider one" in problem for problem in summary.problems)
        for name in names:
            with pytest.raises(ImageError, match="outside the table"):
                source.read(name.replace("\\", "/"))


def test_root_allows_a_manifest_to_name_files_outside_its_folder(tmp_path: Path) -> None:
    folder, names = _outside(tmp_path)
    path = write_csv(folder / "m.csv", [["image"], ["1.png"], *([name] for name in names)])
    with open_source(path, root=tmp_path) as source:
        reached = [
            "1.png", "../secret.png", "./x/../../secret.png", str(tmp_path / "secret.png"),
            "link.png", "folder/2.png",
        ]  # fmt: skip
        assert [n for n in names_of(source) if n != "../secret.png"] == [
            n for n in reached if n != "../secret.png"
        ]
        assert source.read("../secret.png") == source.read("link.png") == b"secret.png"
        assert source.summary().passed_over == {
            f"file outside {os.path.realpath(tmp_path)}": 2,
            "listed twice": 1,
            "missing file": 3,
        }
    with open_source(path, root=tmp_path / "beside") as source:
        assert names_of(source) == ["folder/2.png"], "its own folder is not below that one"


def test_root_is_a_folder_and_needs_a_manifest(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png"])
    path = write_csv(tmp_path / "m.csv", [["image"], ["1.png"]])
    for root in (tmp_path / "gone", path, ""):
        with pytest.raises(UsageError, match="expected a folder as `root`"):
            open_source(path, root=root)
    for location in (tmp_path, f"{tmp_path}/*.png", [np.zeros((4, 4), np.uint8)]):
        with pytest.raises(UsageError, match="expected a CSV or Parquet manifest with `root`"):
            open_source(location, root=tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_as_mask_is_refused_and_does_not_block(tmp_path: Path) -> None:
    fill(tmp_path, ["1.png"])
    os.mkfifo(tmp_path / "pipe.png")
    path = write_csv(tmp_path / "m.csv", [["image", "mask"], ["1.png", "pipe.png"]])
    with open_source(path) as source:
        assert len(source.summary().problems) == 1
        with pytest.raises(ImageError, match="no plain file"):
            source.read("pipe.png")


@pytest.mark.parametrize("name", ["m.parquet", "m[1].parquet"])
def test_parquet_manifest(tmp_path: Path, name: str) -> None:
    polars = pytest.importorskip("polars")
    fill(tmp_path, ["1.png", "2.png"])
    table = polars.DataFrame(
        {
            "image": ["2.png", "1.png", "gone.png"],
            "label": ["ok", None, "ok"],
            "group": [7, 8, 9],
            "weight": [1.5, None, 2.0],
            "taken": [datetime.date(2026, 3, 1)] * 3,
        }
    )
    table.write_parquet(tmp_path / name)
    with open_source(tmp_path / name) as source:
        assert list(source.samples()) == [
            Sample(
                "2.png", "ok", False, group="7", metadata={"weight": 1.5, "taken": "2026-03-01"}
            ),
            Sample("1.png", group="8", metadata={"weight": None, "taken": "2026-03-01"}),
        ]
        assert source.summary().passed_over == {"missing file": 1}
    (tmp_path / name).write_bytes(b"PAR1 nonsense")
    assert code_of(tmp_path / name) == "manifest"
    table.rename({"image": "path"}).write_parquet(tmp_path / name)
    assert code_of(tmp_path / name) == "manifest"


def test_reading_from_threads(tmp_path: Path) -> None:
    names = [f"{i}.png" for i in range(200)]
    with open_source(fill(tmp_path, names)) as source, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(source.read, names)) == [name.encode() for name in names]


def test_real_sources(real_data: Path) -> None:
    with open_source(real_data / "casting.zip") as source:
        assert source.summary().labels == {"bad": (150, True), "good": (400, False)}
    with open_source(real_data / "magnetic_tile" / "samples.csv") as source:
        assert source.summary().pictures == 1344
        assert source.summary().labels["free"] == (952, False)
        assert source.summary().labels["crack"] == (57, True)
    with open_source(real_data / "magnetic_tile") as source:
        assert source.layout == "pairs"
        assert all(sample.mask for sample in source.samples())


_MEASURE = """
import resource, sys
from flawline.data.source import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_source(sys.argv[1]) as source:
    count = sum(1 for _ in source.samples())
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
MANY = times(50_000, 500_000)


def measure(path: Path) -> tuple[int, int]:
    """Samples listed and MiB of memory that it took, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    count, mebibytes = map(int, done.stdout.split())
    return count, mebibytes


@pytest.mark.slow
@pytest.mark.explore
def test_very_many_files_in_bounded_memory(tmp_path: Path) -> None:
    for folder in range(500):
        below = tmp_path / f"{folder % 2}" / f"{folder}"
        below.mkdir(parents=True)
        for number in range(MANY // 500):
            (below / f"{number}.png").touch()
    count, mebibytes = measure(tmp_path)
    assert count == MANY
    assert mebibytes < 12 + 56 * MANY / 2**20


@pytest.mark.slow
@pytest.mark.explore
def test_very_many_members_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(MANY):
            archive.writestr(f"{number % 500}/picture_{number}.png", b"")
    count, mebibytes = measure(path)
    assert count == MANY
    assert mebibytes < 20 + 480 * MANY / 2**20


def test_not_a_number_is_an_empty_cell(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"x")
    nan = float("nan")
    frame = pytest.importorskip("polars").DataFrame(
        {"image": ["a.png", "b.png"], "label": [1.0, nan], "group": [nan, nan], "torque": [nan, 2]},
        strict=False,
    )
    frame.write_parquet(tmp_path / "m.parquet")
    with open_source(tmp_path / "m.parquet") as source:
        a, b = source.samples()
    assert (a.label, b.label, a.group, b.group) == ("1.0", None, None, None)
    assert (a.metadata["torque"], b.metadata["torque"]) == (None, 2.0)


def test_a_source_has_a_name_also_where_it_is_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = tmp_path / "castings" / "good"
    parts.mkdir(parents=True)
    (parts / "a.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path / "castings")
    for location, name in ((".", "castings"), ("good", "good"), ("good/..", "castings")):
        with open_source(location) as source:
            assert source.name == name
