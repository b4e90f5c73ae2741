"""Contents and problems of masks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flawline.data.masks import open_masks
from flawline.data.masks.check import (
    ClassShare,
    Combination,
    MaskReport,
    check_masks,
    report_as_dict,
    report_lines,
)
from flawline.errors import SourceError

SIDE = 10


def mask(*values: int) -> NDArray[np.uint8]:
    """The values one pixel each, the rest background."""
    made = np.zeros((SIDE, SIDE), np.uint8)
    made.ravel()[: len(values)] = values
    return made


class Set:
    """A manifest that grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = ["image,mask,group,split"]

    def add(
        self, drawn: NDArray[np.uint8], *, group: str = "", split: str = "", like: int = -1
    ) -> str:
        number = len(self.rows)
        seed = number if like < 0 else like
        pixels = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        cv2.imwrite(str(self.folder / f"{number}.png"), pixels)
        cv2.imwrite(str(self.folder / f"m{number}.png"), drawn)
        self.rows.append(f"{number}.png,m{number}.png,{group},{split}")
        return f"{number}.png"

    def report(self) -> MaskReport:
        (self.folder / "samples.csv").write_text("\n".join(self.rows))
        source = self.folder / "samples.csv"
        with open_masks(source, classes=["scratch", "stain"], ignore=255) as masked:
            return check_masks(masked)


@pytest.fixture
def made(tmp_path: Path) -> Set:
    return Set(tmp_path)


def test_shares_and_combinations(made: Set) -> None:
    made.add(mask(1, 1, 2))
    made.add(mask(2, 255, 255))
    made.add(mask(2, 2))
    made.add(mask(1))
    made.add(mask())
    report = made.report()
    assert report.findings == ()
    assert report.pictures == 5
    assert report.ignored == 2
    assert report.classes == (
        ClassShare("background", 491, 491 / 498, 5),
        ClassShare("scratch", 3, 3 / 498, 2),
        ClassShare("stain", 4, 4 / 498, 3),
    )
    assert report.combinations == (
        Combination(("scratch",), 1),
        Combination(("stain",), 2),
        Combination(("scratch", "stain"), 1),
        Combination((), 1),
    )
    assert report.counts["1.png"] == (97, 2, 1)
    lines = report_lines(report)
    assert "only stain: 2 pictures" in lines
    assert "scratch and stain: 1 picture" in lines
    assert "no defect: 1 picture" in lines
    document = json.loads(json.dumps(report_as_dict(report), allow_nan=False))
    assert document["combinations"][0] == {"classes": ["scratch"], "pictures": 1}


def test_sizes_values_and_broken_files_are_found_with_their_files(made: Set) -> None:
    made.add(mask(1, 2))
    large = made.add(np.zeros((SIDE, SIDE + 1), np.uint8))
    unknown = made.add(mask(7))
    broken = made.add(mask(1))
    (made.folder / "m4.png").write_bytes(b"no picture")
    report = made.report()
    assert report.pictures == 1
    found = {finding.code: finding for finding in report.findings}
    assert found["image-mask-size"].files == (large,)
    assert found["image-mask-value"].files == (unknown,)
    assert "got 7 in 1 px" in found["image-mask-value"].details[0]
    assert found["image-not-an-image"].files == (broken,)


def test_empty_classes_also_of_one_split(made: Set) -> None:
    made.add(mask(1), split="train")
    made.add(mask(), split="test")
    report = made.report()
    assert [finding.message for finding in report.findings] == [
        "no pixel of the split 'test' is 'scratch'",
        "no pixel is 'stain'",
    ]
    assert report.findings[0].files == ("2.png",)


def test_groups_in_several_splits_leak(made: Set) -> None:
    for split in ("train", "train", "test"):
        made.add(mask(1, 2), group="7", split=split)
    made.add(mask(1, 2), group="8", split="test")
    (finding,) = made.report().findings
    assert finding.code == "group-leak"
    assert finding.files == ("1.png", "2.png", "3.png")
    assert finding.details == ("train", "train", "test")


def test_the_same_picture_twice(made: Set) -> None:
    made.add(mask(1, 2), like=50, split="train")
    made.add(mask(1, 2), like=50, split="test")
    made.add(mask(1, 2), like=60)
    made.add(mask(2, 1), like=60)
    made.add(mask(1), like=70)
    made.add(mask(1), like=70)
    findings = made.report().findings
    assert [finding.code for finding in findings] == ["duplicate-leak", "duplicate-masks"]
    assert findings[0].files == ("1.png", "2.png")
    assert findings[1].files == ("3.png", "4.png")
    assert "same picture, different masks: 3.png, 4.png" in report_lines(made.report())[-1]


def test_masks_of_which_none_can_be_read(made: Set) -> None:
    made.add(mask(7))
    with pytest.raises(SourceError, match="none of 1 masks"):
        made.report()


def test_real_sets(real_data: Path) -> None:
    with open_masks(real_data / "heat_sink", classes=["scratch", "stain"]) as masked:
        report = check_masks(masked)
    assert report.pictures == 7
    assert report.findings == ()
    assert report.combinations[-1].classes == ("scratch", "stain")
