"""Inputs that once gave a wrong answer give the right one; tests beside each module draw others of their kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from flawline.cli.main import run
from flawline.data.image import read_image
from flawline.data.masks import open_masks
from flawline.data.masks.check import check_masks
from flawline.data.source import open_source
from flawline.errors import FlawlineError, ImageError

Pixels = dict[str, dict[str, int]]


def pixels(
    source: Path, annotations: Path | None = None, **settings: Any
) -> tuple[Pixels, list[str]]:
    """The pixels of each class of each picture but those of the background, and the spoiled pictures."""
    with open_masks(source, annotations=annotations, **settings) as masks:
        report = check_masks(masks)
        counts = {
            name: {c: n for c, n in zip(masks.classes, row, strict=True) if n and c != "background"}
            for name, row in report.counts.items()
        }
    broken = [
        f for finding in report.findings if finding.code.startswith("image") for f in finding.files
    ]
    return counts, broken


PORE = {"pore": 360}
ONE_OF_TWO = {"class 255": 360}
ANNOTATED: dict[str, tuple[str, str | None, Pixels, list[str]]] = {
    "yolo_dots, hashes": (
        "yolo_dots/rf",
        "yolo_dots/rf/data.yaml",
        {
            "train/images/weld_01_png.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg": PORE,
            "train/images/weld_02_png.rf.ffeeddccbbaa99887766554433221100.jpg": {"crack": 12},
        },
        [],
    ),
    "yolo_dots, dots": (
        "yolo_dots/dot",
        "yolo_dots/dot/data.yaml",
        {"images/plate.2.jpg": PORE, "images/plate.jpg": {}},
        [],
    ),
    "annotations_root_is_own_mask": (
        "annotations_root_is_own_mask/yr",
        "annotations_root_is_own_mask/yr",
        {"images/a.png": PORE},
        [],
    ),
    "industry_layouts, BTAD": (
        "industry_layouts/btad/01",
        None,
        {
            "test/ko/0000.bmp": ONE_OF_TWO,
            **{name: {} for name in ("test/ok/0005.bmp", "train/ok/0000.bmp", "train/ok/0001.bmp")},
        },
        [],
    ),
    "industry_layouts, VisA": (
        "industry_layouts/visa/cand/Data",
        None,
        {
            "Images/Anomaly/000.png": ONE_OF_TWO,
            "Images/Normal/0000.png": {},
            "Images/Normal/0001.png": {},
        },
        [],
    ),
    "industry_layouts, KolektorSDD2": (
        "industry_layouts/ksdd2",
        None,
        {"test/20000.png": ONE_OF_TWO, "train/10000.png": {}},
        [],
    ),
    "industry_layouts, KolektorSDD": (
        "industry_layouts/ksdd",
        None,
        {"kos01/Part0.png": ONE_OF_TWO, "kos01/Part1.png": {}},
        [],
    ),
    "industry_layouts, DAGM": (
        "industry_layouts/dagm",
        None,
        {"Class1/Train/0576.PNG": ONE_OF_TWO, "Class1/Train/0577.PNG": {}},
        [],
    ),
    "ls_prefix_in_coco_yolo, COCO": (
        "ls_prefix_in_coco_yolo/images",
        "ls_prefix_in_coco_yolo/co_lsprefix.json",
        {"p1.png": PORE, "p2.png": {"crack": 360}},
        [],
    ),
    "ls_prefix_in_coco_yolo, YOLO": (
        "ls_prefix_in_coco_yolo/ypre/images",
        "ls_prefix_in_coco_yolo/ypre/data.yaml",
        {"part1.png": PORE},
        [],
    ),
    "cvat_subsets": (
        "cvat_subsets",
        "cvat_subsets/cv_subset.xml",
        {"images/Train/p1.png": PORE, "images/Test/p1.png": {"crack": 236}},
        [],
    ),
    **{
        f"whole_numbers_as_floats, {name}": (
            "whole_numbers_as_floats/images",
            f"whole_numbers_as_floats/{name}",
            {"p1.png": first, "p2.png": second},
            [],
        )
        for name, first, second in (
            ("co_fsize.json", PORE, PORE),
            ("co_ssize.json", PORE, PORE),
            ("co_mixid.json", PORE, PORE),
            ("co_nan.json", PORE, {"crack": 360}),
            ("cv_floatmask.xml", {"crack": 236}, PORE),
        )
    },
    "yolo_yaml_names, commas": (
        "yolo_yaml_names/ylab",
        "yolo_yaml_names/ylab/data.yaml",
        {"images/a.png": {"crack": 360}},
        [],
    ),
    "yolo_yaml_names, escapes": (
        "yolo_yaml_names/yesc",
        "yolo_yaml_names/yesc/data.yaml",
        {"images/a.png": {"Lücke": 360}},
        [],
    ),
    **{
        f"ls_one_region_refuses_all, {name}": (
            "ls_one_region_refuses_all/images",
            f"ls_one_region_refuses_all/{name}",
            {"my part 2.png": PORE},
            ["my part 1.png"],
        )
        for name in ("ls_nolab.json", "ls_rot.json")
    },
    "ls_one_region_refuses_all, thumbnail first": (
        "ls_one_region_refuses_all/images",
        "ls_one_region_refuses_all/ls_two.json",
        {"my part 1.png": PORE},
        [],
    ),
    # An ellipse of 125.7 px2 holds 128 centres of pixels.
    "no_outline_counts_as_good, CVAT": (
        "no_outline_counts_as_good/images",
        "no_outline_counts_as_good/cv_ell.xml",
        {"p1.png": PORE, "p2.png": {"pore": 128}, "p3.png": {"pore": 200}},
        [],
    ),
    "no_outline_counts_as_good, COCO": (
        "no_outline_counts_as_good/images",
        "no_outline_counts_as_good/co_boxonly.json",
        {"p2.png": PORE},
        ["p1.png"],
    ),
    "no_outline_counts_as_good, Label Studio": (
        "no_outline_counts_as_good/images",
        "no_outline_counts_as_good/ls_rect.json",
        {"my part 1.png": PORE, "my part 3.png": {"pore": 148}},
        ["my part 2.png"],
    ),
    "no_outline_counts_as_good, bitmasks": (
        "no_outline_counts_as_good/images",
        "no_outline_counts_as_good/ls_bitmask.json",
        {"my part 1.png": PORE, "my part 2.png": {"pore": 200}},
        [],
    ),
}


@pytest.mark.parametrize("case", ANNOTATED)
def test_annotations(cases: Path, case: str) -> None:
    source, annotations, expected, spoiled = ANNOTATED[case]
    root = cases / "annotations"
    given, broken = pixels(root / source, annotations and root / annotations)
    assert {name: given[name] for name in expected} == expected
    assert set(given) == set(expected)
    assert broken == spoiled


@pytest.mark.parametrize(
    ("case", "name"),
    [
        # These two name no picture of their folder: 'p1.0.png', 'my part 1.png'.
        ("whole_numbers_as_floats", "co_fid.json"),
        ("whole_numbers_as_floats", "ls_fsize.json"),
        ("ls_one_region_refuses_all", "ls_multi.json"),
        ("ls_one_region_refuses_all", "ls_noext.json"),
    ],
)
def test_annotations_that_fit_no_picture_or_hold_no_whole_one_are_refused(
    cases: Path, case: str, name: str
) -> None:
    folder = cases / "annotations" / case
    with (
        pytest.raises(FlawlineError) as caught,
        open_masks(folder / "images", annotations=folder / name),
    ):
        pass
    assert caught.value.code == "annotations"


@pytest.fixture
def command(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with --json below the folder of the cases; returns exit code and document."""

    def answered(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        named = [a.replace("CASES", str(cases)).replace("OUT", str(tmp_path)) for a in arguments]
        code = run([*named, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return answered


def areas(tmp_path: Path) -> list[float]:
    return pl.read_csv(tmp_path / "d.csv")["area"].to_list()


@pytest.mark.parametrize("kind", ["alpha_black", "alpha_white", "la_alpha"])
def test_a_mask_in_the_alpha_channel_is_read(command: Any, tmp_path: Path, kind: str) -> None:
    code, _ = command("measure", f"CASES/annotations/mask_alpha/{kind}", "-o", "OUT/d.csv")
    assert (code, areas(tmp_path)) == (0, [360])


@pytest.mark.parametrize("kind", ["tifjpeg", "jp2lossy", "f32_frac"])
def test_a_mask_with_losses_or_fractions_is_refused(command: Any, kind: str) -> None:
    code, answer = command("measure", f"CASES/annotations/mask_lossy/{kind}", "-o", "OUT/d.csv")
    assert code == 2
    assert answer["error"]["message"]


def test_smoothed_edges_are_refused_or_cut(command: Any, tmp_path: Path) -> None:
    masks, given = (
        "CASES/annotations/mask_not_two_levels",
        ("--classes", "255=stain", "-o", "OUT/d.csv"),
    )
    assert command("measure", f"{masks}/antialias", *given)[0] == 2
    code, _ = command("measure", f"{masks}/antialias", *given, "--threshold", "128")
    assert (code, areas(tmp_path)) == (0, [810])
    code, judged = command("judge", "OUT/d.csv", "--spec", f"{masks}/sp.toml", "-o", "OUT/v")
    assert code == 1
    assert [part["verdict"] for part in judged["judgements"]] == ["reject"]


def test_a_value_without_a_class_is_refused(command: Any) -> None:
    masks = "CASES/annotations/mask_not_two_levels/unknown_class"
    assert command("measure", masks, "--classes", "scratch,stain", "-o", "OUT/d.csv")[0] == 2


def test_folders_in_capitals(command: Any, tmp_path: Path) -> None:
    folder = "CASES/annotations/capital_folder_names/caps"
    code, _ = command("measure", folder, "-o", "OUT/d.csv")
    table = pl.read_csv(tmp_path / "d.csv")
    assert code == 0
    assert dict(zip(table["image"], table["area"], strict=True)) == {
        "Images/0.png": 600,
        "Images/4.png": 600,
    }
    _, ranked = command("rank", folder, "-o", "OUT/r")
    assert sorted(row["image"] for row in ranked["ranking"]) == [
        f"Images/{number}.png" for number in range(5)
    ]


@pytest.mark.parametrize(
    ("table", "measure"),
    [("hdrcomma", "Länge, außen, mm"), ("sep", "Laenge"), ("de", "Länge [mm]")],
)
def test_tables_of_spreadsheets(command: Any, table: str, measure: str) -> None:
    name = f"CASES/charts/csv_from_spreadsheets/{table}.csv"
    code, chart = command("chart", name, "--measure", measure, "-o", "OUT/c")
    assert code == 0
    assert len(chart["panels"][0]["values"]) == 40
    assert chart["stages"][0]["limits"]["centre"] == pytest.approx(9.978, abs=5e-4)


def test_a_doubled_column_is_refused(command: Any) -> None:
    name = "CASES/charts/csv_from_spreadsheets/dup.csv"
    code, answer = command("chart", name, "--measure", "len", "-o", "OUT/c")
    assert code == 2
    assert "twice" in answer["error"]["message"]


def test_an_import_keeps_the_areas(command: Any) -> None:
    name = "CASES/charts/csv_from_spreadsheets/imp4.csv"
    code, answer = command("import", "OUT/s.db", name, "--zone", "UTC")
    assert code == 0
    assert (answer["new"], answer["measures"]) == (2, ["area"])


@pytest.mark.parametrize("name", ["manifest_hdrcomma.csv", "manifest_twotrail.csv"])
def test_manifests_of_spreadsheets(cases: Path, tmp_path: Path, name: str) -> None:
    table = (cases / "charts" / "csv_from_spreadsheets" / name).read_bytes()
    (tmp_path / name).write_bytes(table)
    (tmp_path / "bilder").mkdir()
    cv2.imwrite(str(tmp_path / "bilder" / "t1.png"), np.full((8, 8), 7, np.uint8))
    with open_source(tmp_path / name) as source:
        assert [sample.name for sample in source.samples()] == ["bilder/t1.png"]


TRUNCATED = "image-truncated"
PICTURES = {
    "jpeg_half_lost_with_eoi.jpg": TRUNCATED,
    "jpeg_truncated_eoi_in_comment.jpg": TRUNCATED,
    "jpeg_truncated_exif_thumbnail.jpg": TRUNCATED,
    "jpg_16370.jpg": TRUNCATED,
    "B_pjpg_16370.jpg": TRUNCATED,
    "B_bmp_rle_delta.bmp": TRUNCATED,
    "B_jp2_tiles2.jp2": TRUNCATED,
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_without_all_their_pixels_are_refused(cases: Path, name: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_image(cases / "hostile" / name)
    assert caught.value.code == PICTURES[name]


@pytest.mark.slow
def test_a_whole_picture_at_the_limit_of_pixels_is_read(cases: Path) -> None:
    assert read_image(cases / "hostile" / "B_png_268M_1.png").width == 16_370


def test_every_case_is_run(cases: Path) -> None:
    """A folder or file that no test names would pass unseen."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.rglob("test_*case*.py"))
    known = {"masks_of.py"}
    entries = [entry for kind in cases.iterdir() for entry in kind.iterdir()]
    assert len(entries) > 20
    assert [
        entry.name for entry in entries if entry.name not in known and entry.stem not in tests
    ] == []
