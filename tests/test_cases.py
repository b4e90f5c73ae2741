"""Inputs that once gave a wrong answer give the right one; tests beside each module draw others of their kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flawline.data.masks import open_masks
from flawline.data.masks.check import check_masks
from flawline.errors import FlawlineError

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


@pytest.mark.parametrize("kind", ["black", "white"])
def test_a_mask_in_the_alpha_channel_is_read(cases: Path, kind: str) -> None:
    given, _ = pixels_of_masks(cases / "annotations" / "mask_alpha" / f"alpha_{kind}")
    assert given == 360


def pixels_of_masks(folder: Path) -> tuple[int, list[str]]:
    import flawline

    measured = flawline.measure(folder)
    return int(sum(measured.defects["area"])), []
